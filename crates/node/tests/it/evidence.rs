//! What was asked and answered is stored, can be proved, and is never lost, whatever Walrus does.

use crate::common::{
    Answer, Backend, World, eventually, post, salt, signed_request, walrus::Walrus,
};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::pack::{
    Body, Header, Pack, ReceiptProof, Record, SaltedBody, SealContext, Sealer, pack_records,
    verify_record,
};
use atoma_evidence::receipt::proof_path;
use atoma_keys::SigningKey;
use atoma_node::EvidenceConfig;
use atoma_runtime::SystemRandom;
use atoma_types::{
    BlobId, NodeId, StackId,
    http::EVIDENCE,
    message::{CommitmentKind, Domain, EvidenceLeaf, OpenEvidence, Origin, RequestHeader, Signed},
};
use atoma_walrus::client::StoreRequest;
use atoma_walrus_localnet::{LocalWalrus, LocalWalrusConfig};
use http::StatusCode;
use std::collections::BTreeSet;

async fn instant() -> Backend {
    Backend::Upstream(
        InstantUpstream::start(InstantOptions::default())
            .await
            .unwrap(),
    )
}

/// The proof of a request, once its record is stored.
async fn stored_proof(world: &World, url: &str, header: &RequestHeader) -> ReceiptProof {
    eventually("the record is stored", async || {
        ask_proof(world, url, header).await.storage.is_some()
    })
    .await;
    ask_proof(world, url, header).await
}

async fn ask_proof(world: &World, url: &str, header: &RequestHeader) -> ReceiptProof {
    let url = format!("{url}{}", proof_path(header.stack, header.request_id));
    let (status, json) = world.get(url).await;
    assert_eq!(status, StatusCode::OK, "{json}");
    serde_json::from_value(json).unwrap()
}

/// The record that a proof is about, fetched from Walrus and held against everything.
async fn fetch(walrus: &Walrus, proof: &ReceiptProof) -> Record {
    let storage = proof.storage.as_ref().unwrap();
    let client = walrus.client();
    let range = storage.offset..storage.offset + u64::from(storage.length);
    let bytes = client
        .read_range_unchecked(storage.blob_id, range.clone())
        .await
        .unwrap();
    let record = verify_record(&bytes, &storage.path, storage.root).unwrap();
    assert_eq!(
        record.evidence_leaf().unwrap(),
        Some(EvidenceLeaf::new(&proof.header, &proof.receipt))
    );
    // the blob is what its id says, and has that root
    let blob = client.read(storage.blob_id).await.unwrap();
    assert_eq!(&blob[range.start as usize..range.end as usize], &bytes[..]);
    let pack = Pack::from_bytes(blob).unwrap();
    assert_eq!(pack.catalog().root(), storage.root);
    pack.verify().unwrap();
    record
}

fn context(header: &RequestHeader) -> SealContext {
    SealContext {
        network: header.network,
        stack: header.stack,
        node: header.node,
    }
}

