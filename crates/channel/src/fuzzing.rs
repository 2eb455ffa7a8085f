//! What must hold of this crate's parsers, for whatever bytes strangers send. Each function panics where something
//! doesn't; the fuzz targets of `tests/fuzz` call them.

pub mod model;

use crate::{
    AnswerOpener, AnswerPart, AnswerSplitter, Fault, Padding, SealedPart, SealedRequest,
    answer::{AnswerKey, Asked},
    key::Key,
    padding::{pad_request, unpad_request},
    seal_request,
    testing::{NOW, TestNode, terms},
};
use atoma_runtime::{Random, SeededRandom};
use atoma_types::{NodeId, hash::Hash32};
use std::sync::LazyLock;

const QUESTION: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
const REQUEST: Hash32 = Hash32([7; 32]);
const RECEIPT: &[u8] = b"a receipt";

/// Sealed requests that can be opened: to one node, and to two.
#[must_use]
pub fn requests() -> Vec<Vec<u8>> {
    static REQUESTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let random = SeededRandom::new(1);
        let nodes = [TestNode::new(1).verified(), TestNode::new(2).verified()];
        let seal = |nodes| seal_request(&terms(), nodes, QUESTION, &random);
        let sealed = [seal(&nodes[..1]), seal(&nodes)];
        let sealed = sealed.into_iter().map(|sealed| sealed.expect("sealed").0);
        sealed.collect()
    });
    REQUESTS.clone()
}

/// A request: what has its form is written anew to the same bytes, and what opens is one that was sealed.
pub fn request(bytes: &[u8]) {
    let Ok(request) = SealedRequest::read(bytes) else {
        return;
    };
    let head = bcs::to_bytes(request.head()).expect("a head has BCS");
    assert_eq!(&bytes[20..20 + head.len()], head);
    static NODE: LazyLock<crate::KeyRing> = LazyLock::new(|| TestNode::new(1).ring());
    if NODE.open(&request, NOW).is_ok() {
        assert!(requests().iter().any(|sealed| sealed == bytes));
    }
}

/// Sealed answers that can be opened: text with a receipt, text that ends in an error, a refusal.
#[must_use]
pub fn answers() -> Vec<Vec<u8>> {
    let sealer = |padding: Padding| {
        let random = SeededRandom::new(2);
        let key = AnswerKey {
            node: node(),
            request: REQUEST,
            secret: secret(),
        };
        key.sealer(padding, &random as &dyn Random)
    };
    let refused = |padding: Padding| -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        sealer(padding)?.fail(429, b"{}", &mut out)?;
        Ok(out)
    };
    let answer = |padding: Padding, failed: bool| -> Result<Vec<u8>, Fault> {
        let mut sealer = sealer(padding)?;
        let mut out = Vec::new();
        sealer.text(b"some", &mut out)?;
        if failed {
            sealer.fail(500, b"{}", &mut out)?;
        } else {
            sealer.finish(b" text", &mut out)?;
            sealer.receipt(RECEIPT, &mut out)?;
        }
        Ok(out)
    };
    let blocks = [
        answer(Padding::Blocks, false),
        answer(Padding::Blocks, true),
        refused(Padding::Blocks),
    ];
    blocks
        .into_iter()
        .map(|sealed| sealed.expect("sealed"))
        .collect()
}

/// An answer: its parts are the same however it is cut, and what opens to its end is one that was sealed.
pub fn answer(bytes: &[u8]) {
    assert_eq!(split(bytes, bytes.len().max(1)), split(bytes, 7));
    let asked = Asked {
        node: node(),
        secret: secret(),
    };
    let mut opener = AnswerOpener::new(vec![asked], REQUEST, Padding::Blocks);
    opener.push(bytes);
    let mut receipt = 0;
    let opened = loop {
        match opener.part() {
            Ok(Some(AnswerPart::Receipt(bytes))) => receipt = 9 + bytes.len(),
            Ok(Some(_)) => {}
            Ok(None) => break opener.finish(),
            Err(fault) => break Err(fault),
        }
    };
    if opened.is_ok() {
        // the receipt is signed, not encrypted
        let sealed = &bytes[..bytes.len() - receipt];
        assert!(answers().iter().any(|whole| whole.starts_with(sealed)));
    }
}

fn split(bytes: &[u8], piece: usize) -> (Vec<SealedPart>, Result<(), Fault>) {
    let mut splitter = AnswerSplitter::new();
    let mut parts = Vec::new();
    for piece in bytes.chunks(piece) {
        splitter.push(piece);
        loop {
            match splitter.part() {
                Ok(Some(part)) => parts.push(part),
                Ok(None) => break,
                Err(fault) => return (parts, Err(fault)),
            }
        }
    }
    (parts, splitter.finish())
}

/// Padded texts: each has one form. They stand behind encryption, where no changed byte would reach their reader.
pub fn padding(bytes: &[u8]) {
    let mut text = bytes.to_vec();
    if unpad_request(&mut text).is_ok() {
        assert_eq!(pad_request(&text).as_deref(), Ok(bytes));
    }
    for padding in [Padding::Blocks, Padding::Even] {
        if let Ok((content, place)) = padding.unpad(bytes) {
            assert!(padding.allows(bytes.len()));
            let mut padded = Vec::new();
            padding.pad(content, &bytes[place], &mut padded);
            assert_eq!(padded, bytes);
        }
    }
}

fn node() -> NodeId {
    NodeId(atoma_types::Address::new([1; 32]))
}

fn secret() -> Key {
    Key::new([8; 32])
}
