//! Proofs that a symbol is part of a sliver.

use super::{
    error::CodingError,
    hash::{EMPTY, Forest, NOTHING, inner, leaf},
    metadata::DIGEST_NODE,
    node::Node,
    params::{MAX_SHARDS, Params},
};
use crate::wire::{Reader, WireError, put_length};

/// Tag of a node that fills up an odd level.
const EMPTY_NODE: u8 = 0;

/// Siblings from a leaf up to the root. BCS: `uleb(count)`, then each as `1 | digest` or, where
/// the level was filled up, `0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerkleProof {
    siblings: Vec<Node>,
}

impl MerkleProof {
    /// The proof for a leaf of the first tree.
    pub(crate) fn new(mut level: Forest, mut place: usize) -> Self {
        let mut siblings = Vec::new();
        while level.nodes() > 1 {
            let sibling = place ^ 1;
            let exists = sibling < level.nodes();
            siblings.push(if exists { level.get(0, sibling) } else { EMPTY });
            level.up(&NOTHING);
            place /= 2;
        }
        Self { siblings }
    }

    /// Whether `bytes` is the leaf at `place` of the tree of `leaves` leaves with this root.
    #[must_use]
    pub fn proves(&self, root: &Node, bytes: &[u8], place: usize, leaves: usize) -> bool {
        let depth = leaves.next_power_of_two().ilog2() as usize;
        if place >= leaves || self.siblings.len() != depth {
            return false;
        }
        let mut node = leaf(bytes);
        for (level, sibling) in self.siblings.iter().enumerate() {
            node = if place >> level & 1 == 0 {
                inner(&node, sibling)
            } else {
                inner(sibling, &node)
            };
        }
        node == *root
    }

    /// Its bytes in BCS.
    #[must_use]
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_length(&mut bytes, self.siblings.len());
        for sibling in &self.siblings {
            if *sibling == EMPTY {
                bytes.push(EMPTY_NODE);
            } else {
                bytes.push(DIGEST_NODE);
                bytes.extend_from_slice(sibling);
            }
        }
        bytes
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// If the bytes aren't one.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, CodingError> {
        let mut reader = Reader::new(bytes);
        let deepest = MAX_SHARDS.next_power_of_two().ilog2() as usize;
        let count = reader.length(deepest)?;
        let mut siblings = Vec::with_capacity(count);
        for _ in 0..count {
            siblings.push(match reader.u8()? {
                EMPTY_NODE => EMPTY,
                DIGEST_NODE => reader.array()?,
                other => return Err(WireError::Tag(other).into()),
            });
        }
        reader.end()?;
        Ok(Self { siblings })
    }

    /// Whether it has the depth of a sliver's tree.
    pub(crate) fn fits(&self, params: Params) -> bool {
        self.siblings.len() == params.n().next_power_of_two().ilog2() as usize
    }
}
