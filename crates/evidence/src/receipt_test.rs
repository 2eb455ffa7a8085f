use super::*;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, Numerics, RequestId, Rule, TaskId, TimestampMs, Usage,
    message::{Domain, Endpoint, Origin, RequestTimes},
};

const NETWORK: NetworkId = NetworkId([1; 32]);
const STACK: StackId = StackId(Address::new([2; 32]));
const NODE: NodeId = NodeId(Address::new([3; 32]));
const ENGINE: EngineClass = EngineClass {
    model: Hash32([4; 32]),
    numerics: Numerics::DetF32V1,
    rule: Rule::Exact,
};

pub(crate) fn key() -> SigningKey {
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

pub(crate) fn receipt() -> Receipt {
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

/// Users took it for no receipt, so that nobody counted it, and the ledger paid it.
#[test]
fn a_receipt_of_less_than_its_usage_costs_is_good_as_on_the_ledger() {
    for units in [29, 0] {
        let less = Receipt {
            units: ComputeUnits(units),
            cumulative_units: ComputeUnits(units),
            ..receipt()
        };
        assert_eq!(verdict(less, &key()), Ok(()));
    }
}
