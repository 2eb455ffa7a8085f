//! What several tests begin with.

use atoma_channel::{
    AnswerOpener, AnswerPart, AnswerSealer, Fault, RequestTerms, VerifiedKeyset, seal_request,
    testing::{NOW, TestNode, terms, window},
};
use atoma_runtime::SeededRandom;
use bytes::Bytes;
use zeroize::Zeroizing;

pub(crate) const QUESTION: &[u8] = b"what is it?";

/// Seals the question to these nodes.
pub(crate) fn sealed_to(nodes: &[&TestNode]) -> (Vec<u8>, AnswerOpener) {
    sealed(&terms(), nodes, QUESTION)
}

pub(crate) fn sealed(
    terms: &RequestTerms,
    nodes: &[&TestNode],
    text: &[u8],
) -> (Vec<u8>, AnswerOpener) {
    let keysets: Vec<VerifiedKeyset> = nodes.iter().map(|node| node.verified()).collect();
    seal_request(terms, &keysets, text, &SeededRandom::new(5)).unwrap()
}

/// Opens a request as a node that has seen no other.
pub(crate) fn opened(node: &TestNode, sealed: &[u8]) -> (Zeroizing<Vec<u8>>, AnswerSealer) {
    let opening = node.open(sealed).unwrap();
    let admitted = window().admit(&opening.seen(), NOW).unwrap();
    opening.admitted(admitted, &SeededRandom::new(6)).unwrap()
}

/// An answer of three frames by this node, and what opens it.
pub(crate) fn answered(node: &TestNode) -> (Vec<u8>, AnswerOpener) {
    let (sealed, opener) = sealed_to(&[node]);
    let (_, mut sealer) = opened(node, &sealed);
    let mut answer = Vec::new();
    sealer.text(b"it ", &mut answer).unwrap();
    sealer.text(b"is ", &mut answer).unwrap();
    sealer.finish(b"this", &mut answer).unwrap();
    (answer, opener)
}

/// All parts of an answer that comes at once.
pub(crate) fn read(mut opener: AnswerOpener, answer: &[u8]) -> Result<Vec<AnswerPart>, Fault> {
    opener.push(answer);
    let mut parts = Vec::new();
    while let Some(part) = opener.part()? {
        parts.push(part);
    }
    opener.finish()?;
    Ok(parts)
}

pub(crate) fn text(text: &'static str) -> AnswerPart {
    AnswerPart::Text(Bytes::from_static(text.as_bytes()))
}

/// Where each frame of a message begins, and where the last ends. `start` is where the first begins.
pub(crate) fn frames(message: &[u8], start: usize) -> Vec<std::ops::Range<usize>> {
    let mut frames = Vec::new();
    let mut at = start;
    while at < message.len() {
        let length = u32::from_le_bytes(message[at..at + 4].try_into().unwrap()) as usize;
        frames.push(at..at + 9 + length);
        at += 9 + length;
    }
    frames
}

/// The message with its frames in another order.
pub(crate) fn rearranged(message: &[u8], start: usize, order: &[usize]) -> Vec<u8> {
    let frames = frames(message, start);
    let mut other = message[..start].to_vec();
    for place in order {
        other.extend_from_slice(&message[frames[*place].clone()]);
    }
    other
}
