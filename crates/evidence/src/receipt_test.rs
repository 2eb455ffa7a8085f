use super::*;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, Numerics, RequestId, Rule, TaskId, TimestampMs, Usage,
    history::History,
    message::{Domain, Endpoint, Origin, RequestTimes},
};
use proptest::prelude::*;

const NETWORK: NetworkId = NetworkId([1; 32]);
const STACK: StackId = StackId(Address::new([2; 32]));
const NODE: NodeId = NodeId(Address::new([3; 32]));
const ENGINE: EngineClass = EngineClass {
    model: Hash32([4; 32]),
    numerics: Numerics::DetF32V1,
    rule: Rule::Exact,
};

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn request() -> Signed<RequestHeader> {
    let header = RequestHeader {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        task: TaskId(Address::new([5; 32])),
        request_id: RequestId([6; 16]),
        endpoint: Endpoint::ChatCompletions,
        body_hash: Hash32::of(b"body"),
        lane: 0,
        ceiling: ComputeUnits(100),
        max_units: ComputeUnits(50),
        issued_at_ms: TimestampMs(1),
        expires_at_ms: TimestampMs(2),
        origin: Origin::Own,
    };
    Signed::new(header, &SigningKey::from_seed(&[8; 32]))
}

fn receipt() -> Receipt {
    Receipt {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        seq: 1,
        request_id: RequestId([6; 16]),
        request_hash: request().hash(),
        response_hash: Hash32::of(b"answer"),
        usage: Usage {
            input: 10,
            output: 20,
            ..Usage::default()
        },
        units: ComputeUnits(30),
        cumulative_units: ComputeUnits(30),
        times: RequestTimes {
            started_ms: TimestampMs(1),
            first_token_ms: TimestampMs(2),
            finished_ms: TimestampMs(3),
        },
        engine: ENGINE,
        output_fingerprint: None,
        previous: Hash32::ZERO,
        base: 0,
        history: Hash32::ZERO,
    }
}

fn verdict(receipt: Receipt, key: &SigningKey) -> Result<(), ReceiptError> {
    let request = request();
    let verifier = Verifier::new(&self::key().public_key()).unwrap();
    let expected = Expected {
        network: NETWORK,
        stack: STACK,
        node: NODE,
        response_key: &verifier,
        request: &request,
        weights: &UnitWeights::TEXT,
        engine: ENGINE,
        response_hash: Some(Hash32::of(b"answer")),
    };
    check(&Signed::new(receipt, key), &expected)
}

