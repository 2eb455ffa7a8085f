//! What is sealed is opened, by whichever node it was sealed to.

use crate::support::{opened, read, sealed, text};
use atoma_channel::{
    AnswerPart, Fault, Padding, RequestTerms, SealedRequest, limits, seal_request,
    testing::{TestNode, terms},
};
use atoma_runtime::SeededRandom;
use atoma_types::{ComputeUnits, hash::Hash32};
use bytes::Bytes;

#[test]
fn any_of_the_nodes_opens_the_request_and_answers_the_asker_alone() {
    let nodes: Vec<TestNode> = (1..=4).map(TestNode::new).collect();
    for count in 1..=nodes.len() {
        let asked: Vec<&TestNode> = nodes[..count].iter().collect();
        for node in &asked {
            let (request, opener) = sealed(&terms(), &asked, b"hi");
            let (question, mut sealer) = opened(node, &request);
            assert_eq!(&question[..], b"hi");
            let mut answer = Vec::new();
            sealer.text(b"he", &mut answer).unwrap();
            sealer.finish(b"llo", &mut answer).unwrap();
            assert_eq!(read(opener, &answer), Ok(vec![text("he"), text("llo")]));
        }
    }
}

#[test]
fn texts_of_every_size_come_through_and_have_few_sizes() {
    let node = TestNode::new(1);
    let mut lengths = Vec::new();
    for length in [0, 1, 1_020, 1_021, 4_096, 65_532, 65_533, 200_000] {
        let question = vec![b'q'; length];
        let (request, _) = sealed(&terms(), &[&node], &question);
        assert_eq!(opened(&node, &request).0[..], question[..], "{length}");
        lengths.push(request.len());
    }
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[1], lengths[2]);
    lengths.dedup();
    assert_eq!(lengths.len(), 6);
}

#[test]
fn who_has_no_key_reads_what_the_client_said_openly_and_no_more() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (request, opener) = sealed(&terms(), &[&near, &far], b"secret words");
    let read = SealedRequest::read(&request).unwrap();
    let head = read.head();
    assert_eq!((head.network, head.task), (terms().network, terms().task));
    assert_eq!(head.max_units, ComputeUnits(1_000));
    assert_eq!(head.place_of(near.id()), Some(0));
    assert_eq!(head.place_of(far.id()), Some(1));
    assert_eq!(head.place_of(TestNode::new(3).id()), None);
    assert_eq!(
        (read.hash(), opener.request()),
        (Hash32::of(&request), Hash32::of(&request))
    );
    let holds = |window: &[u8]| window == b"secret words";
    assert!(!request.windows(12).any(holds));
}

#[test]
fn frames_of_an_even_answer_have_one_size() {
    let node = TestNode::new(1);
    let even = RequestTerms {
        padding: Padding::Even,
        ..terms()
    };
    let (request, mut opener) = sealed(&even, &[&node], b"hi");
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    let long = vec![b'x'; 10_000];
    for piece in [&b"a"[..], b"", &long] {
        sealer.text(piece, &mut answer).unwrap();
    }
    sealer.fail(503, b"full", &mut answer).unwrap();
    let frame = 9 + limits::EVEN_FRAME_BYTES + 16;
    assert_eq!(answer.len(), 144 + 6 * frame);
    opener.push(&answer);
    let mut said = Vec::new();
    while let Some(part) = opener.part().unwrap() {
        match part {
            AnswerPart::Text(text) => said.extend_from_slice(&text),
            AnswerPart::Error { status, body } => {
                assert_eq!((status, &body[..]), (503, &b"full"[..]));
            }
            AnswerPart::Receipt(_) => panic!("there is none"),
        }
    }
    assert_eq!(said.len(), 10_001);
    assert_eq!(opener.node(), Some(node.id()));
    assert_eq!(opener.finish(), Ok(()));
}

#[test]
fn an_answer_comes_through_in_whatever_pieces() {
    let node = TestNode::new(1);
    for piece in [1, 5, 300, 10_000] {
        let (request, mut opener) = sealed(&terms(), &[&node], b"hi");
        let (_, mut sealer) = opened(&node, &request);
        let mut answer = Vec::new();
        sealer.text(b"one", &mut answer).unwrap();
        sealer.finish(b"two", &mut answer).unwrap();
        sealer.receipt(b"signed", &mut answer).unwrap();
        let mut parts = Vec::new();
        for bytes in answer.chunks(piece) {
            opener.push(bytes);
            while let Some(part) = opener.part().unwrap() {
                parts.push(part);
            }
        }
        let receipt = AnswerPart::Receipt(Bytes::from_static(b"signed"));
        assert_eq!(parts, [text("one"), text("two"), receipt]);
        assert_eq!(opener.finish(), Ok(()));
    }
}

#[test]
fn what_no_request_may_be_is_not_sealed() {
    let random = SeededRandom::new(1);
    let node = TestNode::new(1).verified();
    let five: Vec<_> = (1..=5).map(|n| TestNode::new(n).verified()).collect();
    let try_it = |terms: &RequestTerms, nodes: &[_], text: &[u8]| {
        seal_request(terms, nodes, text, &random)
            .map(|_| ())
            .unwrap_err()
    };
    assert_eq!(try_it(&terms(), &[], b""), Fault::Recipients);
    assert_eq!(try_it(&terms(), &five, b""), Fault::Recipients);
    let twice = [node.clone(), node.clone()];
    assert_eq!(try_it(&terms(), &twice, b""), Fault::Recipients);
    let mut long = terms();
    long.expires_at.0 = long.issued_at.0 + 120_001;
    assert_eq!(try_it(&long, &five[..1], b""), Fault::Lifetime);
    long.expires_at = long.issued_at;
    assert_eq!(try_it(&long, &five[..1], b""), Fault::Lifetime);
    let text = vec![0; limits::MAX_REQUEST_BYTES + 1];
    assert_eq!(try_it(&terms(), &[node], &text), Fault::TooLong);
}
