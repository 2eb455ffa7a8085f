//! Errors, receipts, and who may answer.

use crate::support::{answered, opened, read, sealed_to, text};
use atoma_channel::{
    AnswerPart, AnswerSplitter, Fault, SealedPart, limits,
    testing::{NOW, TestNode, window},
};
use atoma_runtime::SeededRandom;
use atoma_types::{
    hash::Hash32,
    message::{CommitmentKind, RequestHeader, Salt, sample},
};
use bytes::Bytes;

#[test]
fn an_error_is_sealed_like_text() {
    let node = TestNode::new(1);
    let body = br#"{"error":{"message":"the prompt says xyz"}}"#;
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut failed = Vec::new();
    sealer.text(b"it ", &mut failed).unwrap();
    sealer.fail(500, body, &mut failed).unwrap();
    assert!(!failed.windows(3).any(|window| window == b"xyz"));
    let error = AnswerPart::Error {
        status: 500,
        body: Bytes::from_static(body),
    };
    assert_eq!(read(opener, &failed), Ok(vec![text("it "), error]));
    let (_, mut sealer) = opened(&node, &request);
    let mut whole = Vec::new();
    sealer.text(b"it ", &mut whole).unwrap();
    sealer.finish(b"is", &mut whole).unwrap();
    assert_eq!(failed.len(), whole.len(), "a failure looks like an end");
}

#[test]
fn stream_error_has_a_receipt() {
    let node = TestNode::new(1);
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut failed = Vec::new();
    sealer.text(b"it ", &mut failed).unwrap();
    sealer.fail(500, b"{}", &mut failed).unwrap();
    sealer.receipt(b"signed", &mut failed).unwrap();
    let receipt = AnswerPart::Receipt(Bytes::from_static(b"signed"));
    assert_eq!(read(opener, &failed).unwrap()[2], receipt);
}

#[test]
fn everyone_can_tell_a_refusal_from_an_answer_and_its_asker_can_read_it() {
    let node = TestNode::new(1);
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut refused = Vec::new();
    sealer.fail(429, b"{}", &mut refused).unwrap();
    assert_eq!(
        sealer.receipt(b"signed", &mut refused),
        Err(Fault::AfterEnd),
        "nothing is due for it"
    );
    let mut splitter = AnswerSplitter::new();
    splitter.push(&refused);
    let parts: Vec<_> = std::iter::from_fn(|| splitter.part().unwrap()).collect();
    let refusal = SealedPart::Refusal { length: 256 };
    assert_eq!(parts, [SealedPart::Head, refusal]);
    assert_eq!(splitter.finish(), Ok(()));
    let error = AnswerPart::Error {
        status: 429,
        body: Bytes::from_static(b"{}"),
    };
    assert_eq!(read(opener, &refused), Ok(vec![error]));
}

/// What stands in clear says nothing else than what is sealed: nobody makes one of the other on the way.
#[test]
fn a_mark_that_was_changed_is_found() {
    const KIND: usize = 144 + 8;
    let node = TestNode::new(1);
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut refused = Vec::new();
    sealer.fail(429, b"{}", &mut refused).unwrap();
    refused[KIND] = 1;
    assert_eq!(read(opener, &refused), Err(Fault::FrameForged));
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.finish(b"it", &mut answer).unwrap();
    answer[KIND] = 3;
    assert_eq!(read(opener, &answer), Err(Fault::FrameForged));
}

#[test]
fn no_answer_is_told_as_an_error_of_a_good_status() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    for status in [0, 200, 399, 600] {
        let told = sealer.fail(status, b"the answer", &mut Vec::new());
        assert_eq!(told, Err(Fault::Refusal), "{status}");
    }
}

#[test]
fn a_gateway_finds_end_and_receipt_without_a_key() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.text(&[b'x'; 300], &mut answer).unwrap();
    sealer.finish(b"", &mut answer).unwrap();
    sealer.receipt(b"signed", &mut answer).unwrap();
    let mut splitter = AnswerSplitter::new();
    splitter.push(&answer);
    let parts: Vec<_> = std::iter::from_fn(|| splitter.part().unwrap()).collect();
    let frame = |last, length| SealedPart::Frame { last, length };
    let receipt = SealedPart::Receipt(Bytes::from_static(b"signed"));
    assert_eq!(
        parts,
        [
            SealedPart::Head,
            frame(false, 512),
            frame(true, 256),
            receipt
        ]
    );
    assert!(splitter.ended());
    assert_eq!(splitter.finish(), Ok(()));
}

#[test]
fn a_sealer_ends_once() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut out = Vec::new();
    assert_eq!(sealer.receipt(b"r", &mut out), Err(Fault::FrameKind));
    sealer.finish(b"end", &mut out).unwrap();
    let whole = out.clone();
    assert_eq!(sealer.text(b"more", &mut out), Err(Fault::AfterEnd));
    assert_eq!(sealer.finish(b"", &mut out), Err(Fault::AfterEnd));
    assert_eq!(sealer.fail(500, b"", &mut out), Err(Fault::AfterEnd));
    let long = vec![0; limits::MAX_RECEIPT_BYTES + 1];
    assert_eq!(sealer.receipt(&long, &mut out), Err(Fault::TooLong));
    assert_eq!(out, whole, "what is refused leaves nothing behind");
    sealer.receipt(b"r", &mut out).unwrap();
    assert_eq!(sealer.receipt(b"r", &mut out), Err(Fault::AfterEnd));
    let words = vec![0; limits::MAX_ERROR_BYTES + 1];
    assert_eq!(sealer.fail(500, &words, &mut out), Err(Fault::TooLong));
}

