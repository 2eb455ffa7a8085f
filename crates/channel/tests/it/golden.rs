//! Every byte of a request and an answer, in its place.

use crate::support::{answered, frames, opened, sealed_to};
use atoma_channel::testing::{NOW, TestNode};
use atoma_types::hash::Hash32;

fn number(n: u64) -> String {
    hex::encode(n.to_le_bytes())
}

#[test]
fn a_requests_bytes() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (request, _) = sealed_to(&[&near, &far]);
    let part = |range: std::ops::Range<usize>| hex::encode(&request[range]);
    let recipient = |place: usize, node: &TestNode| {
        let start = 143 + place * 1_188;
        let head = [
            hex::encode(node.id().0.as_bytes()),
            node.keyset.digest().to_string(),
            "01000000".to_owned(),
        ];
        assert_eq!(part(start..start + 68), head.concat());
    };
    let head = [
        hex::encode("atoma/sealreq/v1"),
        hex::encode(2_499_u32.to_le_bytes()),
        "01".repeat(32),
        "04".repeat(32),
        "00".to_owned(),
        number(1_000),
        number(NOW.0),
        number(NOW.0 + 60_000),
        "00".to_owned(),
        "7f2cb2f8d18a4cba353dad3ae08df0432cdda96f3e79321c87de896c843c3063".to_owned(),
        "02".to_owned(),
    ];
    assert_eq!(part(0..143), head.concat());
    recipient(0, &near);
    recipient(1, &far);
    let wrapped = 143 + 2 * 1_188;
    let frame = wrapped + 2 * 48;
    let frame_head = [
        hex::encode(1_040_u32.to_le_bytes()),
        "00000000".to_owned(),
        "01".to_owned(),
    ];
    assert_eq!(part(frame..frame + 9), frame_head.concat());
    let only = &frames(&request, frame)[..];
    assert!(matches!(only, [one] if *one == (frame..request.len())));
    assert_eq!(request.len(), frame + 9 + 1_024 + 16);
    let hashes = [
        &request[143 + 68..143 + 1_188],
        &request[wrapped..frame],
        &request[frame..],
        &request[..],
    ]
    .map(|part| Hash32::of(part).to_string());
    assert_eq!(
        hashes,
        [
            "8cdc94d75d2484cd2eea7cb687f840af10764f789a3386c5b30497f3288734cd",
            "72042fb98a94a7051791dfecff8a095fa1050aee9bf5d377a4ede97eb07c4156",
            "fe5f2cbc6837cc346e7c4a49d87b4d80bbe2478b7b08afa838f1205b0df5459f",
            "3e02be3174659b1028584ae059158db66859f3de26701f710ecd2a3b262ef94a"
        ]
    );
}

#[test]
fn an_answers_bytes() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (answer, _) = answered(&node);
    let part = |range: std::ops::Range<usize>| hex::encode(&answer[range]);
    let head = [
        hex::encode("atoma/sealans/v1"),
        "01".repeat(32),
        Hash32::of(&request).to_string(),
        "e6c2614f6ebd4c6b5055bf86866fae7b56a9602a99133250ba8b7f516dff9dc4".to_owned(),
        "ca603440df0231b1d5a4e99809aaa5e8fb73edc0d2b0d0b3cea0a4bba7bcf47c".to_owned(),
    ];
    assert_eq!(part(0..144), head.concat());
    for (index, frame) in frames(&answer, 144).into_iter().enumerate() {
        let kind = if index == 2 { "01" } else { "00" };
        let frame_head = [
            hex::encode(272_u32.to_le_bytes()),
            hex::encode(u32::try_from(index).unwrap().to_le_bytes()),
            kind.to_owned(),
        ];
        assert_eq!(part(frame.start..frame.start + 9), frame_head.concat());
        assert_eq!(frame.len(), 9 + 256 + 16);
    }
    assert_eq!(
        Hash32::of(&answer).to_string(),
        "df14ecc3c3894c3e0d84fe8af968c18084fe7595148668b237b851f0a7870204"
    );
}

#[test]
fn an_error_and_a_receipt_in_bytes() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.text(b"it ", &mut answer).unwrap();
    sealer.fail(503, b"{}", &mut answer).unwrap();
    let failed = Hash32::of(&answer).to_string();
    assert_eq!(
        failed,
        "2fc1c735fdf366243522fcaa8ca29852ac75cedcc868d4d7c508901be57cc265"
    );
    let end = answer.len();
    sealer.receipt(b"signed", &mut answer).unwrap();
    let receipt = ["06000000", "02000000", "02", &hex::encode("signed")];
    assert_eq!(hex::encode(&answer[end..]), receipt.concat());
}

#[test]
fn a_refusal_in_bytes() {
    let node = TestNode::new(1);
    let (request, _) = sealed_to(&[&node]);
    let (_, mut sealer) = opened(&node, &request);
    let mut answer = Vec::new();
    sealer.fail(503, b"{}", &mut answer).unwrap();
    let head = ["10010000", "00000000", "03"].concat();
    assert_eq!(hex::encode(&answer[144..153]), head);
    assert_eq!(answer.len(), 153 + 256 + 16);
    assert_eq!(
        Hash32::of(&answer).to_string(),
        "dd4ce5ddb5c7098dc37fa23dc42f7c34a21e93069ae8cd049a9801728a0f9c0c"
    );
}
