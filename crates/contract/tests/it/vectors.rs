//! Signed messages for the Move package's own unit tests: Move can verify but not sign.
//! `move/atoma/tests/vectors.move` is written anew with `ATOMA_WRITE_VECTORS=1`.

use crate::world::{NETWORK, OPERATOR, USER, key};
use atoma_types::{
    Address, ComputeUnits, EngineClass, NodeId, Numerics, Price, RequestId, Rule, StackId, TaskId,
    TimestampMs, Usage,
    hash::Hash32,
    history::History,
    message::{
        Domain, Endpoint, EvidenceLeaf, Grant, Origin, Receipt, RequestHeader, RequestTimes, Signed,
    },
};
use std::fmt::Write as _;
use sui_sdk_types::Digest;

/// The first object of the transaction whose digest is this byte throughout.
fn made_by(digest: u8) -> Address {
    Address::derive_id(Digest::new([digest; 32]), 0)
}

struct Vectors {
    text: String,
}

impl Vectors {
    fn add(&mut self, doc: &str, name: &str, bytes: &[u8]) {
        let bytes = hex::encode(bytes);
        write!(
            self.text,
            "\n/// {doc}\npublic fun {name}(): vector<u8> {{\n    x\"{bytes}\"\n}}\n"
        )
        .unwrap();
    }
}

/// One honest request of `units`, the ceiling at `sum`, and its receipt.
fn record(seq: u64, units: u64, sum: u64, before: &[Hash32]) -> (EvidenceLeaf, Hash32) {
    let mut history = History::after(0);
    before.iter().for_each(|hash| history.push(*hash));
    let previous = before.last().copied().unwrap_or_default();
    let (stack, node) = (StackId(made_by(0x33)), NodeId(made_by(0x11)));
    let request_id = RequestId([seq.to_le_bytes()[0]; 16]);
    let header = RequestHeader {
        domain: Domain::default(),
        network: NETWORK,
        stack,
        node,
        task: TaskId(made_by(0x22)),
        request_id,
        endpoint: Endpoint::ChatCompletions,
        body_hash: Hash32::ZERO,
        lane: 0,
        ceiling: ComputeUnits(sum),
        max_units: ComputeUnits(units),
        issued_at_ms: TimestampMs(1),
        expires_at_ms: TimestampMs(2),
        origin: Origin::Own,
    };
    let header = Signed::new(header, &key(USER));
    let receipt = Signed::new(
        Receipt {
            request_hash: header.hash(),
            history: history.root(),
            ..receipt(seq, units, sum, previous)
        },
        &key(OPERATOR),
    );
    (EvidenceLeaf::new(&header, &receipt), receipt.hash())
}

fn receipt(seq: u64, units: u64, sum: u64, previous: Hash32) -> Receipt {
    Receipt {
        domain: Domain::default(),
        network: NETWORK,
        stack: StackId(made_by(0x33)),
        node: NodeId(made_by(0x11)),
        seq,
        request_id: RequestId([seq.to_le_bytes()[0]; 16]),
        request_hash: Hash32::ZERO,
        response_hash: Hash32::ZERO,
        usage: Usage {
            output: units,
            ..Usage::default()
        },
        units: ComputeUnits(units),
        cumulative_units: ComputeUnits(sum),
        times: RequestTimes {
            started_ms: TimestampMs(1),
            first_token_ms: TimestampMs(2),
            finished_ms: TimestampMs(3),
        },
        engine: EngineClass {
            model: Hash32::ZERO,
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        },
        output_fingerprint: None,
        previous,
        base: 0,
        history: Hash32::ZERO,
    }
}

fn vectors() -> String {
    let mut vectors = Vectors {
        text: "/// Messages signed with the tests' keys: a grant, orders of 60 and 40 units, and their receipts. Written by\n\
               /// `crates/contract/tests/it/vectors.rs`, which also checks that this is current.\n\
               #[test_only]\nmodule atoma::vectors;\n"
            .to_owned(),
    };
    let request_key = key(USER).public_key();
    let response_key = key(OPERATOR).public_key();
    vectors.add("Signs requests and grants.", "request_key", &request_key.0);
    vectors.add("Signs receipts.", "response_key", &response_key.0);
    let grant = Grant {
        domain: Domain::default(),
        network: NETWORK,
        stack: StackId(made_by(0x33)),
        node: NodeId(made_by(0x11)),
        cumulative_units: ComputeUnits(100),
        max_price: Price(1_500_000),
        nonce: 7,
        expires_at_ms: TimestampMs(u64::MAX),
    };
    let grant = Signed::new(grant, &key(USER));
    vectors.add("100 units, without an end.", "grant", grant.bytes());

    let (first, hash) = record(1, 60, 60, &[]);
    let (second, _) = record(2, 40, 100, &[hash]);
    for (number, leaf) in [("first", &first), ("second", &second)] {
        vectors.add("The request.", &format!("{number}_header"), &leaf.header);
        vectors.add(
            "The request's.",
            &format!("{number}_header_signature"),
            &leaf.header_signature,
        );
        vectors.add("Its receipt.", &format!("{number}_receipt"), &leaf.receipt);
        vectors.add(
            "The receipt's.",
            &format!("{number}_receipt_signature"),
            &leaf.receipt_signature,
        );
    }
    vectors.add(
        "The second order with its receipt.",
        "record",
        &second.to_bytes(),
    );
    vectors.text
}

#[test]
fn move_s_vectors_are_current() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../move/atoma/tests/vectors.move"
    );
    let expected = vectors();
    if std::env::var_os("ATOMA_WRITE_VECTORS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        current == expected,
        "write it anew with ATOMA_WRITE_VECTORS=1"
    );
}
