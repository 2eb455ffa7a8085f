//! What somebody tries who holds a key: a client, another recipient, the node that answers.

use crate::{
    AnswerOpener, Fault, Padding, SealedRequest,
    answer::{AnswerKey, Asked},
    frame::{FRAME_HEAD, FrameSealer, Kind},
    hpke::{Unwrapping, Wrapping},
    key::{Key, WRAPPED},
    message_key::MessageKey,
    padding::{Content, pad_request},
    seal_request,
    tags::{ANSWER_TAG, REQUEST_TAG},
    testing::{NOW, TestNode, terms, window},
};
use atoma_runtime::SeededRandom;
use atoma_types::hash::Hash32;

/// A request to both nodes, and what opens its answer.
fn asked(near: &TestNode, far: &TestNode) -> (Vec<u8>, AnswerOpener) {
    let keysets = [near.verified(), far.verified()];
    seal_request(&terms(), &keysets, b"the question", &SeededRandom::new(1)).unwrap()
}

/// The content key, as the recipient in this place has it.
fn content_key(sealed: &[u8], node: &TestNode, place: usize) -> Key {
    let request = SealedRequest::read(sealed).unwrap();
    let own = &request.head().recipients[place];
    let secret = &node.secrets()[0].secret;
    let (tag, encapsulated) = (&REQUEST_TAG, &own.encapsulated);
    let opened = Unwrapping::new(secret, tag, own.keyset, own.key_id, encapsulated).unwrap();
    let wrapped = request.wrapped(place).unwrap();
    opened.unwrap(&wrapped, &request.head_hash().0).unwrap()
}

/// The request with other frames under the same key.
fn with_frames(sealed: &[u8], content: &Key, frames: &[(Kind, &[u8])]) -> Vec<u8> {
    let request = SealedRequest::read(sealed).unwrap();
    let start = sealed.len() - request.frames().len();
    let key = MessageKey::derive(content, &REQUEST_TAG, &REQUEST_TAG).unwrap();
    let mut sealer = FrameSealer::new(key, request.binding());
    let mut other = sealed[..start].to_vec();
    for (kind, text) in frames {
        let write = |out: &mut Vec<u8>| out.extend_from_slice(text);
        sealer.seal(*kind, write, &mut other).unwrap();
    }
    other
}

#[test]
fn a_recipient_that_puts_other_words_into_a_request_is_found_out_by_the_answer() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (sealed, mut opener) = asked(&near, &far);
    let content = content_key(&sealed, &far, 1);
    let other = pad_request(b"another question").unwrap();
    let other = with_frames(&sealed, &content, &[(Kind::Last, &other)]);
    // the near node can't know: anybody may ask it anything
    let opening = near.open(&other).unwrap();
    let admitted = window().admit(&opening.seen(), NOW).unwrap();
    let (text, mut sealer) = opening.admitted(admitted, &SeededRandom::new(2)).unwrap();
    assert_eq!(&text[..], b"another question");
    let mut answer = Vec::new();
    sealer.finish(b"an answer to that", &mut answer).unwrap();
    opener.push(&answer);
    assert_eq!(opener.part(), Err(Fault::AnswerRequest));
    // and the true request isn't opened beside it, though it is the same one to the window
    let mut window = window();
    let seen = [&other, &sealed].map(|sealed| near.open(sealed).unwrap().seen());
    assert!(window.admit(&seen[0], NOW).is_ok());
    let again = window.admit(&seen[1], NOW);
    assert_eq!(again.map(|_| ()), Err(Fault::Replayed));
}

#[test]
fn two_nodes_cannot_be_asked_different_things_by_one_request() {
    let node = TestNode::new(1);
    let (sealed, _) = asked(&node, &TestNode::new(2));
    let request = SealedRequest::read(&sealed).unwrap();
    let verified = node.verified();
    // a client wraps another key than the head commits to, bound as it must be
    let random = SeededRandom::new(3);
    let (mut wrapping, encapsulated) = Wrapping::new(
        &verified.key,
        &REQUEST_TAG,
        verified.digest,
        verified.key_id,
        &random,
    )
    .unwrap();
    let own = 20 + 123 + 68;
    let mut other = sealed.clone();
    other[own..own + encapsulated.0.len()].copy_from_slice(&encapsulated.0);
    let wraps = sealed.len() - request.frames().len() - 2 * WRAPPED;
    let bound = Hash32::of(&other[..wraps]);
    let wrapped = wrapping.wrap(&Key::new([9; 32]), &bound.0).unwrap();
    other[wraps..wraps + WRAPPED].copy_from_slice(&wrapped.0);
    assert_eq!(node.open(&other).map(|_| ()), Err(Fault::ContentKey));
}