#[test]
fn a_node_that_was_not_asked_cannot_answer() {
    let (asked, other) = (TestNode::new(1), TestNode::new(2));
    let (_, opener) = answered(&asked);
    let (answer, _) = answered(&other);
    assert_eq!(read(opener, &answer), Err(Fault::AnswerNode));
}

#[test]
fn a_node_that_could_open_the_request_cannot_answer_for_another() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (request, opener) = sealed_to(&[&near, &far]);
    let (_, mut sealer) = opened(&far, &request);
    let mut answer = Vec::new();
    sealer.finish(b"mine", &mut answer).unwrap();
    answer[16..48].copy_from_slice(near.id().0.as_bytes());
    assert_eq!(read(opener, &answer), Err(Fault::AnswerKey));
}

#[test]
fn an_answer_is_to_one_request() {
    let node = TestNode::new(1);
    let (answer, _) = answered(&node);
    let mut later = atoma_channel::testing::terms();
    later.expires_at.0 += 1;
    let (_, opener) = crate::support::sealed(&later, &[&node], b"another");
    assert_eq!(read(opener, &answer), Err(Fault::AnswerRequest));
}

#[test]
fn two_answers_to_one_request_never_share_a_key() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let answer = |seed: u64| {
        let opening = node.open(&request).unwrap();
        let admitted = window().admit(&opening.seen(), NOW).unwrap();
        let (_, mut sealer) = opening
            .admitted(admitted, &SeededRandom::new(seed))
            .unwrap();
        let mut answer = Vec::new();
        sealer.finish(b"same", &mut answer).unwrap();
        answer
    };
    let (one, two) = (answer(1), answer(2));
    assert_ne!(one[80..144], two[80..144]);
    assert_ne!(one[153..], two[153..]);
}

#[test]
fn what_was_admitted_for_one_request_opens_no_other() {
    let node = TestNode::new(1);
    let (one, _) = sealed_to(&[&node]);
    let mut later = atoma_channel::testing::terms();
    later.expires_at.0 += 1;
    let (two, _) = crate::support::sealed(&later, &[&node], b"another");
    let (one, two) = (node.open(&one).unwrap(), node.open(&two).unwrap());
    let admitted = window().admit(&one.seen(), NOW).unwrap();
    let refused = two.admitted(admitted, &SeededRandom::new(1));
    assert_eq!(refused.map(|_| ()), Err(Fault::NotAdmitted));
}

#[test]
fn receipts_and_evidence_commit_to_ciphertext() {
    let node = TestNode::new(1);
    let salt = Salt::new([3; 32]);
    let (request, opener) = sealed_to(&[&node]);
    // who pays signs for the sealed bytes, and can't read them
    let header = RequestHeader {
        body_hash: salt.commit(CommitmentKind::Request, &request),
        ..sample::header()
    };
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.text(b"it ", &mut answer).unwrap();
    sealer.finish(b"is", &mut answer).unwrap();
    // the node's receipt is about what it sent up to there
    let mut receipt = sample::receipt(Hash32::of(&bcs::to_bytes(&header).unwrap()));
    receipt.response_hash = salt.commit(CommitmentKind::Answer, &answer);
    let signed = bcs::to_bytes(&receipt).unwrap();
    sealer.receipt(&signed, &mut answer).unwrap();
    // a gateway checks it as the answer passes, in whatever pieces
    let mut splitter = AnswerSplitter::committing(salt.hasher(CommitmentKind::Answer));
    let mut found = None;
    for piece in answer.chunks(100) {
        splitter.push(piece);
        while let Some(part) = splitter.part().unwrap() {
            if let SealedPart::Receipt(receipt) = part {
                found = Some((receipt, splitter.commitment()));
            }
        }
    }
    let expected = (Bytes::from(signed), Some(receipt.response_hash));
    assert_eq!(found, Some(expected));
    // and so does the client, which also reads it
    let mut opener = opener.committing(salt.hasher(CommitmentKind::Answer));
    opener.push(&answer[..200]);
    while opener.part().unwrap().is_some() {}
    assert_eq!(opener.commitment(), None, "it hasn't ended");
    opener.push(&answer[200..]);
    while opener.part().unwrap().is_some() {}
    assert_eq!(opener.commitment(), Some(receipt.response_hash));
    assert_eq!(opener.finish(), Ok(()));
    // somebody who guesses the text can't check the guess: neither hash is of it
    assert_ne!(
        header.body_hash,
        salt.commit(CommitmentKind::Request, crate::support::QUESTION)
    );
}
