//! One changed byte anywhere in what is sealed: it is refused, and with the reason that fits.

use crate::support::{opened, read, sealed_to};
use atoma_channel::{
    Fault, KeyRing, SealedRequest,
    testing::{NOW, TestNode},
};
use std::collections::BTreeSet;

/// Where the first recipient stands in a request.
const RECIPIENT: usize = 20 + 123;

/// The codes of all refusals when one byte of a range is changed at a time. Every change must be refused.
fn codes(
    bytes: &[u8],
    places: std::ops::Range<usize>,
    open: impl Fn(&[u8]) -> Result<(), Fault>,
) -> BTreeSet<&'static str> {
    let mut codes = BTreeSet::new();
    for place in places {
        let mut changed = bytes.to_vec();
        changed[place] ^= if place.is_multiple_of(2) { 0x01 } else { 0x80 };
        let refused = open(&changed);
        let fault = refused.expect_err(&format!("byte {place}"));
        codes.insert(fault.code());
    }
    codes
}

fn open(ring: &KeyRing, bytes: &[u8]) -> Result<(), Fault> {
    let request = SealedRequest::read(bytes)?;
    ring.open(&request, NOW).map(|_| ())
}

#[test]
fn no_flipped_byte_of_a_request_is_accepted() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let ring = node.ring();
    assert_eq!(open(&ring, &request), Ok(()));
    let codes = |range| codes(&request, range, |bytes| open(&ring, bytes));
    let wrapped = RECIPIENT + 1_188;
    let frame = wrapped + 48;
    assert_eq!(codes(0..16), BTreeSet::from(["not_sealed"]));
    assert_eq!(codes(20..52), BTreeSet::from(["sealed_network"]));
    let named = codes(RECIPIENT..RECIPIENT + 32);
    assert_eq!(named, BTreeSet::from(["sealed_recipient"]));
    let key = codes(RECIPIENT + 32..RECIPIENT + 68);
    assert_eq!(key, BTreeSet::from(["sealing_key_unknown"]));
    // X-Wing never refuses: another secret comes out, to which nothing was wrapped
    let bound = codes(RECIPIENT + 68..frame);
    assert_eq!(bound, BTreeSet::from(["wrapped_key"]));
    let text = codes(frame + 9..request.len());
    assert_eq!(text, BTreeSet::from(["frame_forged"]));
    // lengths, indices, kinds, times and the rest of the head
    codes(16..20);
    codes(52..RECIPIENT);
    codes(frame..frame + 9);
}

#[test]
fn nor_one_of_what_is_there_for_another_recipient() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (request, _) = sealed_to(&[&near, &far]);
    let wrapped = RECIPIENT + 2 * 1_188;
    for (ring, other) in [(near.ring(), 1), (far.ring(), 0)] {
        assert_eq!(open(&ring, &request), Ok(()));
        let codes = |range| codes(&request, range, |bytes| open(&ring, bytes));
        let listed = RECIPIENT + other * 1_188;
        let bound = codes(listed..listed + 100);
        assert_eq!(bound, BTreeSet::from(["wrapped_key"]));
        let last = codes(listed + 1_100..listed + 1_188);
        assert_eq!(last, BTreeSet::from(["wrapped_key"]));
        let wrapped = codes(wrapped + other * 48..wrapped + (other + 1) * 48);
        assert_eq!(wrapped, BTreeSet::from(["frame_forged"]));
    }
}

#[test]
fn no_flipped_byte_of_an_answer_is_accepted() {
    let node = TestNode::new(1);
    let (request, opener) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.finish(b"this", &mut answer).unwrap();
    assert!(read(opener, &answer).is_ok());
    let codes = |range| {
        codes(&answer, range, |bytes| {
            let (_, opener) = sealed_to(&[&node]);
            read(opener, bytes).map(|_| ())
        })
    };
    assert_eq!(codes(0..16), BTreeSet::from(["plain_answer"]));
    assert_eq!(codes(16..48), BTreeSet::from(["answer_node"]));
    assert_eq!(codes(48..80), BTreeSet::from(["answer_request"]));
    assert_eq!(codes(80..144), BTreeSet::from(["answer_key"]));
    let first = 144 + 9;
    assert_eq!(
        codes(first..first + 256 + 16),
        BTreeSet::from(["frame_forged"])
    );
    assert_eq!(answer.len(), first + 256 + 16);
    codes(144..first);
}
