//! The header of a request: asks for an answer to one body, and is a cumulative voucher.

use super::{Domain, Message, RequestTag, Signed};
use crate::{
    BlobId, ComputeUnits, DurationMs, NetworkId, NodeId, RequestId, StackId, TaskId, TimestampMs,
    hash::Hash32, role::byte_enum,
};
use serde::{Deserialize, Serialize};

/// A header may live at most this long: a node remembers request ids until they expire, and the
/// memory must stay bounded.
pub const MAX_REQUEST_LIFETIME: DurationMs = DurationMs(120_000);

byte_enum!(
    /// The endpoint a request is for.
    Endpoint {
        /// Requests to `POST /v1/chat/completions`.
        ChatCompletions = "/v1/chat/completions",
        /// Requests to `POST /v1/completions`.
        Completions = "/v1/completions",
        /// Requests to `POST /v1/embeddings`.
        Embeddings = "/v1/embeddings",
    }
);

/// One signature, two roles: the user's request with the body of this hash, and a voucher that the
/// node may have claimed up to `ceiling` units in all on this lease in this lane. Ceilings only
/// rise, so the node keeps the highest header of each lane and old ones are worthless.
///
/// # BCS (228 bytes, 260 where `origin` names a blob or another request)
/// ```text
/// domain         16   "atoma/request/v1"
/// network        32   stack 32   node 32   task 32
/// request_id     16
/// endpoint        1   0 chat, 1 completions, 2 embeddings
/// body_hash      32   commitment to the body bytes exactly as sent (see [`Salt`](super::Salt))
/// lane            2   u16 le
/// ceiling         8   u64 le, units
/// max_units       8   u64 le, units: the most this request may cost
/// issued_at_ms    8   u64 le
/// expires_at_ms   8   u64 le
/// origin          1   0; 1 ‖ 32-byte blob id; 2 ‖ 32-byte hash of another request's header; 3
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHeader {
    /// Always the request tag.
    pub domain: Domain<RequestTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// The stack that pays.
    pub stack: StackId,
    /// The node that may serve and claim.
    pub node: NodeId,
    /// Id of the task that the stack is of.
    pub task: TaskId,
    /// Chosen at random; never used twice.
    pub request_id: RequestId,
    /// The endpoint that the request is for; another may not serve it.
    pub endpoint: Endpoint,
    /// The salted commitment to the body as sent.
    pub body_hash: Hash32,
    /// Which of the owner's independent counters `ceiling` belongs to.
    pub lane: u16,
    /// Units that the node may have claimed in this lane in all.
    pub ceiling: ComputeUnits,
    /// The most that this request may cost.
    pub max_units: ComputeUnits,
    /// When it was signed, by the client's clock.
    pub issued_at_ms: TimestampMs,
    /// When it becomes worthless as a request (as a voucher it stays good).
    pub expires_at_ms: TimestampMs,
    /// Where the request comes from.
    pub origin: Origin,
}

/// Where a request comes from, and so who may answer it. Only a request of its signer's [own](Self::Own) may be
/// passed on. BCS: the variant's number, and what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// From whoever signs it. A node may pass it on to another, once.
    #[default]
    Own,
    /// From whoever signs it, who has stored the signed request in this blob, sealed for this node (`immediate`
    /// evidence mode).
    Stored(BlobId),
    /// From a node that passes on a request to it: the hash of that request's header.
    Forwarded(Hash32),
    /// From whoever signs it, for this node alone.
    Kept,
}

impl Origin {
    /// Whether a node may pass the request on, instead of serving it or refusing it.
    #[must_use]
    pub fn may_be_passed_on(self) -> bool {
        matches!(self, Self::Own)
    }
}

impl Message for RequestHeader {}

