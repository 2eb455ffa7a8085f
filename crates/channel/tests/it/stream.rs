//! Frames that were left out, repeated, swapped or added: each is refused for that.

use crate::support::{answered, frames, read, rearranged, sealed};
use atoma_channel::{
    Fault, SealedRequest,
    testing::{TestNode, terms},
};

const HEAD: usize = 144;

#[test]
fn a_truncated_answer_is_never_whole() {
    let node = TestNode::new(1);
    let (answer, _) = answered(&node);
    for length in 0..answer.len() {
        // the opener is made once for many lengths that don't fall on a frame's end
        if length % 37 != 0 && !frames(&answer, HEAD).iter().any(|f| f.start == length) {
            continue;
        }
        let (_, opener) = answered(&node);
        assert_eq!(
            read(opener, &answer[..length]),
            Err(Fault::Truncated),
            "{length}"
        );
    }
}

#[test]
fn frames_of_an_answer_come_once_and_in_order() {
    let node = TestNode::new(1);
    let plays: [(&[usize], Fault); 7] = [
        (&[0, 1], Fault::Truncated),
        (&[1, 0, 2], Fault::FrameMissing),
        (&[0, 2], Fault::FrameMissing),
        (&[2], Fault::FrameMissing),
        (&[0, 0, 1, 2], Fault::FrameRepeated),
        (&[0, 1, 2, 2], Fault::FrameRepeated),
        (&[0, 1, 2, 0], Fault::FrameRepeated),
    ];
    for (order, fault) in plays {
        let (answer, opener) = answered(&node);
        let other = rearranged(&answer, HEAD, order);
        assert_eq!(read(opener, &other), Err(fault), "{order:?}");
    }
}

#[test]
fn a_frame_with_another_index_is_forged() {
    let node = TestNode::new(1);
    let (answer, opener) = answered(&node);
    // the second frame in the first one's place, with its number
    let mut other = rearranged(&answer, HEAD, &[1, 0, 2]);
    other[HEAD + 4] = 0;
    assert_eq!(read(opener, &other), Err(Fault::FrameForged));
}

#[test]
fn an_end_cannot_be_made_earlier() {
    let node = TestNode::new(1);
    let (answer, opener) = answered(&node);
    let mut other = rearranged(&answer, HEAD, &[0]);
    other[HEAD + 8] = 1;
    assert_eq!(read(opener, &other), Err(Fault::FrameForged));
}

#[test]
fn nothing_stands_behind_the_end() {
    let node = TestNode::new(1);
    for tail in [&b"x"[..], b"data: more\n\n", &[0; 300]] {
        let (answer, opener) = answered(&node);
        let longer = [&answer[..], tail].concat();
        let refused = read(opener, &longer);
        let faults = [
            Fault::AfterEnd,
            Fault::FrameKind,
            Fault::FrameRepeated,
            Fault::FrameLength,
        ];
        assert!(faults.map(Err).contains(&refused), "{refused:?}");
    }
}

#[test]
fn a_failed_opener_stays_failed() {
    let node = TestNode::new(1);
    let (answer, mut opener) = answered(&node);
    let mut forged = answer.clone();
    forged[HEAD + 9] ^= 1;
    opener.push(&forged);
    assert_eq!(opener.part(), Err(Fault::FrameForged));
    opener.push(&answer);
    assert_eq!(opener.part(), Err(Fault::FrameForged));
    assert_eq!(opener.finish(), Err(Fault::FrameForged));
}

#[test]
fn a_request_is_whole_or_refused() {
    let node = TestNode::new(1);
    let (request, _) = sealed(&terms(), &[&node], &vec![b'q'; 150_000]);
    let start = 20 + 123 + 1_188 + 48;
    assert_eq!(frames(&request, start).len(), 3);
    let plays: [(&[usize], Fault); 6] = [
        (&[], Fault::Truncated),
        (&[0, 1], Fault::Truncated),
        (&[0, 2], Fault::FrameMissing),
        (&[1, 0, 2], Fault::FrameMissing),
        (&[0, 1, 1, 2], Fault::FrameRepeated),
        (&[0, 1, 2, 2], Fault::AfterEnd),
    ];
    for (order, fault) in plays {
        let other = rearranged(&request, start, order);
        assert_eq!(node.open(&other).map(|_| ()), Err(fault), "{order:?}");
    }
    for length in (0..request.len()).step_by(997) {
        let fault = if length < 16 {
            Fault::NotSealed
        } else {
            Fault::Truncated
        };
        assert_eq!(
            SealedRequest::read(&request[..length]),
            Err(fault),
            "{length}"
        );
    }
}

#[test]
fn frames_of_two_messages_do_not_mix() {
    let node = TestNode::new(1);
    let (one, opener) = answered(&node);
    let mut other = terms();
    other.max_units.0 += 1;
    let (request, _) = sealed(&other, &[&node], b"another");
    let (_, mut sealer) = crate::support::opened(&node, &request);
    let mut two = Vec::new();
    sealer.text(b"it ", &mut two).unwrap();
    sealer.finish(b"is ", &mut two).unwrap();
    let spliced = [&one[..HEAD], &two[HEAD..]].concat();
    assert_eq!(read(opener, &spliced), Err(Fault::FrameForged));
}
