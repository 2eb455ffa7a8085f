//! What was acknowledged is there again after a restart, and what doesn't add up is noticed.

use super::*;
use crate::{
    account::{
        Account, Phase, Position,
        tests::{receipt, request},
    },
    lease::Lease,
    leases::Leases,
};
use atoma_keys::SigningKey;
use atoma_runtime::SystemRandom;
use atoma_store::{OpenError, WriteError};
use atoma_types::{Address, ComputeUnits, DurationMs, Price, TaskId, TimestampMs};
use rusqlite::Connection;

const NOW: TimestampMs = TimestampMs(1_000);

fn record() -> LeaseRecord {
    LeaseRecord {
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
    }
}

/// The last receipt that is signed.
fn last(account: &mut Account) -> Arc<Signed<Receipt>> {
    account.last_signed().unwrap()
}

/// Serves `count` requests of 7 units on alternating lanes; all acknowledged when it returns.
async fn serve(journal: &Journal, lease: &Arc<Lease>, first: u8, count: u8) {
    let seven = ComputeUnits(7);
    for id in first..first + count {
        // a ceiling beyond what SQLite's signed integers hold
        let request = request(id, u16::from(id % 2), u64::MAX - u64::from(id));
        let held = lease
            .reserve(&request, seven, ComputeUnits(9), NOW)
            .unwrap();
        let ack = lease
            .commit(
                held,
                &request,
                seven,
                NOW,
                journal,
                Kept::default(),
                |link| receipt(&request, link, 7),
            )
            .unwrap();
        ack.durable().await.unwrap();
    }
}

/// Opens the journal; what it signs goes to `leases`.
fn reopen(
    folder: &Path,
    leases: &Arc<Leases>,
) -> Result<(Journal, WriterThread, Restored), JournalError> {
    let leases = leases.clone();
    let signer = Arc::new(SigningKey::from_seed(&[9; 32]));
    let on_signed = move |signed| leases.signed(signed);
    let opened = Journal::open(folder, signer, on_signed, &SystemRandom, Threads::Real)?;
    Ok((opened.journal, opened.thread, opened.restored))
}

#[tokio::test]
async fn acknowledged_means_still_there() {
    let dir = tempfile::tempdir().unwrap();
    let leases = Arc::new(Leases::new());
    let (journal, thread, restored) = reopen(dir.path(), &leases).unwrap();
    assert!(restored.leases.is_empty());
    let lease = leases.insert(Lease::new(&record(), NOW).unwrap());
    let meta = vec![Change::Meta("cursor", "12".to_owned())];
    lease.save(&journal, meta, |_| {}).durable().await.unwrap();
    assert!(journal.knows(lease.stack).unwrap());
    assert!(!journal.knows(StackId(Address::new([99; 32]))).unwrap());
    serve(&journal, &lease, 0, 5).await;
    let before = lease.with_account(|account| (last(account), account.summary()));
    journal.close();
    thread.join();
    let closed = journal.change(Vec::new()).durable().await;
    assert!(matches!(closed, Err(WriteError::Closed { .. })) && !journal.is_healthy());

    let leases = Arc::new(Leases::new());
    let (journal, thread, mut restored) = reopen(dir.path(), &leases).unwrap();
    assert_eq!(restored.meta["cursor"], "12");
    let RestoredLease {
        record: again,
        account,
        served,
    } = restored.leases.remove(0);
    assert_eq!((again, served.len()), (record(), 5));
    let lease = leases.insert(Lease::with(&again, account).unwrap());
    let after = lease.with_account(|account| (last(account), account.summary()));
    assert_eq!(before.0, after.0);
    assert_eq!(
        (before.1.committed, before.1.seq, before.1.lanes),
        (after.1.committed, after.1.seq, after.1.lanes)
    );
    // and the chain goes on
    serve(&journal, &lease, 5, 1).await;
    lease
        .save(&journal, Vec::new(), |account| {
            account.advance(Phase::Closed);
        })
        .durable()
        .await
        .unwrap();
    drop(journal);
    thread.join();
    let (_journal, _thread, restored) = reopen(dir.path(), &leases).unwrap();
    assert!(
        restored.leases.is_empty(),
        "closed leases stay on disk only"
    );
}

#[tokio::test]
async fn a_missing_receipt_is_noticed() {
    for missing in [1u64, 3, 5] {
        let dir = tempfile::tempdir().unwrap();
        let leases = Arc::new(Leases::new());
        let (journal, thread, _) = reopen(dir.path(), &leases).unwrap();
        let lease = leases.insert(Lease::new(&record(), NOW).unwrap());
        lease
            .save(&journal, Vec::new(), |_| {})
            .durable()
            .await
            .unwrap();
        serve(&journal, &lease, 0, 5).await;
        journal.close();
        thread.join();
        let db = Connection::open(dir.path().join(KIND.file)).unwrap();
        db.execute(
            "DELETE FROM receipts WHERE seq = ?1",
            [missing.cast_signed()],
        )
        .unwrap();
        drop(db);
        let broken = reopen(dir.path(), &leases).unwrap_err();
        assert!(
            matches!(broken, JournalError::Broken { seq, .. } if seq == missing),
            "{broken}"
        );
    }
}

#[tokio::test]
async fn another_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Connection::open(dir.path().join(KIND.file))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        reopen(dir.path(), &Arc::new(Leases::new())),
        Err(JournalError::Open(OpenError::Foreign { .. }))
    ));
}

#[tokio::test]
async fn a_journal_from_before_the_histories_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let leases = Arc::new(Leases::new());
    let (journal, thread, _) = reopen(dir.path(), &leases).unwrap();
    journal.close();
    thread.join();
    let path = dir.path().join(KIND.file);
    for found in 1..8 {
        let db = Connection::open(&path).unwrap();
        db.pragma_update(None, "user_version", found).unwrap();
        drop(db);
        let refused = reopen(dir.path(), &leases).unwrap_err();
        let JournalError::Open(error @ OpenError::TooOld { .. }) = &refused else {
            panic!("{refused}");
        };
        let text = error.to_string();
        assert!(text.contains("with the version that wrote it"), "{text}");
        let db = Connection::open(&path).unwrap();
        let left: i32 = db
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, found);
    }
}