impl Signed<RequestHeader> {
    /// The hash of the header that the user signed: of this one, or of the one that it is passed on for. What
    /// the body leaves open follows from it, so the answer is the same whoever computes it.
    #[must_use]
    pub fn asked(&self) -> Hash32 {
        match self.message().origin {
            Origin::Own | Origin::Stored(_) | Origin::Kept => self.hash(),
            Origin::Forwarded(request) => request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ed25519::testing::TestKey, message::sample};

    pub(crate) fn sample() -> RequestHeader {
        RequestHeader {
            endpoint: Endpoint::Completions,
            ..sample::header()
        }
    }

    #[test]
    fn golden_bytes() {
        let bytes = bcs::to_bytes(&sample()).unwrap();
        let expected = [
            hex::encode("atoma/request/v1"),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "04".repeat(32),
            "05".repeat(16),
            "01".to_owned(),
            "06".repeat(32),
            "0700".to_owned(),
            "0800000000000000".to_owned(),
            "0900000000000000".to_owned(),
            "0a00000000000000".to_owned(),
            "0b00000000000000".to_owned(),
            "00".to_owned(),
        ]
        .concat();
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(bytes.len(), 228);
        for (kind, origin) in [
            (1, Origin::Stored(BlobId([12; 32]))),
            (2, Origin::Forwarded(Hash32([12; 32]))),
        ] {
            let with = RequestHeader { origin, ..sample() };
            let expected = [&bytes[..227], &[kind], &[12; 32]].concat();
            assert_eq!(bcs::to_bytes(&with).unwrap(), expected);
        }
        let kept = RequestHeader {
            origin: Origin::Kept,
            ..sample()
        };
        assert_eq!(
            bcs::to_bytes(&kept).unwrap(),
            [&bytes[..227], &[3]].concat()
        );
    }

    #[test]
    fn only_what_its_signer_lets_go_is_passed_on() {
        assert!(Origin::Own.may_be_passed_on());
        let others = [
            Origin::Kept,
            Origin::Stored(BlobId([12; 32])),
            Origin::Forwarded(Hash32([12; 32])),
        ];
        assert!(others.iter().all(|origin| !origin.may_be_passed_on()));
    }

    #[test]
    fn a_request_that_is_passed_on_stands_for_the_one_it_names() {
        let key = TestKey::from_seed(&[42; 32]);
        let own = Signed::new(sample(), &key);
        assert_eq!(own.asked(), own.hash());
        let passed = RequestHeader {
            origin: Origin::Forwarded(own.hash()),
            ..sample()
        };
        assert_eq!(Signed::new(passed, &key).asked(), own.hash());
    }

    #[test]
    fn golden_hash_and_signature() {
        let signed = Signed::new(sample(), &TestKey::from_seed(&[42; 32]));
        assert_eq!(
            signed.hash().to_string(),
            "bab720b60547277df13b10a4c213a9f43bacb3be3c1be8228a3ad858f285f737"
        );
        assert_eq!(
            hex::encode(signed.signature().to_bytes()),
            "8dcbe0503bf5749ecfe0f88dea79dc1871c33589548b1ea792d6c02331abd89a7dcdadc55f50040cb1c84273c788169d734f8903804f2b8593065d78d849db08"
        );
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = TestKey::from_seed(&[42; 32]);
        let signed = Signed::new(sample(), &key);
        for place in 0..signed.bytes().len() {
            let mut bytes = signed.bytes().to_vec();
            bytes[place] ^= 1;
            let accepted = Signed::<RequestHeader>::decode(bytes, signed.signature().clone())
                .is_ok_and(|changed| changed.verify(&key.public_key()).is_ok());
            assert!(!accepted, "byte {place}");
        }
        for length in 0..signed.bytes().len() {
            let cut = signed.bytes()[..length].to_vec();
            assert!(Signed::<RequestHeader>::decode(cut, signed.signature().clone()).is_err());
        }
        let text = signed.to_text();
        assert_eq!(Signed::from_text(&text).as_ref(), Ok(&signed));
        assert!(Signed::<super::super::Grant>::from_text(&text).is_err());
    }
}
