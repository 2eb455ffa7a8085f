//! The local store: what is lost with how many nodes, who is caught, what is kept.

use atoma_runtime::Runtime;
use atoma_store::OpenError;
use atoma_walrus::{
    BlobId,
    coding::{Params, blob_id},
    store::{
        Check, Fault, Problem, PutOptions, PutOutcome, Repaired, SqliteRegistry, Store, StoreError,
        StoreOptions,
    },
};
use bytes::Bytes;
use std::{fs, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

fn content(seed: u32, size: u32) -> Bytes {
    let byte = |i: u32| ((i + seed).wrapping_mul(0x9E37_79B1) >> 24) as u8;
    (0..size).map(byte).collect()
}

async fn open(folder: &TempDir) -> Store {
    Store::open(StoreOptions::new(folder.path())).await.unwrap()
}

async fn put(store: &Store, blob: &Bytes) -> BlobId {
    let put = store
        .put(blob.clone(), PutOptions::default())
        .await
        .unwrap();
    put.object().blob_id
}

fn set_faults(store: &Store, nodes: impl IntoIterator<Item = usize>, fault: Fault) {
    nodes
        .into_iter()
        .for_each(|node| store.set_fault(node, fault).unwrap());
}

/// Files below a folder of the nodes, without keys.
fn files(folder: &Path) -> usize {
    let nodes = fs::read_dir(folder.join("nodes")).unwrap();
    nodes
        .map(|node| {
            fs::read_dir(node.unwrap().path().join("blobs"))
                .unwrap()
                .count()
        })
        .sum()
}

#[tokio::test]
async fn any_six_of_ten_may_be_lost_and_seven_are_an_error() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blob = content(1, 100_000);
    let id = put(&store, &blob).await;
    assert_eq!(id, blob_id(Params::new(10).unwrap(), &blob).unwrap());
    assert_eq!(files(folder.path()), 10);

    // every choice of six, as bits
    for lost in 0_u32..1 << 10 {
        if lost.count_ones() != 6 || lost % 7 != 0 {
            continue;
        }
        let down = |node: &usize| lost >> node & 1 == 1;
        set_faults(&store, (0..10).filter(down), Fault::Down);
        assert!(
            store.read(id, Check::Slivers).await.unwrap() == blob,
            "without {lost:b}"
        );
        set_faults(&store, 0..10, Fault::None);
    }
    set_faults(&store, 0..7, Fault::Down);
    let error = store.read(id, Check::Slivers).await.unwrap_err();
    let StoreError::Unavailable {
        good,
        needed,
        reports,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((*good, *needed, reports.len()), (3, 4, 7));
    set_faults(&store, [0], Fault::None);
    assert!(store.read(id, Check::Strict).await.unwrap() == blob);
}

#[tokio::test]
async fn with_three_down_writes_are_certified_and_with_four_nothing_is_kept() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blob = content(2, 3_000);
    set_faults(&store, 0..4, Fault::Down);
    let error = store
        .put(blob.clone(), PutOptions::default())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::NoQuorum {
                confirmed: 6,
                needed: 7,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(files(folder.path()), 0, "nothing half stored");
    assert!(store.registry().live().await.unwrap().is_empty());

    set_faults(&store, [3], Fault::None);
    let put = store
        .put(blob.clone(), PutOptions::default())
        .await
        .unwrap();
    let object = put.object();
    assert_eq!(object.certified_epoch, Some(1));
    let certificate = store
        .registry()
        .certificate(object.id)
        .await
        .unwrap()
        .unwrap();
    store.committee().verify(&certificate).unwrap();
    assert_eq!(
        certificate.signer_places().collect::<Vec<_>>(),
        [3, 4, 5, 6, 7, 8, 9]
    );

    // the three that were down are lost for good, and three more: the rest is enough
    set_faults(&store, 0..6, Fault::Down);
    assert!(store.read(object.blob_id, Check::Slivers).await.unwrap() == blob);
}

#[tokio::test]
async fn corrupt_lying_and_slow_nodes_are_worked_round_and_reported() {
    let folder = TempDir::new().unwrap();
    let mut options = StoreOptions::new(folder.path());
    options.hedge_after = Duration::from_millis(50);
    let store = Store::open(options).await.unwrap();
    set_faults(&store, [9], Fault::Lying);
    let blob = content(3, 50_000);
    let id = put(&store, &blob).await;
    assert_eq!(
        files(folder.path()),
        9,
        "a liar confirms and stores nothing"
    );
    let cases = [
        (Fault::Corrupt, Problem::WrongSliver),
        (Fault::Lying, Problem::WrongSliver),
        (Fault::Slow(Duration::from_secs(3600)), Problem::Slow),
    ];
    for (fault, problem) in cases {
        set_faults(&store, 0..5, fault);
        assert!(
            store.read(id, Check::Strict).await.unwrap() == blob,
            "{fault:?}"
        );
        let named = |node| {
            store
                .reports()
                .iter()
                .any(|r| r.node == node && r.problem == problem)
        };
        assert!((0..5).any(named), "{fault:?}: {:?}", store.reports());
        set_faults(&store, 0..5, Fault::None);
    }
    set_faults(&store, 0..3, Fault::Slow(Duration::from_secs(3600)));
    put(&store, &content(4, 100)).await;
    assert!(store.nodes()[..3].iter().all(|node| node.failures > 0));
}

#[tokio::test]
async fn lost_and_damaged_slivers_are_repaired() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blobs: Vec<Bytes> = (0..3).map(|i| content(i, 20_000 * i)).collect();
    let mut ids = Vec::new();
    for blob in &blobs {
        ids.push(put(&store, blob).await);
    }
    let blobs_of = |node: usize| folder.path().join(format!("nodes/{node:02}/blobs"));
    for node in [2, 5] {
        for id in &ids {
            fs::remove_file(blobs_of(node).join(id.to_string())).unwrap();
        }
    }
    let damaged = blobs_of(7).join(ids[2].to_string());
    let mut bytes = fs::read(&damaged).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&damaged, &bytes[..]).unwrap();
    let expected = Repaired {
        blobs: 3,
        repaired: 7,
        failed: 0,
    };
    assert_eq!(store.repair().await.unwrap(), expected);
    let again = store.repair().await.unwrap();
    assert_eq!(
        again,
        Repaired {
            repaired: 0,
            ..expected
        }
    );
    // what was repaired is as good as what was there before
    set_faults(&store, [0, 1, 3, 4, 6, 8], Fault::Down);
    for (id, blob) in ids.iter().zip(&blobs) {
        assert!(store.read(*id, Check::Strict).await.unwrap() == *blob);
    }
    // with six down, single symbols don't suffice: the blob is decoded and encoded again
    fs::remove_file(blobs_of(9).join(ids[2].to_string())).unwrap();
    set_faults(&store, [0], Fault::None);
    assert_eq!(
        store.repair().await.unwrap(),
        Repaired {
            repaired: 1,
            ..expected
        }
    );
}

