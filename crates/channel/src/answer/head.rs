//! What stands in clear before an answer.

use crate::{
    fault::{Fault, Result},
    key::Key,
    message_key::MessageKey,
    tags::ANSWER_TAG,
};
use atoma_tee::octets::{Digest, Octets};
use atoma_types::{Address, NodeId, hash::Hash32};

/// Bytes of an answer's head.
pub(crate) const ANSWER_HEAD: usize = 144;
const TAG: usize = ANSWER_TAG.len();
const RANDOM: usize = 32;

/// A node that was asked, and the secret that its answer's key comes from.
pub(crate) struct Asked {
    pub(crate) node: NodeId,
    pub(crate) secret: Key,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnswerHead {
    pub(crate) node: NodeId,
    pub(crate) request: Hash32,
    pub(crate) random: [u8; RANDOM],
    pub(crate) commitment: Digest,
}

impl AnswerHead {
    pub(crate) fn to_bytes(self) -> [u8; ANSWER_HEAD] {
        let parts = [
            &ANSWER_TAG[..],
            self.node.0.as_bytes(),
            &self.request.0,
            &self.random,
            &self.commitment.0,
        ];
        let mut bytes = [0; ANSWER_HEAD];
        let mut rest = &mut bytes[..];
        for part in parts {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
        bytes
    }

    /// Whether `bytes` begin as an answer does, as far as they go.
    pub(crate) fn may_begin(bytes: &[u8]) -> bool {
        let seen = bytes.len().min(TAG);
        bytes[..seen] == ANSWER_TAG[..seen]
    }

    pub(crate) fn read(bytes: &[u8; ANSWER_HEAD]) -> Result<Self> {
        let (tag, rest) = bytes.split_at(TAG);
        if tag != ANSWER_TAG {
            return Err(Fault::PlainAnswer);
        }
        let (fields, _) = rest.as_chunks::<32>();
        let [node, request, random, commitment] = fields else {
            return Err(Fault::PlainAnswer);
        };
        Ok(Self {
            node: NodeId(Address::new(*node)),
            request: Hash32(*request),
            random: *random,
            commitment: Octets(*commitment),
        })
    }

    /// The key of the answer that this head stands before.
    pub(crate) fn key(secret: &Key, request: &Hash32, random: &[u8; RANDOM]) -> Result<MessageKey> {
        let salt = [request.0, *random].concat();
        MessageKey::derive(secret, &salt, &ANSWER_TAG)
    }
}