/// A request with a body of its own.
async fn send(
    world: &World,
    url: &str,
    node: NodeId,
    stack: StackId,
    n: usize,
) -> (RequestHeader, String, Answer) {
    let body = world.chat(&format!(r#","max_tokens":4,"user":"{n}""#));
    let header = world.header(node, stack, body.as_bytes());
    let answer = world.send(url, header.clone(), &body).await;
    (header, body, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_can_be_proved() {
    let world = World::start(instant().await).await;
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    let mut config = world.config();
    config.evidence = Some(walrus.config());
    let node = world.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(100_000).await;

    // sealed: the user reads both bodies, the world none
    let (header, body, answer) = send(&world, &url, id, stack, 0).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let proof = stored_proof(&world, &url, &header).await;
    assert_eq!(proof.receipt.bytes(), answer.receipt().0.bytes());
    assert_eq!(proof.settlement, None, "nothing is settled yet");
    let record = fetch(&walrus, &proof).await;
    assert_eq!(record.answer_body().plain().unwrap(), None);
    let open = |body: &Body, part| {
        let hash = proof.header.hash();
        let key = &world.request_key;
        let opened = body.unseal(key, &context(&header), hash, part).unwrap();
        let opened = SaltedBody::from_bytes(opened.unwrap()).unwrap();
        assert_eq!(opened.salt().reveal(), salt().reveal());
        opened.body()
    };
    assert_eq!(
        open(record.request_body(), CommitmentKind::Request),
        body.as_bytes()
    );
    assert_eq!(
        open(record.answer_body(), CommitmentKind::Answer),
        answer.body
    );

    // open, by the user's wish, and streamed
    let body = world.chat(r#","max_tokens":4,"stream":true"#);
    let header = world.header(id, stack, body.as_bytes());
    let signed = Signed::new(header.clone(), &world.request_key);
    let mut request = signed_request(&url, header.endpoint.as_str(), &signed, body.clone());
    let word = OpenEvidence {
        domain: Domain::default(),
        network: world.ledger.network(),
        request: signed.hash(),
    };
    let word = Signed::new(word, &world.request_key).to_text();
    let headers = request.headers_mut();
    headers.insert(EVIDENCE, format!("open {word}").parse().unwrap());
    let answer = post(&world.http, request).await;
    let (receipt, hash) = answer.receipt();
    assert_eq!(receipt.message().response_hash, hash);
    let proof = stored_proof(&world, &url, &header).await;
    let record = fetch(&walrus, &proof).await;
    let plain = |body: &Body| SaltedBody::from_bytes(body.plain().unwrap().unwrap()).unwrap();
    assert_eq!(plain(record.request_body()).body(), body.as_bytes());
    assert_eq!(
        plain(record.answer_body()).commitment(CommitmentKind::Answer),
        hash
    );

    // another wish is refused, and no receipt has no proof
    let header = world.header(id, stack, body.as_bytes());
    let signed = Signed::new(header.clone(), &world.request_key);
    let mut request = signed_request(&url, header.endpoint.as_str(), &signed, body);
    let headers = request.headers_mut();
    headers.insert(EVIDENCE, "perhaps".parse().unwrap());
    assert_eq!(post(&world.http, request).await.code(), "invalid_header");
    let (status, _) = world
        .get(format!("{url}{}", proof_path(stack, header.request_id)))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // once it is settled the proof leads to the settlement's last receipt
    world.begin_close(stack).await;
    world.paid(stack, id).await;
    let proof = ask_proof(&world, &url, proof.header.message()).await;
    let settlement = proof.settlement.unwrap();
    let leaf = EvidenceLeaf::new(&proof.header, &proof.receipt);
    let place = settlement
        .last
        .place_of(leaf.receipt_hash(), &settlement.path);
    assert_eq!(place, Some(proof.receipt.message().seq));
    assert_eq!((settlement.path.index, settlement.path.count), (1, 1));
    // a paid lease needs no file any more; its proofs come from Walrus then
    drop(node);
    world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_walrus_is_away() {
    const BOUND: u64 = 16_000;
    let world = World::start(instant().await).await;
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    walrus.down(4);
    let mut config = world.config();
    config.evidence = Some(EvidenceConfig {
        max_backlog_bytes: BOUND,
        ..walrus.config()
    });
    let node = world.node_with(config.clone()).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000_000).await;

    // serving goes on up to the bound, and stops there with a reason
    let mut served = Vec::new();
    loop {
        let (header, _, answer) = send(&world, &url, id, stack, served.len()).await;
        if answer.status != StatusCode::OK {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.code(), "evidence_full");
            break;
        }
        served.push(header);
        assert!(served.len() < 1_000, "the log has a bound");
    }
    assert!(served.len() > 2, "{}", served.len());
    let proof = ask_proof(&world, &url, &served[0]).await;
    assert_eq!(proof.storage, None);

    // a restart in the midst of it loses nothing
    node.drain_and_stop().await;
    let node = world.node_with(config).await;
    let url = node.url();
    let (_, _, answer) = send(&world, &url, id, stack, 0).await;
    assert_eq!(
        answer.code(),
        "evidence_full",
        "the bound holds after a restart"
    );

    // Walrus is back: all is stored, each record once
    walrus.down(0);
    let mut places = BTreeSet::new();
    for header in &served {
        let proof = stored_proof(&world, &url, header).await;
        let storage = proof.storage.clone().unwrap();
        assert!(places.insert((storage.blob_id, storage.offset)));
        fetch(&walrus, &proof).await;
    }
    eventually("the node serves again", async || {
        send(&world, &url, id, stack, 0).await.2.status == StatusCode::OK
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_request_is_read_before_it_is_served() {
    let world = World::start(instant().await).await;
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    let mut config = world.config();
    config.evidence = Some(EvidenceConfig {
        patience_ms: None,
        ..walrus.config()
    });
    let node = world.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(100_000).await;
    let response_key = world.ledger.node(id).await.unwrap().response_key;

    let body = world.chat(r#","max_tokens":4"#);
    let bare = world.header(id, stack, body.as_bytes());
    let store = async |header: &RequestHeader, body: &str, key: &SigningKey| {
        let signed = Signed::new(header.clone(), key);
        let parties = [world.request_key.public_key(), response_key];
        let sealer = Sealer::new(&context(header), &parties, &SystemRandom).unwrap();
        let sealed = sealer
            .seal(
                signed.hash(),
                CommitmentKind::Request,
                SaltedBody::new(&salt(), body.as_bytes()).as_bytes().clone(),
            )
            .unwrap();
        let head = Header {
            network: header.network,
            node: id,
            first_seq: 0,
            created: header.issued_at_ms,
        };
        let blob = pack_records(head, &[Record::request(&signed, sealed)]).unwrap();
        let client = walrus.client();
        let stored = client.store(blob, StoreRequest::permanent(1)).await;
        stored.unwrap().blob_id
    };
    let naming = |bare: &RequestHeader, blob| RequestHeader {
        origin: Origin::Stored(blob),
        ..bare.clone()
    };

    // the receipt comes once its own record is stored: nobody waits for company
    let blob = store(&bare, &body, &world.request_key).await;
    let answer = world.send(&url, naming(&bare, blob), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let proof = ask_proof(&world, &url, &bare).await;
    assert!(proof.storage.is_some(), "stored before the receipt left");
    fetch(&walrus, &proof).await;

    // anything but this very request, signed by this very key, is refused and costs nothing
    let other_body = world.chat(r#","max_tokens":3"#);
    // each with an id of its own, which is used up by it
    let others: [_; 5] = std::array::from_fn(|_| world.header(id, stack, other_body.as_bytes()));
    let stranger = SigningKey::generate(&SystemRandom);
    let higher = RequestHeader {
        max_units: atoma_types::ComputeUnits(7),
        ..others[1].clone()
    };
    let wrong = [
        store(&bare, &body, &world.request_key).await,
        store(&higher, &other_body, &world.request_key).await,
        store(&others[2], &other_body, &stranger).await,
        store(&others[3], &body, &world.request_key).await,
    ];
    let no_pack = walrus
        .client()
        .store("no pack".into(), StoreRequest::permanent(1))
        .await
        .unwrap();
    let wrong = wrong.into_iter().chain([no_pack.blob_id]);
    for (other, blob) in others.iter().zip(wrong) {
        let answer = world.send(&url, naming(other, blob), &other_body).await;
        assert_eq!(answer.code(), "evidence_invalid", "{answer:?}");
    }
    let lease = world.lease(&url, id, stack).await;
    assert_eq!(lease["seq"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_walrus_there_is_no_evidence() {
    let world = World::start(instant().await).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(10_000).await;
    let (header, body, answer) = send(&world, &url, id, stack, 0).await;
    assert_eq!(answer.status, StatusCode::OK);
    let (status, json) = world
        .get(format!("{url}{}", proof_path(stack, header.request_id)))
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json["error"]["code"], "evidence_unavailable");
    let naming = RequestHeader {
        origin: Origin::Stored(BlobId([1; 32])),
        ..world.header(id, stack, body.as_bytes())
    };
    let answer = world.send(&url, naming, &body).await;
    assert_eq!(answer.code(), "evidence_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_are_renewed_while_a_lease_needs_them_and_then_let_go() {
    let world = World::start(instant().await).await;
    let admin = SigningKey::from_seed(&world.network.localnet.admin_key().to_seed());
    let folder = world.dir.path().join("walrus");
    let walrus = LocalWalrusConfig::new(folder, world.ledger.clone(), admin);
    let walrus = LocalWalrus::start(walrus).await.unwrap();
    let mut config = world.config();
    // it looks at the epoch all the time
    config.upkeep.tick_ms = 50;
    config.evidence = Some(EvidenceConfig {
        patience_ms: Some(50),
        epochs: 2,
        renew_epochs: 1,
        ..EvidenceConfig::new(walrus.url(), walrus.url(), walrus.shards())
    });
    let node = world.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(10_000).await;
    let (header, _, _) = send(&world, &url, id, stack, 0).await;
    let first = stored_proof(&world, &url, &header).await.storage.unwrap();

    // its last epoch begins: it is paid for anew, and the ledger knows
    walrus.registry().advance_epoch().await.unwrap();
    let end = async || {
        let proof = ask_proof(&world, &url, &header).await;
        proof.storage.unwrap().end_epoch
    };
    eventually("the pack is renewed", async || {
        end().await > first.end_epoch
    })
    .await;
    let storage = ask_proof(&world, &url, &header).await.storage.unwrap();
    assert_eq!(storage.blob_id, first.blob_id);
    let object = storage.object.unwrap();
    let blob = world.ledger.blob(object).await.unwrap();
    assert_eq!(blob.storage.end_epoch, storage.end_epoch);
    assert!(!blob.deletable && blob.certified_epoch.is_some());

    // a paid lease needs no pack: its file goes, and what is asked for comes from Walrus
    let file = world
        .node_dir()
        .join("packs")
        .join(format!("{:019}.pack", 1));
    assert!(file.exists());
    world.begin_close(stack).await;
    world.paid(stack, id).await;
    walrus.registry().advance_epoch().await.unwrap();
    eventually("the file is gone", async || !file.exists()).await;
    node.drain_and_stop().await;
    let mut config = world.config();
    config.evidence = Some(EvidenceConfig::new(
        walrus.url(),
        walrus.url(),
        walrus.shards(),
    ));
    let node = world.node_with(config).await;
    let proof = ask_proof(&world, &node.url(), &header).await;
    assert_eq!(proof.storage.unwrap().path, first.path);
    walrus.stop().await;
}
