//! What is kept survives, and programs that share a folder never share a lane. Handles in one process
//! stand for programs: the locks between them are the same.

use super::{rows::MAX_FAULTY, *};
use atoma_keys::SigningKey;
use atoma_runtime::Runtime;
use atoma_types::{
    Address, RequestId, TimestampMs,
    hash::Hash32,
    message::{Receipt, Signed, sample},
};
use rusqlite::Connection;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

const NETWORK: NetworkId = NetworkId([7; 32]);
const STACK: StackId = StackId(Address::new([1; 32]));
const NODE: NodeId = NodeId(Address::new([2; 32]));

fn key(lane: u16) -> LaneKey {
    LaneKey {
        stack: STACK,
        node: NODE,
        lane,
    }
}

fn row(seq: u64, fault: Option<&str>) -> Row {
    Row {
        key: key(3),
        seq,
        hash: Hash32([u8::from(fault.is_some()); 32]),
        request: RequestId([u8::try_from(seq).unwrap(); 16]),
        units: ComputeUnits(10),
        received: TimestampMs(seq),
        header: b"header".to_vec(),
        receipt: format!("receipt {seq}").into_bytes(),
        second: None,
        fault: fault.map(str::to_owned),
    }
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(Some(folder.path()), NETWORK, Threads::Real).unwrap()
}

async fn own(store: &Store) -> KeptLane {
    match store.lanes(STACK, NODE).unwrap().first() {
        Some(lane) => *lane,
        None => store.claim_own(STACK, NODE, Vec::new()).await.unwrap(),
    }
}

/// A header with this ceiling, of which so much is open, and so much of the window granted.
fn cover(ceiling: u64, step: u64, granted: u64) -> Cover {
    Cover {
        ceiling: ComputeUnits(ceiling),
        step: ComputeUnits(step),
        open: ComputeUnits(50),
        granted: ComputeUnits(granted),
        state: ceiling,
    }
}

async fn story(store: &Store) {
    store.add_stack(STACK).await.unwrap();
    store.claim_named(key(3)).await.unwrap();
    store.cover(key(3), cover(50, 100, 0)).await.unwrap();
    store.cover(key(3), cover(150, 100, 0)).await.unwrap();
    for seq in [2, 1, 2] {
        store.keep(row(seq, None));
    }
    store.keep(row(2, Some("twice")));
    store.flush().await.unwrap();
}

fn check(store: &Store) {
    let kept = store.kept();
    assert_eq!(kept.stacks().unwrap(), [STACK]);
    let lane = KeptLane {
        lane: 3,
        settled: ComputeUnits(20),
        bound: ComputeUnits(150),
        excused: ComputeUnits(150),
        granted: ComputeUnits::ZERO,
    };
    assert_eq!(store.lanes(STACK, NODE).unwrap(), [lane]);
    let chain = kept.chain(STACK, NODE, 9).unwrap();
    assert_eq!(chain, [b"receipt 1", b"receipt 2"]);
    let around = |of| kept.around((STACK, NODE), (1, of, 2)).unwrap();
    assert_eq!(around(1), [b"receipt 1", b"receipt 2"]);
    assert_eq!(around(2).len(), 3, "whatever claims the place itself");
    assert_eq!(
        kept.list(None, 9).unwrap().len(),
        3,
        "both sides of a fraud are kept"
    );
    let other = StackId(Address::new([9; 32]));
    assert!(kept.list(Some(other), 9).unwrap().is_empty());
    let of_first = RequestId([1; 16]);
    assert_eq!(kept.named(of_first).unwrap(), Some(row(1, None)));
    let found = |stack, node| kept.find((stack, node), of_first).unwrap();
    assert_eq!(found(STACK, NODE), Some(row(1, None)));
    assert_eq!(found(other, NODE), None);
    assert_eq!(found(STACK, NodeId(other.0)), None);
}

#[tokio::test]
async fn what_is_kept_survives_until_its_stack_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    story(&store).await;
    check(&store);
    drop(store);
    let store = open(&folder);
    check(&store);
    store.forget_stack(STACK);
    store.flush().await.unwrap();
    assert!(store.kept().stacks().unwrap().is_empty());
    assert_eq!(store.kept().closed_stacks().unwrap(), [STACK]);
    assert_eq!(store.kept().list(None, 9).unwrap().len(), 3);
}