#[test]
fn each_lie_has_its_name() {
    assert_eq!(verdict(receipt(), &key()), Ok(()));
    let other = SigningKey::from_seed(&[9; 32]);
    assert_eq!(verdict(receipt(), &other), Err(ReceiptError::Signature));
    let elsewhere = Address::new([9; 32]);
    let engine = EngineClass {
        rule: Rule::Tolerant,
        ..ENGINE
    };
    let lies = [
        (
            Receipt {
                network: NetworkId([9; 32]),
                ..receipt()
            },
            ReceiptError::Network,
        ),
        (
            Receipt {
                stack: StackId(elsewhere),
                ..receipt()
            },
            ReceiptError::Stack,
        ),
        (
            Receipt {
                node: NodeId(elsewhere),
                ..receipt()
            },
            ReceiptError::Node,
        ),
        (
            Receipt {
                request_id: RequestId([9; 16]),
                ..receipt()
            },
            ReceiptError::RequestId,
        ),
        (
            Receipt {
                request_hash: Hash32::ZERO,
                ..receipt()
            },
            ReceiptError::RequestHash,
        ),
        (
            Receipt {
                response_hash: Hash32::ZERO,
                ..receipt()
            },
            ReceiptError::ResponseHash,
        ),
        (
            Receipt {
                engine,
                ..receipt()
            },
            ReceiptError::Engine,
        ),
        (
            Receipt {
                units: ComputeUnits(31),
                ..receipt()
            },
            ReceiptError::Units {
                charged: ComputeUnits(31),
                due: ComputeUnits(30),
            },
        ),
        (
            Receipt {
                usage: Usage {
                    input: 51,
                    ..Usage::default()
                },
                units: ComputeUnits(51),
                ..receipt()
            },
            ReceiptError::OverMaxUnits {
                charged: ComputeUnits(51),
                max: ComputeUnits(50),
            },
        ),
    ];
    for (lie, error) in lies {
        assert_eq!(verdict(lie, &key()), Err(error));
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let signed = Signed::new(receipt(), &key());
    let verifier = Verifier::new(&key().public_key()).unwrap();
    let request = request();
    let expected = Expected {
        network: NETWORK,
        stack: STACK,
        node: NODE,
        response_key: &verifier,
        request: &request,
        weights: &UnitWeights::TEXT,
        engine: ENGINE,
        response_hash: Some(Hash32::of(b"answer")),
    };
    for place in 0..signed.bytes().len() * 8 {
        let mut bytes = signed.bytes().to_vec();
        bytes[place / 8] ^= 1 << (place % 8);
        let passes = Signed::<Receipt>::decode(bytes, signed.signature().clone())
            .is_ok_and(|changed| check(&changed, &expected).is_ok());
        assert!(!passes, "bit {place}");
    }
}

/// An honest lease's receipts.
fn lease(costs: &[u64]) -> Vec<Signed<Receipt>> {
    claimed(costs, &[])
}

/// The same, where the node has heard of claims up to these.
fn claimed(costs: &[u64], moves: &[usize]) -> Vec<Signed<Receipt>> {
    let mut previous = Hash32::ZERO;
    let mut sum = 0;
    let mut receipts = Vec::new();
    let mut history = History::default();
    for (place, &cost) in costs.iter().enumerate() {
        sum += cost;
        let next = Receipt {
            seq: place as u64 + 1,
            units: ComputeUnits(cost),
            cumulative_units: ComputeUnits(sum),
            previous,
            base: history.base(),
            history: history.root(),
            ..receipt()
        };
        receipts.push(Signed::new(next, &key()));
        previous = receipts[place].hash();
        history.push(previous);
        if moves.contains(&receipts.len()) {
            history = History::after(receipts.len() as u64);
        }
    }
    receipts
}

fn changed(receipt: &Signed<Receipt>, change: impl FnOnce(&mut Receipt)) -> Signed<Receipt> {
    let mut message = receipt.message().clone();
    change(&mut message);
    Signed::new(message, &key())
}

#[test]
fn two_receipts_for_one_place_prove_fraud() {
    let receipts = lease(&[5, 6, 7]);
    let other = changed(&receipts[1], |r| r.response_hash = Hash32::ZERO);
    let mut chain = Chain::default();
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::Again));
    assert_eq!(
        chain.add(&other),
        Err(ReceiptError::Equivocation {
            seq: 2,
            first: receipts[1].hash(),
            second: other.hash(),
        })
    );
}

#[test]
fn neighbours_must_link_and_add_up() {
    let receipts = lease(&[5, 6, 7, 8]);
    let knowing = |known: &[usize]| {
        let mut chain = Chain::default();
        for &place in known {
            chain.add(&receipts[place]).unwrap();
        }
        chain
    };
    let cut = changed(&receipts[1], |r| r.previous = Hash32([1; 32]));
    assert_eq!(knowing(&[0]).add(&cut), Err(ReceiptError::Link { seq: 2 }));
    assert_eq!(knowing(&[2]).add(&cut), Err(ReceiptError::Link { seq: 3 }));
    let sum = changed(&receipts[1], |r| r.cumulative_units = ComputeUnits(12));
    assert_eq!(knowing(&[0]).add(&sum), Err(ReceiptError::Sum { seq: 2 }));
    let high = changed(&receipts[1], |r| r.cumulative_units = ComputeUnits(19));
    assert_eq!(knowing(&[3]).add(&high), Err(ReceiptError::Sum { seq: 4 }));
    let zero = changed(&receipts[0], |r| r.seq = 0);
    assert_eq!(knowing(&[]).add(&zero), Err(ReceiptError::Place));
    let rootless = changed(&receipts[1], |r| r.previous = Hash32::ZERO);
    assert_eq!(knowing(&[]).add(&rootless), Err(ReceiptError::Place));
    let inflated = changed(&receipts[0], |r| r.cumulative_units = ComputeUnits(6));
    assert_eq!(knowing(&[]).add(&inflated), Err(ReceiptError::Place));
}

#[test]
fn memory_is_bounded_and_late_receipts_still_fit() {
    let receipts = lease(&vec![1; MAX_LINKS + 10]);
    let mut chain = Chain::default();
    for receipt in receipts.iter().skip(1) {
        chain.add(receipt).unwrap();
    }
    assert!(chain.links.len() <= MAX_LINKS);
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
}

