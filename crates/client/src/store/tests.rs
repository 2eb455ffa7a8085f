use super::*;
use atoma_types::{Address, TimestampMs, hash::Hash32};
use base64::{Engine as _, prelude::BASE64_STANDARD};

const KEY: LaneKey = LaneKey {
    stack: StackId(Address::new([1; 32])),
    node: NodeId(Address::new([2; 32])),
    lane: 3,
};

fn row(seq: u64, fault: Option<&str>) -> Row {
    Row {
        key: KEY,
        seq,
        hash: Hash32([u8::from(fault.is_some()); 32]),
        request: RequestId([u8::try_from(seq).unwrap(); 16]),
        units: ComputeUnits(10),
        received: TimestampMs(seq),
        header: b"header".to_vec(),
        receipt: format!("receipt {seq}").into_bytes(),
        fault: fault.map(str::to_owned),
    }
}

async fn story(store: &Store) {
    store.add_stack(KEY.stack).await.unwrap();
    store
        .cover(KEY, ComputeUnits(50), ComputeUnits(100))
        .await
        .unwrap();
    store
        .cover(KEY, ComputeUnits(150), ComputeUnits(100))
        .await
        .unwrap();
    for seq in [2, 1, 2] {
        store.keep(row(seq, None));
    }
    store.keep(row(2, Some("twice")));
    store.flush().await.unwrap();
}

fn check(store: &Store) {
    assert_eq!(store.stacks().unwrap(), [KEY.stack]);
    let lane = KeptLane {
        lane: 3,
        settled: ComputeUnits(20),
        bound: ComputeUnits(150),
    };
    assert_eq!(store.lanes(KEY.stack, KEY.node).unwrap(), [lane]);
    let chain = store.chain(KEY.stack, KEY.node, 9).unwrap();
    assert_eq!(chain, [b"receipt 1", b"receipt 2"]);
    let around = |of| store.around((KEY.stack, KEY.node), (1, of, 2)).unwrap();
    assert_eq!(around(1), [b"receipt 1", b"receipt 2"]);
    assert_eq!(around(2).len(), 3, "whatever claims the place itself");
    assert_eq!(
        store.list(None, 9).unwrap().len(),
        3,
        "both sides of a fraud are kept"
    );
    let other = StackId(Address::new([9; 32]));
    assert!(store.list(Some(other), 9).unwrap().is_empty());
    assert_eq!(store.find(RequestId([1; 16])).unwrap(), Some(row(1, None)));
}

#[tokio::test]
async fn what_is_kept_survives_and_a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    story(&store).await;
    check(&store);
    assert!(matches!(
        Store::open(Some(folder.path())),
        Err(ClientError::InUse { .. })
    ));
    drop(store);
    let store = Store::open(Some(folder.path())).unwrap();
    check(&store);
    store.forget_stack(KEY.stack).await;
    store.flush().await.unwrap();
    assert!(store.stacks().unwrap().is_empty());
    assert_eq!(store.list(None, 9).unwrap().len(), 3);
}

#[tokio::test]
async fn texts_of_earlier_versions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    store.keep(row(1, None));
    store.flush().await.unwrap();
    let file = Connection::open(folder.path().join("client.db")).unwrap();
    let as_text = ["header", "receipt"].map(|column| {
        let text = BASE64_STANDARD.encode(match column {
            "header" => row(1, None).header,
            _ => row(1, None).receipt,
        });
        file.execute(&format!("UPDATE receipts SET {column} = ?1"), [text])
    });
    assert_eq!(as_text, [Ok(1), Ok(1)]);
    assert_eq!(store.list(None, 9).unwrap(), [row(1, None)]);
    file.execute("UPDATE receipts SET receipt = 'no base64!'", [])
        .unwrap();
    assert!(store.list(None, 9).is_err());
}

/// The size of real rows, in the order in which requests make them.
#[tokio::test]
async fn a_receipt_takes_little_more_than_its_bytes() {
    const ROWS: u64 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Some(folder.path())).unwrap();
    let full = Row {
        header: vec![7; 292],
        receipt: vec![8; 411],
        ..row(1, None)
    };
    for seq in 1..=ROWS {
        let request = RequestId::random();
        store.keep(Row {
            seq,
            request,
            ..full.clone()
        });
    }
    store.flush().await.unwrap();
    let pages = |of: &str| -> u64 {
        let file = Connection::open(folder.path().join("client.db")).unwrap();
        let count = file.query_row(of, [], |row| row.get::<_, i64>(0)).unwrap();
        u64::try_from(count).unwrap()
    };
    assert_eq!(pages("SELECT COUNT(*) FROM receipts"), ROWS);
    let (pages, size) = (pages("PRAGMA page_count"), pages("PRAGMA page_size"));
    assert!(pages * size < ROWS * 1_400, "{} a row", pages * size / ROWS);
}

#[tokio::test]
async fn memory_works_the_same() {
    let store = Store::open(None).unwrap();
    story(&store).await;
    check(&store);
}