#[tokio::test]
async fn blobs_expire_and_are_collected() {
    let folder = TempDir::new().unwrap();
    let registry = {
        fs::create_dir_all(folder.path()).unwrap();
        SqliteRegistry::open(folder.path(), None, Runtime::system()).unwrap()
    };
    let options = StoreOptions::new(folder.path());
    let store = Store::open_with(options, Arc::new(registry.clone()))
        .await
        .unwrap();
    let (short, long) = (content(1, 10), content(2, 10));
    let short_id = put(&store, &short).await;
    let kept = PutOptions {
        epochs: 2,
        ..PutOptions::default()
    };
    let long_put = store.put(long.clone(), kept.clone()).await.unwrap();
    let long_id = long_put.object().blob_id;
    let again = store.put(long.clone(), kept).await.unwrap();
    assert!(matches!(again, PutOutcome::AlreadyCertified { .. }));

    assert_eq!(registry.advance_epoch().await.unwrap(), 2);
    let gone = store.read(short_id, Check::Slivers).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound(_)));
    assert_eq!(store.collect_garbage().await.unwrap().blobs, 1);
    assert_eq!(files(folder.path()), 10);
    let (extended, _) = store.extend(long_put.object().id, 5).await.unwrap();
    assert_eq!(extended.storage.end_epoch, 8);
    assert!(store.extend(long_put.object().id, 53).await.is_err());
    for _ in 0..5 {
        registry.advance_epoch().await.unwrap();
    }
    assert!(store.read(long_id, Check::Slivers).await.unwrap() == long);
}

