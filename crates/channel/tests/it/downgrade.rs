//! Who asked for a sealed answer takes no other, and who takes sealed requests takes no other.

use crate::support::{read, sealed_to};
use atoma_channel::{Fault, SealedRequest, testing::TestNode};

#[test]
fn a_plain_answer_is_refused() {
    let node = TestNode::new(1);
    let plain: [&[u8]; 5] = [
        br#"{"choices":[{"message":{"content":"hi"}}]}"#,
        b"data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
        br#"{"error":{"code":"unavailable"}}"#,
        b"{",
        b"atoma/sealreq/v1",
    ];
    for answer in plain {
        let (_, opener) = sealed_to(&[&node]);
        assert_eq!(read(opener, answer), Err(Fault::PlainAnswer));
    }
    let (_, opener) = sealed_to(&[&node]);
    assert_eq!(read(opener, b""), Err(Fault::Truncated));
}

#[test]
fn a_plain_request_is_refused() {
    for body in [
        &b"{\"model\":\"m\"}"[..],
        b"",
        b"atoma/sealans/v1",
        b"ATOMA/sealreq/v1",
    ] {
        assert!(!SealedRequest::is_one(body));
        assert_eq!(SealedRequest::read(body), Err(Fault::NotSealed));
    }
}

#[test]
fn there_is_no_other_suite_to_be_talked_into() {
    let node = TestNode::new(1);
    // another version of the format is another format
    let (mut older, _) = sealed_to(&[&node]);
    older[15] = b'0';
    assert_eq!(node.open(&older).map(|_| ()), Err(Fault::NotSealed));
}

#[test]
fn codes_are_unique_plain_and_in_the_protocol() {
    let protocol = include_str!("../../../../docs/protocol.md");
    let mut seen = std::collections::BTreeSet::new();
    for fault in Fault::ALL {
        let code = fault.code();
        assert!(seen.insert(code), "{code}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(code.bytes().all(plain), "{code}");
        let row = format!("| `{code}` | {fault} |");
        assert!(protocol.contains(&row), "{row}");
    }
}
