//! Requests that only an attested node can open: what comes of good ones, and the code of each way to be wrong.

use crate::common::{Answer, Backend, World, post, salt, walrus::Walrus};
use atoma_channel::{
    AnswerPart, MEDIA_TYPE, Padding, RequestTerms, VerifiedKeyset, seal_request, testing::TestNode,
};
use atoma_client::{BuyRequest, Client, ClientConfig, ClientError, Confidential, StackHandle};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::{release, software_policy};
use atoma_node::{ConfidentialConfig, NodeConfig, NodeError, RunningNode};
use atoma_runtime::{KeptLog, Runtime, SystemRandom};
use atoma_tee::{
    Appraisal, Bundle, Policy, Roots,
    appraise::Expected,
    octets::{Digest, Measurement, Octets},
};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, SecurityLevel, StackId, TimestampMs,
    hash::Hash32,
    http::{REQUEST, SALT, SIGNATURE},
    message::{CommitmentKind, Endpoint, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use std::{path::Path, sync::Arc};

pub(crate) const RELEASE: Digest = Octets([0x5e; 32]);
const MEASUREMENT: Measurement = Octets([0x5f; 48]);
const UNITS: ComputeUnits = ComputeUnits(8_000);

/// A world whose task is confidential, and the configuration of a node in it.
pub(crate) async fn confidential(backend: Backend) -> (World, NodeConfig) {
    let world = World::secured_by(SecurityLevel::ConfidentialCompute, backend).await;
    let digest = Hash32(RELEASE.0);
    let announced = release(&world.ledger, &world.operator, world.task.id, digest);
    announced.await.unwrap();
    let config = as_guest(world.config());
    (world, config)
}

fn as_guest(config: NodeConfig) -> NodeConfig {
    NodeConfig {
        confidential: Some(ConfidentialConfig::software(RELEASE, MEASUREMENT)),
        ..config
    }
}

pub(crate) fn policy(world: &World) -> Policy {
    let text = software_policy(world.ledger.network(), RELEASE, MEASUREMENT);
    Policy::from_toml(&text).unwrap()
}

/// A user whose requests are all sealed.
pub(crate) async fn user(world: &World, policy: Policy) -> (Client, StackHandle) {
    user_over(world, world.ledger.clone(), policy).await
}

/// The same over this ledger, on what it runs on.
pub(crate) async fn user_over(
    world: &World,
    ledger: Ledger,
    policy: Policy,
) -> (Client, StackHandle) {
    let key = SigningKey::generate(&SystemRandom);
    let wallet = key.public_key().address();
    world.ledger.faucet(wallet).await.unwrap();
    let config = ClientConfig {
        confidential: Some(Confidential {
            policy: Arc::new(policy),
            padding: Padding::Blocks,
        }),
        ..ClientConfig::default()
    };
    let client = Client::with_ledger(ledger, key, config).unwrap();
    let buy = BuyRequest {
        task: world.task.id,
        units: ComputeUnits(10_000),
        max_price: Some(Price(2_000_000)),
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(buy).await.unwrap();
    (client, stack)
}

/// The node's keyset, checked.
async fn keyset(world: &World, node: &RunningNode) -> VerifiedKeyset {
    let (_, verified) = attested(world, node, "").await;
    verified
}

async fn attested(world: &World, node: &RunningNode, nonce: &str) -> (Bundle, VerifiedKeyset) {
    attested_at(world, node, nonce, Runtime::system().now()).await
}

/// What the node shows, checked as at this time.
pub(crate) async fn attested_at(
    world: &World,
    node: &RunningNode,
    nonce: &str,
    at: TimestampMs,
) -> (Bundle, VerifiedKeyset) {
    let url = format!("{}/v1/attestation{nonce}", node.url());
    let request = Request::get(url).body(Full::default()).unwrap();
    let shown = post(&world.http, request).await;
    assert_eq!(shown.status, StatusCode::OK, "{shown:?}");
    let bundle = Bundle::from_bytes(&shown.body).unwrap();
    let policy = policy(world);
    let nonce = nonce
        .strip_prefix("?nonce=")
        .map(|hex| hex.parse().unwrap());
    let appraisal = Appraisal {
        roots: &Roots::pinned(),
        policy: &policy,
        at,
        expected: Expected {
            node: Some(node.node_id()),
            nonce,
            digest: None,
        },
    };
    let verdict = appraisal.judge(&bundle);
    assert!(verdict.accepted(), "{:?}", verdict.refusals());
    let verified = VerifiedKeyset::new(&bundle.keyset, &verdict).unwrap();
    (bundle, verified)
}

pub(crate) fn terms(world: &World) -> RequestTerms {
    let now = Runtime::system().now();
    RequestTerms {
        network: world.ledger.network(),
        task: world.task.id,
        endpoint: Endpoint::ChatCompletions,
        max_units: UNITS,
        issued_at: now,
        expires_at: now.saturating_add(DurationMs(60_000)),
        padding: Padding::Blocks,
    }
}

pub(crate) fn header(world: &World, node: NodeId, stack: StackId, sealed: &[u8]) -> RequestHeader {
    RequestHeader {
        max_units: UNITS,
        ..world.header(node, stack, sealed)
    }
}

/// Signs for sealed bytes and sends them.
pub(crate) async fn send(world: &World, url: &str, header: RequestHeader, sealed: &[u8]) -> Answer {
    let header = RequestHeader {
        body_hash: salt().commit(CommitmentKind::Request, sealed),
        ..header
    };
    let signed = Signed::new(header, &world.request_key);
    let request = Request::post(format!("{url}{}", Endpoint::ChatCompletions.as_str()))
        .header(REQUEST, BASE64_STANDARD.encode(signed.bytes()))
        .header(
            SIGNATURE,
            BASE64_STANDARD.encode(signed.signature().to_bytes()),
        )
        .header(SALT, &*salt().to_text())
        .header("content-type", MEDIA_TYPE)
        .body(Full::new(Bytes::copy_from_slice(sealed)))
        .unwrap();
    post(&world.http, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_question_is_answered_and_nothing_of_it_lies_about() {
    let log = KeptLog::of_program();
    let (world, config) = confidential(Backend::Builtin).await;
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    let node = world
        .node_with(NodeConfig {
            evidence: Some(walrus.config()),
            ..config
        })
        .await;
    let (client, stack) = user(&world, policy(&world)).await;
    let id = stack.engage().await.unwrap().node;
    let mut secrets = vec!["What is the capital of France?".to_owned()];
    for stream in [false, true] {
        let body = world.chat(&format!(
            r#","max_tokens":24,"temperature":0,"stream":{stream}"#
        ));
        let answer = stack.chat(id, body).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        let whole = answer.whole().await.unwrap();
        let receipt = whole.receipt.expect("a receipt that fits the sealed bytes");
        assert!(receipt.usage.output > 0, "{receipt:?}");
        let text = String::from_utf8(whole.body.to_vec()).unwrap();
        assert_eq!(text.ends_with("data: [DONE]\n\n"), stream, "{text}");
        if !stream {
            let said: serde_json::Value = serde_json::from_str(&text).unwrap();
            let said = said["choices"][0]["message"]["content"].as_str().unwrap();
            secrets.push(said.to_owned());
        }
    }
    // what fails after it was opened is for who sealed it alone
    let refused = stack.chat(id, world.chat(r#","top_p":7,"hush":"violets are blue""#));
    let refused = refused.await.unwrap();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.whole().await.unwrap().receipt.is_none());
    secrets.push("violets are blue".to_owned());
    assert_eq!(
        client.attested(id, world.task.id).await.unwrap().release,
        "software, for development"
    );
    // every record is on Walrus, every file is written
    crate::common::eventually("packed", || async {
        let metrics = world.text(format!("{}/metrics", node.admin_url())).await;
        let stored = |line: &str| {
            line.contains("packs_stored") && !line.starts_with('#') && !line.ends_with(" 0")
        };
        metrics.lines().any(stored)
    })
    .await;
    node.drain_and_stop().await;
    let windows = windows(&secrets);
    assert!(windows.len() > 25 && secrets[1].len() > 12, "{secrets:?}");
    let files = [world.node_dir(), world.dir.path().join("walrus")];
    let searched: usize = files.iter().map(|folder| search(folder, &windows)).sum();
    assert!(searched > 10, "{searched} files");
    let log = log.text();
    for window in &windows {
        assert!(!log.contains(window.as_str()), "the log has {window:?}");
    }
}

/// All pieces of some texts that are long enough to be of nothing else.
fn windows(texts: &[String]) -> Vec<String> {
    const LENGTH: usize = 12;
    let pieces = |text: &String| -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        let windows = chars.windows(LENGTH);
        windows.map(|window| window.iter().collect()).collect()
    };
    texts.iter().flat_map(pieces).collect()
}

/// Looks for them in every file of a folder; how many files there are.
fn search(folder: &Path, windows: &[String]) -> usize {
    let mut files = 0;
    let entries = std::fs::read_dir(folder);
    for entry in entries.unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path, windows);
            continue;
        }
        // a database's helpers go when it is closed
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        files += 1;
        for window in windows {
            let found = bytes
                .windows(window.len())
                .any(|part| part == window.as_bytes());
            assert!(!found, "{} has {window:?}", path.display());
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_be_wrong_is_refused_with_its_code() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let node = world.node_with(config.clone()).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(10_000).await;
    let plain = world.chat(r#","max_tokens":4"#);
    let keyset = keyset(&world, &node).await;
    let seal = |terms: &RequestTerms, to: &[VerifiedKeyset]| {
        seal_request(terms, to, plain.as_bytes(), &SystemRandom).unwrap()
    };
    let (sealed, mut opener) = seal(&terms(&world), std::slice::from_ref(&keyset));
    let good = || header(&world, id, stack, &sealed);

    // downgrade: what others could have read isn't taken
    let answer = world
        .send(&url, world.header(id, stack, plain.as_bytes()), &plain)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (400, "not_sealed")
    );

    // what was changed on the way, or signed for something else
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut head = sealed.clone();
    head[60] ^= 1;
    let mut cut = sealed.clone();
    cut.truncate(sealed.len() - 1);
    let mut longer = sealed.clone();
    longer.push(0);
    let stranger = TestNode::new(9);
    let other = {
        let mut other = stranger.keyset.clone();
        other.network = world.ledger.network();
        other.not_before = Runtime::system().now();
        other.not_after = Runtime::system().now().saturating_add(DurationMs(600_000));
        let verdict = atoma_tee::Verdict {
            keyset: other.digest(),
            valid_until: other.not_after,
            ..stranger.verdict()
        };
        VerifiedKeyset::new(&other, &verdict).unwrap()
    };
    let dear = RequestTerms {
        max_units: ComputeUnits(UNITS.0 - 1),
        ..terms(&world)
    };
    let wrong = [
        (flipped, "frame_forged"),
        (head, "sealed_header"),
        (cut, "sealed_truncated"),
        (longer, "sealed_after_end"),
        (plain.clone().into_bytes(), "not_sealed"),
        (seal(&terms(&world), &[other]).0, "sealed_recipient"),
        (
            seal(&dear, std::slice::from_ref(&keyset)).0,
            "sealed_header",
        ),
    ];
    for (bytes, code) in wrong {
        let answer = send(&world, &url, good(), &bytes).await;
        assert_eq!(answer.code(), code);
    }

    // the same bytes under another header
    let answer = send(&world, &url, good(), &sealed).await;
    assert_eq!(answer.headers["content-type"], MEDIA_TYPE, "{answer:?}");
    opener.push(&answer.body);
    let mut parts = Vec::new();
    while let Some(part) = opener.part().unwrap() {
        parts.push(part);
    }
    opener.finish().unwrap();
    let whole = matches!(&parts[..], [AnswerPart::Text(_), AnswerPart::Receipt(_)]);
    assert!(whole, "{parts:?}");
    let again = send(&world, &url, good(), &sealed).await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (409, "sealed_replayed")
    );

    // after a restart its keys are others
    node.drain_and_stop().await;
    let node = world.node_with(config).await;
    let again = send(&world, &node.url(), good(), &sealed).await;
    assert_eq!(again.code(), "sealing_key_unknown");
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_seals_to_no_node_that_its_policy_refuses() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let node = world.node_with(config).await;
    let mut strict = policy(&world);
    strict.software = None;
    let mut measured = policy(&world);
    measured.releases[0].software.clear();
    let mut elsewhere = policy(&world);
    elsewhere.networks.clear();
    for (policy, code) in [
        (strict, "policy_platform"),
        (measured, "policy_measurement"),
        (elsewhere, "policy_network"),
    ] {
        let (_, stack) = user(&world, policy).await;
        let id = stack.engage().await.unwrap().node;
        let refused = stack.chat(id, world.chat("")).await.unwrap_err();
        let ClientError::Attestation { reason, .. } = refused else {
            panic!("{refused:?}");
        };
        assert!(reason.to_string().contains(code), "{reason}");
    }
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_for_everybody_or_for_who_asks_and_is_on_the_ledger() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let node = world.node_with(config).await;
    let (bundle, _) = attested(&world, &node, "").await;
    let registered = world.ledger.node(node.node_id()).await.unwrap().attestation;
    let registered = registered.expect("an attestation on the ledger");
    assert_eq!((registered.kind, registered.release.0), (3, RELEASE.0));
    assert_eq!(registered.evidence.0, bundle.digest().0);
    assert_eq!(registered.expires_at_ms, bundle.keyset.not_after);
    let task = world.ledger.task(world.task.id).await.unwrap();
    let offer = task.subscription(node.node_id()).unwrap();
    assert_eq!(offer.attested_until_ms, bundle.keyset.not_after);
    let nonce = "ab".repeat(32);
    let (fresh, _) = attested(&world, &node, &format!("?nonce={nonce}")).await;
    assert_eq!(fresh.keyset.digest(), bundle.keyset.digest());
    assert_ne!(fresh.statement(), bundle.statement());
    let (status, _) = world
        .get(format!("{}/v1/attestation?nonce=12", node.url()))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_no_guest_opens_nothing_and_joins_no_confidential_task() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let world = World::start(Backend::Upstream(server.unwrap())).await;
    let node = world.node().await;
    let stack = world.buy(1_000).await;
    let sealed = b"atoma/sealreq/v1 and more";
    let header = header(&world, node.node_id(), stack, sealed);
    let answer = send(&world, &node.url(), header, sealed).await;
    assert_eq!(answer.code(), "sealed_unsupported");
    let (status, _) = world.get(format!("{}/v1/attestation", node.url())).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    node.drain_and_stop().await;

    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let open = NodeConfig {
        confidential: None,
        ..config
    };
    let model = world.task.model_name.clone();
    let served = atoma_node::ServedModel {
        model,
        engine: world.engine.clone(),
    };
    let refused = atoma_node::Node::start(open, vec![served])
        .await
        .unwrap_err();
    assert!(matches!(refused, NodeError::Register(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_shows_anothers_evidence_is_not_believed() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let (world, config) = confidential(Backend::Upstream(server.unwrap())).await;
    let genuine = world.node_with(config).await;
    // whoever asks it is led to another node's guest
    let wallet = Arc::new(SigningKey::generate(&SystemRandom));
    let address = wallet.public_key().address();
    world.ledger.faucet(address).await.unwrap();
    let folder = world.dir.path().join("relay");
    let relay = world.node_with(NodeConfig {
        public_url: Some(genuine.url()),
        ..as_guest(world.config_of(&wallet, folder))
    });
    let relay = relay.await;
    let (client, _) = user(&world, policy(&world)).await;
    assert!(
        client
            .attested(genuine.node_id(), world.task.id)
            .await
            .is_ok()
    );
    let refused = client.attested(relay.node_id(), world.task.id).await;
    let Err(ClientError::Attestation { reason, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.to_string().contains("policy_node"), "{reason}");
    relay.drain_and_stop().await;
    genuine.drain_and_stop().await;
}