#[tokio::test]
async fn deletable_blobs_can_be_deleted_and_permanent_ones_cannot() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blob = content(5, 500);
    let deletable = PutOptions {
        deletable: true,
        ..PutOptions::default()
    };
    let first = store.put(blob.clone(), deletable.clone()).await.unwrap();
    let permanent = store
        .put(blob.clone(), PutOptions::default())
        .await
        .unwrap();
    assert!(matches!(permanent, PutOutcome::NewlyCreated { .. }));
    store.delete(first.object().id).await.unwrap();
    let id = permanent.object().blob_id;
    assert!(
        store.read(id, Check::Slivers).await.unwrap() == blob,
        "another object keeps it"
    );
    assert!(store.delete(permanent.object().id).await.is_err());

    let other = store.put(content(6, 500), deletable).await.unwrap();
    store.delete(other.object().id).await.unwrap();
    assert_eq!(files(folder.path()), 10);
}

#[tokio::test]
async fn ranges_touch_few_slivers_and_fall_back_to_the_blob() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blob = content(7, 10_000);
    let id = put(&store, &blob).await;
    for (start, end) in [
        (0, 1),
        (0, 10_000),
        (2_499, 2_503),
        (9_999, 10_000),
        (5_000, 7_000),
    ] {
        let expected = &blob[start as usize..end as usize];
        assert_eq!(store.read_range(id, start..end).await.unwrap(), expected);
    }
    set_faults(&store, 0..6, Fault::Down);
    assert_eq!(store.read_range(id, 10..20).await.unwrap(), &blob[10..20]);
    #[expect(clippy::reversed_empty_ranges, reason = "must be refused")]
    for range in [0..10_001, 5..5, 6..5, 10_000..10_001] {
        let refused = store.read_range(id, range).await;
        assert!(matches!(refused, Err(StoreError::Range { size: 10_000 })));
    }
}

#[tokio::test]
async fn more_shards_hold_larger_blobs_on_as_few_nodes() {
    let folder = TempDir::new().unwrap();
    let mut options = StoreOptions::new(folder.path());
    options.shards = 100;
    let store = Store::open(options.clone()).await.unwrap();
    let blob = content(8, 3_000_000);
    let id = put(&store, &blob).await;
    set_faults(&store, 4..10, Fault::Down);
    assert!(store.read(id, Check::Strict).await.unwrap() == blob);
    set_faults(&store, 3..10, Fault::Down);
    assert!(store.read(id, Check::Strict).await.is_err());
    drop(store);
    options.shards = 10;
    let other = Store::open(options).await.unwrap_err();
    assert!(matches!(other, StoreError::OtherShards(_)), "{other}");
}

#[tokio::test]
async fn the_same_blob_at_once_and_two_programs_in_one_folder() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let blob = content(9, 1_000);
    let puts = (0..8).map(|_| store.put(blob.clone(), PutOptions::default()));
    let outcomes = futures::future::join_all(puts).await;
    let new = |outcome: &&Result<PutOutcome, StoreError>| {
        matches!(outcome, Ok(PutOutcome::NewlyCreated { .. }))
    };
    assert_eq!(outcomes.iter().filter(new).count(), 1);
    assert!(outcomes.iter().all(Result::is_ok));
    let second = Store::open(StoreOptions::new(folder.path()))
        .await
        .unwrap_err();
    assert!(matches!(second, StoreError::Open(OpenError::InUse { .. })));

    let id = put(&store, &blob).await;
    drop(store);
    let store = open(&folder).await;
    assert!(store.read(id, Check::Strict).await.unwrap() == blob);
}