/// A node signs as many of them as it likes.
#[tokio::test]
async fn of_receipts_with_faults_a_lease_has_so_many_and_what_makes_a_pair() {
    let store = Store::open(None, NETWORK, Threads::Real).unwrap();
    let variant = |number: u64, fault| Row {
        hash: Hash32::of(&number.to_le_bytes()),
        request: RequestId(u128::from(number).to_le_bytes()),
        ..row(7, fault)
    };
    for number in 0..MAX_FAULTY + 50 {
        store.keep(variant(number, Some("a fault")));
    }
    let good = variant(1_000, None);
    let second = Row {
        hash: Hash32([9; 32]),
        fault: Some("it has two".to_owned()),
        ..good.clone()
    };
    let third = Row {
        hash: Hash32([8; 32]),
        ..second.clone()
    };
    let another = variant(2_000, None);
    let has_turned_out_false = Row {
        fault: Some("a fault".to_owned()),
        ..another.clone()
    };
    for row in [&good, &second, &third, &another, &has_turned_out_false] {
        store.keep(row.clone());
    }
    store.flush().await.unwrap();
    let kept = store.kept().list(None, 9_999).unwrap();
    let faulty: Vec<_> = kept.iter().filter(|row| row.fault.is_some()).collect();
    assert_eq!(faulty.len() as u64, MAX_FAULTY + 2);
    for (row, is_kept) in [(second, true), (third, false), (has_turned_out_false, true)] {
        assert_eq!(faulty.contains(&&row), is_kept, "{row:?}");
    }
    assert!(kept.contains(&good));
}

/// The first is written fifty milliseconds later, and was looked for on the disk.
#[tokio::test]
async fn a_second_receipt_that_comes_in_the_same_moment_is_kept_beside_the_first() {
    let store = Store::open(None, NETWORK, Threads::Real).unwrap();
    let node = SigningKey::from_seed(&[2; 32]);
    let said = sample::receipt(Hash32([5; 32]));
    let receipt = |seq, request_hash| {
        let receipt = Receipt {
            seq,
            request_hash,
            ..said.clone()
        };
        Signed::new(receipt, &node)
    };
    let first = receipt(3, said.request_hash);
    store.keep(Row {
        key: LaneKey {
            stack: said.stack,
            node: said.node,
            lane: 0,
        },
        hash: first.hash(),
        request: said.request_id,
        receipt: first.to_bytes(),
        ..row(3, None)
    });
    let second = receipt(4, said.request_hash);
    let of_another_header = receipt(5, Hash32([6; 32]));
    for stray in [&first, &second, &of_another_header] {
        store.keep_stray(Stray {
            stray: stray.clone(),
            received: TimestampMs(9),
        });
    }
    store.flush().await.unwrap();
    let lease = (said.stack, said.node);
    let kept = store.kept().of_request(lease, said.request_id, 9);
    assert_eq!(kept.unwrap(), [first.to_bytes(), second.to_bytes()]);
    let suspects = store.kept().suspects(lease, (0, Hash32::ZERO), 9).unwrap();
    assert_eq!(suspects.len(), 2, "the pair");
}

#[tokio::test]
async fn stacks_stay_in_the_order_in_which_they_came() {
    let store = Store::open(None, NETWORK, Threads::Real).unwrap();
    let stacks = [9, 1, 5].map(|byte| StackId(Address::new([byte; 32])));
    for stack in stacks {
        store.add_stack(stack).await.unwrap();
    }
    assert_eq!(store.kept().stacks().unwrap(), stacks);
    store.forget_stack(stacks[0]);
    store.add_stack(stacks[0]).await.unwrap();
    assert_eq!(store.kept().stacks().unwrap(), stacks[1..]);
}

#[tokio::test]
async fn memory_works_the_same_and_so_does_a_store_without_threads() {
    for threads in [Threads::Real, Threads::InLine] {
        let store = Store::open(None, NETWORK, threads).unwrap();
        story(&store).await;
        check(&store);
    }
}

#[tokio::test]
async fn programs_that_run_at_once_have_lanes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [open(&folder), open(&folder), open(&folder)];
    let claims = stores.iter().map(|store| async {
        let lane = own(store).await.lane;
        // and each again has what it had
        assert_eq!(own(store).await.lane, lane);
        lane
    });
    let mut lanes = futures::future::join_all(claims).await;
    lanes.sort_unstable();
    assert_eq!(lanes, [0, 1, 2]);
    let [first, second, third] = stores;
    let lane = own(&second).await.lane;
    drop(second);
    // the next program goes on in the lane that was given up; no lanes are wasted
    let next = open(&folder);
    assert_eq!(own(&next).await.lane, lane);
    drop((first, third, next));
}

#[tokio::test]
async fn lanes_that_the_node_has_seen_from_elsewhere_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, second) = (open(&folder), open(&folder));
    let lane = store.claim_own(STACK, NODE, vec![0, 2]).await.unwrap();
    assert_eq!(lane.lane, 1);
    let lane = second.claim_own(STACK, NODE, vec![0, 2]).await.unwrap();
    assert_eq!(lane.lane, 3);
}

