//! Files of packs that lie in the folder already.

use super::*;
use crate::{
    account::{
        Phase, Position,
        tests::{receipt, request},
    },
    bodies::Words,
    config::EvidenceConfig,
    journal::{Journal, Kept, LeaseRecord},
    lease::Lease,
    leases::Leases,
};
use atoma_http::server::HeldRoom;
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SystemRandom, Threads};
use atoma_types::{
    Address, ComputeUnits, DurationMs, Price, RequestId, StackId, TaskId, TimestampMs,
};
use tokio::time::Instant;

const NOW: TimestampMs = TimestampMs(1_000);

fn key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

/// A journal in a folder of its own, with a receipt for each of these requests.
async fn journal_of(folder: &Path, requests: &[u8]) -> Journal {
    let leases = Arc::new(Leases::new());
    let heard = leases.clone();
    let on_signed = move |signed| heard.signed(signed);
    fs::create_dir(folder).unwrap();
    let opened = Journal::open(
        folder,
        Arc::new(key()),
        on_signed,
        &SystemRandom,
        Threads::Real,
    );
    let journal = opened.unwrap().journal;
    let record = LeaseRecord {
        stack: StackId(Address::new([2; 32])),
        task: TaskId(Address::new([4; 32])),
        owner: Address::new([5; 32]),
        request_key: SigningKey::from_seed(&[8; 32]).public_key(),
        units: ComputeUnits(1_000),
        price: Price(3),
        expires_at: TimestampMs(9_000),
        settle_grace: DurationMs(60),
        closing: false,
        phase: Phase::Open,
        base: Position::default(),
    };
    let lease = leases.insert(Lease::new(&record, NOW).unwrap());
    let saved = lease.save(&journal, Vec::new(), |_| {}).durable().await;
    saved.unwrap();
    for &id in requests {
        let (request, seven) = (request(id, 0, 1_000), ComputeUnits(7));
        let mut words = Words::new(key().salt_of(RequestId([id; 16])), HeldRoom::unlimited());
        words.keep("what is the sun?".into(), false);
        let held = lease.reserve(&request, seven, seven, NOW).unwrap();
        let kept = Kept {
            bodies: words.take_kept(),
            second: None,
        };
        let ack = lease.commit(held, &request, seven, NOW, &journal, kept, |link| {
            receipt(&request, link, 7)
        });
        ack.unwrap().durable().await.unwrap();
    }
    journal
}

/// The requests of the pack that a journal's records become, in the folder of all packs, and its blob.
async fn packed(data: &Path, journal: &Journal) -> (Vec<u8>, bytes::Bytes) {
    let config = EvidenceConfig::new("http://127.0.0.1:1", "http://127.0.0.1:1", 10);
    let (at_rest, runtime) = (AtRestKey::of(&key()), Runtime::default());
    let log = EvidenceLog::open(config, data, journal.readers(), 1 << 20, at_rest, runtime);
    let us = Identity {
        network: NetworkId([1; 32]),
        node: NodeId(Address::new([3; 32])),
        started_at: NOW,
        started: Instant::now(),
        hold: DurationMs(0),
    };
    let builder = Builder::new(&log.unwrap(), us, key().public_key());
    let built = Threads::Real.blocking(move || builder.build(0).unwrap().unwrap());
    let built = built.await.unwrap();
    let entries = built.pack.catalog().entries();
    assert_eq!((built.first, built.last), (1, entries.len() as i64));
    let requests = entries.iter().map(|entry| entry.request_id.0[0]).collect();
    (requests, built.pack.to_blob().unwrap())
}

#[tokio::test]
async fn a_packs_file_is_used_again_only_for_the_very_records_that_are_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let first = journal_of(&at("first"), &[1, 2]).await;
    let (requests, blob) = packed(dir.path(), &first).await;
    assert_eq!(requests, [1, 2]);
    // a crash came before it was recorded: it may be stored already
    assert_eq!(packed(dir.path(), &first).await.1, blob);
    // the journal was lost, and another one has begun with the same numbers
    let second = journal_of(&at("second"), &[3, 4, 5]).await;
    assert_eq!(packed(dir.path(), &second).await.0, [3, 4, 5]);
    // it was put back from before the last of them
    let third = journal_of(&at("third"), &[3, 4]).await;
    assert_eq!(packed(dir.path(), &third).await.0, [3, 4]);
}
