use super::*;
use crate::{
    store::{LaneKey, Row, Store},
    watch::decide::tests::{NOW, STACK, claiming, receipt},
};
use atoma_keys::SigningKey;
use atoma_runtime::Threads;
use atoma_types::{Address, NodeId, RequestId};

const NETWORK: NetworkId = NetworkId([1; 32]);

/// A row for the request that its receipt names.
fn row(receipt: &Signed<Receipt>, fault: Option<&str>) -> Row {
    let message = receipt.message();
    Row {
        key: LaneKey {
            stack: message.stack,
            node: message.node,
            lane: 0,
        },
        seq: message.seq,
        hash: receipt.hash(),
        request: message.request_id,
        units: message.units,
        received: NOW,
        header: Vec::new(),
        receipt: receipt.to_bytes(),
        second: None,
        fault: fault.map(str::to_owned),
    }
}

fn changed(receipt: &Signed<Receipt>, change: impl FnOnce(&mut Receipt)) -> Signed<Receipt> {
    let mut message = receipt.message().clone();
    change(&mut message);
    Signed::new(message, &SigningKey::from_seed(&[7; 32]))
}

/// The numbers of the pair that is found among these rows, of which one is above a number.
async fn found(rows: Vec<Row>, above: Option<u64>) -> Option<[u64; 2]> {
    let store = Store::open(None, NETWORK, Threads::Real).unwrap();
    rows.into_iter().for_each(|row| store.keep(row));
    let receipts = Receipts::of(&store);
    receipts.flush().await.unwrap();
    let stack = claiming(&receipt(3, 3, 10, 100));
    let pair = kept(&receipts, (NETWORK, STACK), &stack.leases[0], above);
    let mut numbers = pair.await.unwrap()?.map(|receipt| receipt.message().seq);
    numbers.sort_unstable();
    Some(numbers)
}

#[tokio::test]
async fn two_kept_receipts_for_one_request_are_found_whatever_is_said_to_be_wrong_with_them() {
    let (first, copy) = (receipt(1, 1, 10, 10), receipt(1, 5, 10, 50));
    let others = || [2, 3, 4].map(|seq: u8| row(&receipt(seq, seq.into(), 10, 0), None));
    for faults in [
        [None, None],
        [None, Some("it has two")],
        [Some("another answer came"), Some("it was refused")],
    ] {
        let mut rows = others().to_vec();
        rows.extend([row(&first, faults[0]), row(&copy, faults[1])]);
        assert_eq!(found(rows.clone(), None).await, Some([1, 5]), "{faults:?}");
        // one of them isn't paid
        assert_eq!(found(rows.clone(), Some(4)).await, Some([1, 5]));
        assert_eq!(found(rows, Some(5)).await, None);
    }
    assert_eq!(found(others().to_vec(), None).await, None);
    // each came as the answer to another request
    let mut rows = [
        row(&first, Some("another request")),
        row(&copy, Some("again")),
    ];
    rows[0].request = RequestId([8; 16]);
    rows[1].request = RequestId([9; 16]);
    assert_eq!(found(rows.to_vec(), None).await, Some([1, 5]));
}

#[tokio::test]
async fn what_the_ledger_would_not_take_is_no_pair() {
    let first = receipt(1, 1, 10, 10);
    let copy = receipt(1, 5, 10, 50);
    // the request was signed anew, with a higher ceiling
    let anew = changed(&copy, |r| r.request_hash = Hash32([9; 32]));
    let network = changed(&copy, |r| r.network = NetworkId([2; 32]));
    let by_others = Signed::new(copy.message().clone(), &SigningKey::from_seed(&[9; 32]));
    for other in [anew, network, by_others] {
        let rows = vec![row(&first, None), row(&other, Some("it has two"))];
        assert_eq!(found(rows, None).await, None);
    }
    // nor one that another node signed, or that can't be read
    let elsewhere = changed(&copy, |r| r.node = NodeId(Address::new([9; 32])));
    let mut garbage = row(&copy, Some("it has two"));
    garbage.receipt = b"no receipt".to_vec();
    let rows = vec![row(&first, None), row(&elsewhere, None), garbage];
    assert_eq!(found(rows, None).await, None);
}

/// So many receipts, each for a request of its own.
fn good(many: u64, fault: Option<&str>) -> Vec<Row> {
    let own = |seq: u64| {
        let own = |r: &mut Receipt| {
            r.request_id = RequestId(u128::from(seq).to_le_bytes());
            r.request_hash = Hash32::of(&seq.to_le_bytes());
        };
        row(&changed(&receipt(0, seq, 10, 10 * seq), own), fault)
    };
    (1..=many).map(own).collect()
}

/// Every one of them used to be read, and its request looked up, at each look.
#[tokio::test]
async fn what_is_looked_at_is_what_may_be_one_of_two_however_many_there_are() {
    for many in [10, 1_000, 10_000] {
        let store = Store::open(None, NETWORK, Threads::Real).unwrap();
        let mut rows = good(many, None);
        let copy = changed(&receipt(0, many + 1, 10, 0), |r| {
            r.request_id = rows[4].request;
        });
        rows.extend([
            row(&copy, None),
            row(&receipt(9, many + 2, 10, 0), Some("x")),
        ]);
        rows.into_iter().for_each(|row| store.keep(row));
        let receipts = Receipts::of(&store);
        receipts.flush().await.unwrap();
        let node = copy.message().node;
        let all = (0, Hash32::ZERO);
        let suspects = receipts.suspects((STACK, node), all, usize::MAX).unwrap();
        let places = suspects.iter().map(|suspect| suspect.place.0);
        assert!(places.eq([5, many + 1, many + 2]), "of {many}");
    }
}

#[tokio::test]
async fn a_long_lease_is_looked_through_to_its_end() {
    let many = READ_AT_ONCE as u64 * 2;
    let mut rows = good(many, Some("something is wrong with it"));
    assert_eq!(found(rows.clone(), None).await, None);
    let copy = receipt(7, many + 1, 10, 0);
    let last = receipt(7, many + 2, 10, 0);
    rows.extend([row(&copy, None), row(&last, None)]);
    assert_eq!(found(rows, None).await, Some([many + 1, many + 2]));
}