proptest! {
    #[test]
    fn any_order_and_any_gaps_are_fine(
        costs in prop::collection::vec(0..100u64, 1..30),
        order in Just((0..30usize).collect::<Vec<_>>()).prop_shuffle(),
        known in prop::collection::vec(any::<bool>(), 30),
        moves in prop::collection::vec(1..30usize, 0..3),
    ) {
        let receipts = claimed(&costs, &moves);
        let mut chain = Chain::default();
        for place in order.into_iter().filter(|&place| place < costs.len() && known[place]) {
            prop_assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
        }
    }

    #[test]
    fn any_changed_sum_is_noticed_once_its_neighbours_are_known(
        costs in prop::collection::vec(1..100u64, 3..10),
        place in any::<prop::sample::Index>(),
        delta in 1..50u64,
        order in Just((0..10usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut receipts = lease(&costs);
        let place = place.index(costs.len());
        receipts[place] = changed(&receipts[place], |r| r.cumulative_units.0 += delta);
        let mut chain = Chain::default();
        let refused = order
            .into_iter()
            .filter(|&at| at < costs.len())
            .filter(|&at| chain.add(&receipts[at]).is_err())
            .count();
        prop_assert!(refused > 0);
    }
}

#[test]
fn a_false_history_is_noticed_though_a_receipt_is_missing() {
    let receipts = claimed(&[1; 12], &[8]);
    let false_one = |place: usize| changed(&receipts[place], |r| r.history.0[0] ^= 1);
    // the third never came: the fourth names it
    let mut chain = Chain::default();
    for place in [0, 1, 3] {
        chain.add(&receipts[place]).unwrap();
    }
    assert_eq!(
        chain.add(&false_one(4)),
        Err(ReceiptError::History { seq: 5 })
    );
    assert_eq!(chain.add(&receipts[4]), Ok(Joined::New));
    // nor does it matter in which order they come
    let mut chain = Chain::default();
    for place in [4, 5, 1, 0] {
        chain.add(&receipts[place]).unwrap();
    }
    assert_eq!(
        chain.add(&false_one(3)),
        Err(ReceiptError::Link { seq: 5 }),
        "its hash is another, too"
    );
    // a claim begins another history, which needs nothing before it
    let mut chain = Chain::default();
    chain.add(&receipts[8]).unwrap();
    assert_eq!(
        chain.add(&false_one(9)),
        Err(ReceiptError::History { seq: 10 })
    );
    let back = changed(&receipts[9], |r| r.base = 7);
    assert_eq!(chain.add(&back), Err(ReceiptError::History { seq: 10 }));
    assert_eq!(chain.add(&receipts[9]), Ok(Joined::New));
}

#[test]
fn a_false_history_comes_out_once_those_before_it_are_known() {
    let mut receipts = lease(&[1; 4]);
    receipts.push(changed(&receipts[3], |r| {
        r.seq = 5;
        r.cumulative_units = ComputeUnits(5);
        r.previous = receipts[3].hash();
    }));
    let mut chain = Chain::default();
    assert_eq!(chain.add(&receipts[4]), Ok(Joined::New), "nothing is known");
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(
        chain.add(&receipts[2]),
        Err(ReceiptError::History { seq: 5 }),
        "the fourth is the fifth's previous one"
    );
    assert_eq!(chain.last_seq(), 3, "it was taken out");
}

#[test]
fn what_a_first_receipt_names_is_nothing() {
    let receipts = claimed(&[1; 3], &[2]);
    let named = changed(&receipts[0], |r| r.history = Hash32([1; 32]));
    assert_eq!(Chain::default().add(&named), Err(ReceiptError::Place));
    let own = changed(&receipts[1], |r| r.base = 2);
    assert_eq!(Chain::default().add(&own), Err(ReceiptError::Place));
    assert_eq!(Chain::default().add(&receipts[2]), Ok(Joined::New));
}

#[test]
fn a_history_of_more_receipts_than_are_kept_is_computed_from_their_hashes() {
    let receipts = lease(&[1; 9]);
    let mut chain = Chain::default();
    let hashes = (1..).zip(receipts[..6].iter().map(Signed::hash));
    chain.know(0, hashes);
    let false_one = changed(&receipts[7], |r| r.history.0[0] ^= 1);
    assert_eq!(chain.add(&false_one), Err(ReceiptError::History { seq: 8 }));
    assert_eq!(chain.add(&receipts[7]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[8]), Ok(Joined::New));
}