#[test]
fn a_request_is_padded_in_one_way_alone() {
    let node = TestNode::new(1);
    let (sealed, _) = asked(&node, &TestNode::new(2));
    let content = content_key(&sealed, &node, 0);
    let open = |padded: &[u8]| {
        let other = with_frames(&sealed, &content, &[(Kind::Last, padded)]);
        node.open(&other).map(|_| ())
    };
    let padded = pad_request(b"words").unwrap();
    assert_eq!(open(&padded), Ok(()));
    assert_eq!(
        open(&[&padded[..], &[0; 1_024]].concat()),
        Err(Fault::Padding)
    );
    let filled = [&padded[..1_023], b"x"].concat();
    assert_eq!(open(&filled), Err(Fault::Padding));
    assert_eq!(open(&padded[..1_000]), Err(Fault::FrameLength));
}

#[test]
fn an_answer_has_text_then_at_most_one_error() {
    let node = TestNode::new(1).id();
    let secret = || Key::new([8; 32]);
    let (request, random) = (Hash32([7; 32]), SeededRandom::new(4));
    let answer = |frames: &[(Kind, Vec<u8>)]| {
        let key = AnswerKey {
            node,
            request,
            secret: secret(),
        };
        // the head is the sealer's, the frames are what a node makes of its key
        let mut head = Vec::new();
        let mut sealer = key.sealer(Padding::Blocks, &random).unwrap();
        sealer.finish(b"", &mut head).unwrap();
        head.truncate(head.len() - FRAME_HEAD - 256 - 16);
        let salt = [&request.0[..], &head[80..112]].concat();
        let key = MessageKey::derive(&secret(), &salt, &ANSWER_TAG).unwrap();
        let mut sealer = FrameSealer::new(key, Hash32::of(&head));
        for (kind, padded) in frames {
            let write = |out: &mut Vec<u8>| out.extend_from_slice(padded);
            sealer.seal(*kind, write, &mut head).unwrap();
        }
        let asked = vec![Asked {
            node,
            secret: secret(),
        }];
        let mut opener = AnswerOpener::new(asked, request, Padding::Blocks);
        opener.push(&head);
        while opener.part()?.is_some() {}
        opener.finish()
    };
    let padded = |content: Content, bytes: &[u8]| {
        let mut padded = Vec::new();
        Padding::Blocks.pad(content, bytes, &mut padded);
        padded
    };
    let text = padded(Content::Text, b"text");
    let error = padded(Content::Error, b"\xf4\x01{}");
    assert_eq!(
        answer(&[(Kind::More, text.clone()), (Kind::Last, error.clone())]),
        Ok(())
    );
    let goes_on = [(Kind::More, error.clone()), (Kind::Last, text.clone())];
    assert_eq!(answer(&goes_on), Err(Fault::Mixed));
    let no_status = padded(Content::Error, b"\xf4");
    assert_eq!(answer(&[(Kind::Refusal, no_status)]), Err(Fault::Padding));
    // whoever can't read takes it for what whoever can read does
    assert_eq!(answer(&[(Kind::Refusal, error.clone())]), Ok(()));
    assert_eq!(
        answer(&[(Kind::Last, error)]),
        Err(Fault::Refusal),
        "a refusal that looks like an answer"
    );
    assert_eq!(
        answer(&[(Kind::Refusal, text.clone())]),
        Err(Fault::Refusal),
        "an answer that looks like a refusal"
    );
    let told = padded(Content::Error, b"\xc8\x00the answer, with status 200");
    assert_eq!(answer(&[(Kind::Refusal, told)]), Err(Fault::Refusal));
    let long = padded(Content::Error, &[1; 5_000]);
    assert_eq!(answer(&[(Kind::Refusal, long)]), Err(Fault::FrameLength));
    let mut unknown = text.clone();
    unknown[0] = 2;
    assert_eq!(answer(&[(Kind::Last, unknown)]), Err(Fault::FrameKind));
    let longer = [&text[..], &[0; 256]].concat();
    assert_eq!(answer(&[(Kind::Last, longer)]), Err(Fault::Padding));
    let odd = text[..255].to_vec();
    assert_eq!(answer(&[(Kind::Last, odd)]), Err(Fault::FrameLength));
}
