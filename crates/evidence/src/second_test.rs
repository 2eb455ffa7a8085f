use super::*;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, ComputeUnits, RequestId, TaskId, TimestampMs, Usage,
    hash::Hash32,
    message::{Endpoint, sample},
};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn node(seed: u8) -> NodeId {
    NodeId(Address::new([seed; 32]))
}

fn stack(seed: u8) -> StackId {
    StackId(Address::new([seed; 32]))
}

/// What the user asked, and what the first node answered.
fn first() -> (Signed<RequestHeader>, Receipt) {
    first_of(Origin::Own)
}

fn first_of(origin: Origin) -> (Signed<RequestHeader>, Receipt) {
    let header = RequestHeader {
        origin,
        ..sample::header()
    };
    let header = Signed::new(header, &key(1));
    let receipt = sample::receipt(header.hash());
    (header, receipt)
}

/// The header for the second node, and its receipt, each of them changed.
fn second(
    header: impl FnOnce(&mut RequestHeader),
    receipt: impl FnOnce(&mut Receipt),
) -> SecondRecord {
    let (asked, answered) = first();
    let mut passed_on = RequestHeader {
        stack: stack(20),
        node: node(30),
        request_id: RequestId([40; 16]),
        lane: 3,
        ceiling: ComputeUnits(1_000),
        origin: Origin::Forwarded(asked.hash()),
        ..asked.message().clone()
    };
    header(&mut passed_on);
    let passed_on = Signed::new(passed_on, &key(2));
    let message = passed_on.message();
    let mut computed = Receipt {
        stack: message.stack,
        node: message.node,
        request_id: message.request_id,
        request_hash: passed_on.hash(),
        seq: 9,
        cumulative_units: ComputeUnits(900),
        previous: Hash32([8; 32]),
        base: 0,
        history: Hash32::ZERO,
        ..answered
    };
    receipt(&mut computed);
    SecondRecord::new(passed_on, Signed::new(computed, &key(3)))
}

fn verdict(record: &SecondRecord) -> Result<(), SecondError> {
    let (asked, answered) = first();
    record.check(&asked, &answered)
}

#[test]
fn a_second_record_is_read_as_it_was_written() {
    let record = second(|_| (), |_| ());
    assert_eq!(verdict(&record), Ok(()));
    let text = record.to_text();
    assert!(text.len() < MAX_TEXT);
    assert_eq!(SecondRecord::from_text(&text), Ok(record.clone()));
    assert_eq!(
        split_text(&format!("first {text}")),
        ("first", Some(&*text))
    );
    assert_eq!(split_text("first"), ("first", None));
    assert_eq!((record.node(), record.stack()), (node(30), stack(20)));
    for wrong in ["", "%", &text[4..], &"A".repeat(MAX_TEXT + 4)] {
        assert!(SecondRecord::from_text(wrong).is_err());
    }
}

#[test]
fn a_header_for_anything_but_this_very_request_is_noticed() {
    type Change = fn(&mut RequestHeader);
    let others: [Change; 8] = [
        |header| header.origin = Origin::Own,
        |header| header.origin = Origin::Forwarded(Hash32([9; 32])),
        |header| header.task = TaskId(Address::new([9; 32])),
        |header| header.endpoint = Endpoint::Embeddings,
        |header| header.body_hash = Hash32([9; 32]),
        |header| header.max_units = ComputeUnits(1),
        |header| header.issued_at_ms = TimestampMs(9),
        |header| header.expires_at_ms = TimestampMs(9),
    ];
    for change in others {
        let record = second(change, |_| ());
        assert_eq!(verdict(&record), Err(SecondError::OtherRequest));
    }
    let own = second(|header| header.node = sample::header().node, |_| ());
    assert_eq!(verdict(&own), Err(SecondError::Node));
}

#[test]
fn what_was_to_be_kept_was_not_to_be_passed_on() {
    for origin in [Origin::Kept, Origin::Forwarded(Hash32([9; 32]))] {
        let (asked, answered) = first_of(origin);
        let of_it = |header: &mut RequestHeader| header.origin = Origin::Forwarded(asked.hash());
        let record = second(of_it, |_| ());
        let verdict = record.check(&asked, &answered);
        assert_eq!(verdict, Err(SecondError::Forbidden));
    }
}

#[test]
fn a_receipt_for_another_header_answer_or_usage_is_noticed() {
    type Change = fn(&mut Receipt);
    let usage = SecondError::Usage {
        first: 8,
        second: 8,
    };
    let dearer = SecondError::Usage {
        first: 8,
        second: 7,
    };
    let wrong: [(Change, SecondError); 8] = [
        (
            |r| r.request_hash = Hash32([9; 32]),
            SecondError::RequestHash,
        ),
        (|r| r.request_id.0[0] ^= 1, SecondError::RequestHash),
        (|r| r.node = node(9), SecondError::RequestHash),
        (
            |r| r.response_hash = Hash32([9; 32]),
            SecondError::ResponseHash,
        ),
        (
            |r| r.output_fingerprint = Some(Hash32([9; 32])),
            SecondError::ResponseHash,
        ),
        (|r| r.usage = Usage::of_text(1, 0, 1), usage),
        (|r| r.units = ComputeUnits(7), dearer),
        (|r| r.engine.model = Hash32([9; 32]), SecondError::Engine),
    ];
    for (change, error) in wrong {
        assert_eq!(verdict(&second(|_| (), change)), Err(error));
    }
}

#[test]
fn both_signatures_are_looked_at() {
    let record = second(|_| (), |_| ());
    let (first, second, stranger) = (
        key(2).public_key(),
        key(3).public_key(),
        key(9).public_key(),
    );
    assert_eq!(record.verify(&first, &second), Ok(()));
    assert_eq!(
        record.verify(&stranger, &second),
        Err(SecondError::Signature)
    );
    assert_eq!(
        record.verify(&first, &stranger),
        Err(SecondError::Signature)
    );
}