#[tokio::test]
async fn a_named_lane_is_one_programs_until_that_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (open(&folder), open(&folder));
    first.claim_named(key(5)).await.unwrap();
    let bound = ComputeUnits(80);
    first.cover(key(5), cover(80, 0, 0)).await.unwrap();
    let own_of_second = own(&second).await.lane;
    let refused = second.claim_named(key(5)).await.unwrap_err();
    assert!(
        matches!(refused, ClientError::LaneInUse { lane: 5 }),
        "{refused}"
    );
    drop(first);
    let taken = second.claim_named(key(5)).await.unwrap();
    assert_eq!(taken.bound, bound);
    // and it stays the second's: the next program with the first one's slot gets another
    let third = open(&folder);
    let lane = own(&third).await.lane;
    assert!(![5, own_of_second].contains(&lane), "{lane}");
}

/// As after `kill -9`: the lock is gone, and of the file there is what was committed.
#[tokio::test]
async fn a_crash_loses_no_bound() {
    let folder = tempfile::tempdir().unwrap();
    let (first, other) = (open(&folder), open(&folder));
    let lane = own(&first).await.lane;
    first.cover(key(lane), cover(500, 100, 0)).await.unwrap();
    // an answer was lost since: the bound is far enough ahead, and yet this is written before the header is sent
    first.cover(key(lane), cover(510, 100, 70)).await.unwrap();
    // one that was signed before that takes nothing of it back
    first.cover(key(lane), cover(505, 100, 0)).await.unwrap();
    own(&other).await;
    // what it still has queued is never written
    let crashed = tempfile::tempdir().unwrap();
    let inner = folder.path().join(NETWORK.to_string());
    let copy = crashed.path().join(NETWORK.to_string());
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(&inner).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let next = open(&crashed);
    let kept = own(&next).await;
    assert_eq!((kept.lane, kept.bound), (lane, ComputeUnits(600)));
    let left = (kept.excused, kept.granted);
    assert_eq!(left, (ComputeUnits(150), ComputeUnits(70)));
    let second = open(&crashed);
    assert_eq!(own(&second).await.lane, own(&other).await.lane);
}

const FOLDER: &str = "ATOMA_TEST_CLIENT_FOLDER";
const READY: &str = "bound is raised";

/// The other program: raises a lane's bound, and is killed.
#[tokio::test]
#[ignore = "started by the test below"]
async fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = Store::open(Some(Path::new(&folder)), NETWORK, Threads::Real).unwrap();
    let lane = own(&store).await.lane;
    store.cover(key(lane), cover(500, 100, 0)).await.unwrap();
    println!("\n{READY}");
    let _ = std::io::stdin().read(&mut [0]);
}

#[tokio::test]
async fn a_program_that_is_killed_gives_its_lane_back_with_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == READY));
    // as long as it lives its lane is its own
    let store = open(&folder);
    assert_eq!(own(&store).await.lane, 1);
    assert!(store.claim_named(key(0)).await.is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    let next = open(&folder);
    let kept = own(&next).await;
    assert_eq!((kept.lane, kept.bound), (0, ComputeUnits(600)));
}

#[tokio::test]
async fn networks_are_kept_apart_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    assert!(all_kept(folder.path()).unwrap().is_empty());
    let other = NetworkId([8; 32]);
    let second = StackId(Address::new([4; 32]));
    for (network, stack) in [(other, second), (NETWORK, STACK)] {
        let store = Store::open(Some(folder.path()), network, Threads::Real).unwrap();
        store.add_stack(stack).await.unwrap();
    }
    std::fs::create_dir(folder.path().join("something else")).unwrap();
    let found = all_kept(folder.path()).unwrap();
    let found = found
        .iter()
        .map(|(network, kept)| (*network, kept.stacks().unwrap()));
    let expected = [(NETWORK, vec![STACK]), (other, vec![second])];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

/// The size of real rows, in the order in which requests make them.
#[tokio::test]
async fn a_receipt_takes_little_more_than_its_bytes() {
    const ROWS: u64 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let full = Row {
        header: vec![7; 292],
        receipt: vec![8; 411],
        ..row(1, None)
    };
    let runtime = Runtime::system();
    for seq in 1..=ROWS {
        let request = runtime.request_id();
        store.keep(Row {
            seq,
            request,
            ..full.clone()
        });
    }
    store.flush().await.unwrap();
    let pages = |of: &str| -> u64 {
        let folder = folder.path().join(NETWORK.to_string());
        let file = Connection::open(folder.join(KIND.file)).unwrap();
        let count = file.query_row(of, [], |row| row.get::<_, i64>(0)).unwrap();
        u64::try_from(count).unwrap()
    };
    assert_eq!(pages("SELECT COUNT(*) FROM receipts"), ROWS);
    let (pages, size) = (pages("PRAGMA page_count"), pages("PRAGMA page_size"));
    assert!(pages * size < ROWS * 1_400, "{} a row", pages * size / ROWS);
}
