//! Who is given a model's key, and who isn't, each with its code and a line in the record.

use crate::guest::{Guest, OTHER_RELEASE, RELEASE, broker, config};
use atoma_broker::{AskError, Broker, BrokerError, KeyBroker, KeyFault, KeyFile};
use atoma_channel::{Fault, model::ModelKey, testing::TestNode};
use atoma_http::client::{AnswerLimits, Pool, PoolOptions};
use atoma_runtime::Sockets;
use atoma_tee::{
    octets::{Digest, Octets},
    statement::FreshnessKind,
};
use atoma_types::{Address, NodeId, TimestampMs, hash::Hash32, refusal::ErrorBody};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::{path::Path, time::Duration};
use zeroize::Zeroizing;

const MODEL: Hash32 = Hash32([7; 32]);
const SECRET: [u8; 32] = [0x42; 32];

fn key() -> KeyFile {
    KeyFile {
        model: MODEL,
        key: ModelKey::from_secret(&Zeroizing::new(SECRET)),
    }
}

fn ask(broker: &Broker) -> KeyBroker {
    KeyBroker::new(&broker.url(), Sockets::Tcp).unwrap()
}

fn code(refused: Result<Bytes, AskError>) -> String {
    match refused {
        Err(AskError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn record(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_key_goes_to_a_guest_that_the_policy_accepts_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let broker = broker(vec![key()], &path).await;
    let guest = Guest::new(1);
    let asked = ask(&broker);
    let nonce = asked.nonce(MODEL).await.unwrap();
    let bundle = guest.answering(nonce);
    let released = asked.key(MODEL, bundle.clone()).await.unwrap();
    let opened = guest.open(&released, MODEL, nonce).unwrap();
    assert_eq!(**opened.secret(), SECRET);
    assert!(!released.windows(32).any(|part| part == SECRET));
    // once for a nonce
    assert_eq!(code(asked.key(MODEL, bundle).await), "key_nonce_used");

    let lines = record(&path);
    let text = |line: usize, name: &str| lines[line][name].as_str().unwrap().to_owned();
    assert_eq!(
        (text(0, "outcome"), text(0, "tier")),
        ("released".into(), "software".into())
    );
    assert_eq!(text(0, "keyset"), guest.node.keyset.digest().to_string());
    assert_eq!(text(0, "release"), RELEASE.to_string());
    assert_eq!(text(0, "nonce"), nonce.to_string());
    assert_eq!(text(0, "model"), MODEL.to_string());
    assert_eq!(
        (text(1, "outcome"), text(1, "code")),
        ("refused".into(), "key_nonce_used".into())
    );
    let all = std::fs::read_to_string(&path).unwrap();
    assert!(!all.contains(&hex::encode(SECRET)));
    broker.stop().await;
}

#[tokio::test]
async fn each_way_to_be_given_no_key_has_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let (here, there) = (
        broker(vec![key()], &path).await,
        broker(vec![key()], &folder.path().join("another")).await,
    );
    let (asked, elsewhere) = (ask(&here), ask(&there));
    let guest = Guest::new(1);
    let fresh = async || asked.nonce(MODEL).await.unwrap();
    let refused = async |bundle: Vec<u8>| code(asked.key(MODEL, bundle).await);

    let unknown = Hash32([8; 32]);
    assert!(matches!(
        asked.nonce(unknown).await,
        Err(AskError::Refused { code, .. }) if code == "key_model"
    ));
    let nonce = fresh().await;
    assert_eq!(
        code(asked.key(unknown, guest.answering(nonce)).await),
        "key_model"
    );
    assert_eq!(refused(b"no bundle".to_vec()).await, "key_bundle");
    let long = vec![0; atoma_tee::limits::MAX_BUNDLE_BYTES + 1];
    assert_eq!(refused(long).await, "body_too_large");

    // evidence for others, for everybody, or for nobody
    let foreign = elsewhere.nonce(MODEL).await.unwrap();
    assert_eq!(refused(guest.answering(foreign)).await, "key_nonce");
    assert_eq!(refused(guest.answering(Octets([1; 32]))).await, "key_nonce");
    let checkpoint = FreshnessKind::Checkpoint {
        sequence: 1,
        digest: Octets([1; 32]),
        timestamp: TimestampMs(guest.node.keyset.not_before.0),
    };
    assert_eq!(
        refused(guest.bundle(checkpoint).to_bytes()).await,
        "key_nonce"
    );

    // a node's own keys, whatever they are worth
    let mut nodes = guest.clone();
    nodes.node.keyset.node = NodeId(Address::new([5; 32]));
    assert_eq!(refused(nodes.answering(fresh().await)).await, "key_node");

    // not what the policy has
    let mut changed = guest.clone();
    changed.measurement.0[0] ^= 1;
    assert_eq!(
        refused(changed.answering(fresh().await)).await,
        "key_policy"
    );
    let mut unreleased = guest.clone();
    unreleased.node.keyset.release = Octets([0x10; 32]);
    assert_eq!(
        refused(unreleased.answering(fresh().await)).await,
        "key_policy"
    );
    let mut expired = guest.clone();
    expired.node.keyset.not_after = expired.node.keyset.not_before;
    assert_eq!(
        refused(expired.answering(fresh().await)).await,
        "key_policy"
    );
    // in the policy, and not to have this model
    let mut other = guest.clone();
    other.node.keyset.release = OTHER_RELEASE;
    assert_eq!(refused(other.answering(fresh().await)).await, "key_release");
    // a key that nothing can be wrapped for
    let mut useless = guest.clone();
    let mut keys = useless.node.keyset.sealing_keys.to_vec();
    keys[0].key = vec![0xff; 1_216].try_into().unwrap();
    useless.node.keyset.sealing_keys = keys.try_into().unwrap();
    assert_eq!(
        refused(useless.answering(fresh().await)).await,
        "key_keyset"
    );

    let lines = record(&path);
    assert!(lines.iter().all(|line| line["outcome"] == "refused"));
    let reasons: Vec<_> = lines
        .iter()
        .filter(|line| line["code"] == "key_policy")
        .collect();
    assert_eq!(reasons[0]["reasons"][0], "policy_measurement");
    assert_eq!(reasons.len(), 3);
    here.stop().await;
    there.stop().await;
}

/// A host puts its own key beside genuine evidence, or takes what was released to a guest of its own.
#[tokio::test]
async fn whoever_is_between_guest_and_broker_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(vec![key()], &folder.path().join("record")).await;
    let asked = ask(&broker);
    let (guest, host) = (Guest::new(1), TestNode::new(9));
    let nonce = asked.nonce(MODEL).await.unwrap();
    let mut swapped = guest.bundle(FreshnessKind::Nonce(nonce));
    swapped.keyset.sealing_keys = host.keyset.sealing_keys.clone();
    let refused = asked.key(MODEL, swapped.to_bytes()).await;
    let Err(AskError::Refused { code, words, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, "key_policy");
    assert!(words.contains("bundle_report_data"), "{words}");

    // and the nonce is used up, whatever came of it
    let again = asked.key(MODEL, guest.answering(nonce)).await;
    assert_eq!(self::code(again), "key_nonce_used");
    let nonce = asked.nonce(MODEL).await.unwrap();
    let released = asked.key(MODEL, guest.answering(nonce)).await.unwrap();
    let mut relay = guest.clone();
    relay.node = host;
    let opened = relay.open(&released, MODEL, nonce);
    assert_eq!(opened.unwrap_err(), Fault::WrappedKey);
    // nor does it pass for another model's key, or for that of another question
    let other = guest.open(&released, Hash32([8; 32]), nonce);
    assert_eq!(other.unwrap_err(), Fault::WrappedKey);
    let other = guest.open(&released, MODEL, Octets([1; 32]));
    assert_eq!(other.unwrap_err(), Fault::WrappedKey);
    broker.stop().await;
}

/// Nothing is given that nobody could account for.
#[tokio::test]
async fn a_broker_that_cannot_write_down_gives_nothing() {
    let broker = broker(vec![key()], Path::new("/dev/full")).await;
    let asked = ask(&broker);
    let nonce = asked.nonce(MODEL).await.unwrap();
    let refused = asked.key(MODEL, Guest::new(1).answering(nonce)).await;
    assert_eq!(code(refused), "key_record");
    broker.stop().await;
}

#[tokio::test]
async fn a_broker_that_could_give_nothing_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let start = async |keys: Vec<KeyFile>, releases: Vec<Digest>| {
        let mut config = config(keys, &path);
        config.releases = releases;
        Broker::start(config).await.map(|_| ())
    };
    let none = start(Vec::new(), vec![RELEASE]).await;
    assert!(matches!(none, Err(BrokerError::Nothing)));
    let none = start(vec![key()], Vec::new()).await;
    assert!(matches!(none, Err(BrokerError::Nothing)));
    let unknown = start(vec![key()], vec![Octets([9; 32])]).await;
    assert!(matches!(unknown, Err(BrokerError::Release(_))));
    let twice = start(vec![key(), key()], vec![RELEASE]).await;
    assert!(matches!(twice, Err(BrokerError::Twice(MODEL))));
}

/// Who asks at the wrong place is told so; what answers there is bounded.
#[tokio::test]
async fn what_is_no_broker_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker(vec![key()], &folder.path().join("record")).await;
    let url = format!("{}/v1/models", broker.url());
    let pool = Pool::new(PoolOptions::ONE_REQUEST).unwrap();
    let limits = AnswerLimits::within(Duration::from_secs(30), 1_024);
    let request = Request::get(url).body(Full::default()).unwrap();
    let answer = pool.ask(request, limits).await.unwrap();
    let body: ErrorBody = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body.error.code.as_deref(), Some("not_found"));
    let url = broker.url();
    broker.stop().await;
    let gone = KeyBroker::new(&url, Sockets::Tcp)
        .unwrap()
        .nonce(MODEL)
        .await;
    assert!(matches!(gone, Err(AskError::Unreachable { .. })));
}

#[test]
fn each_reason_to_keep_a_key_has_a_status_that_says_so() {
    let codes: std::collections::BTreeSet<_> = KeyFault::ALL.iter().map(|f| f.code()).collect();
    assert_eq!(codes.len(), KeyFault::ALL.len());
    assert!(KeyFault::ALL.iter().all(|fault| fault.status() >= 400));
}
