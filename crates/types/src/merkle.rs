//! A binary Merkle tree over receipts or records, with inclusion proofs that Move can check.
//!
//! ```text
//! leaf(i)      = BLAKE2b-256(0x00 ‖ bytes of item i)
//! node(l, r)   = BLAKE2b-256(0x01 ‖ l ‖ r)
//! empty tree   = 32 zero bytes
//! ```
//!
//! An unpaired node at the end of a level rises to the next level as it is, so no item is ever
//! counted twice. The prefixes keep a leaf from passing as an inner node. A proof is valid for one
//! place in a tree of one size: [`Proof`] carries both.

use crate::{decode::DecodeError, hash::Hash32};
use serde::{Deserialize, Serialize};

const LEAF: &[u8] = &[0];
const INNER: &[u8] = &[1];
/// A tree of 2^40 items has paths this long; anything longer is an attack.
pub const MAX_PATH: usize = 40;

/// The hash of an item.
#[must_use]
pub fn leaf_hash(item: &[u8]) -> Hash32 {
    Hash32::of_parts(&[LEAF, item])
}

pub(crate) fn inner_hash(left: &Hash32, right: &Hash32) -> Hash32 {
    Hash32::of_parts(&[INNER, &left.0, &right.0])
}

/// A tree that keeps all levels, to prove any item.
#[derive(Clone, Debug)]
pub struct MerkleTree {
    levels: Vec<Vec<Hash32>>,
}

impl MerkleTree {
    /// The tree over leaf hashes in order.
    #[must_use]
    pub fn from_leaves(leaves: Vec<Hash32>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let next = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => inner_hash(left, right),
                    rest => rest[0],
                })
                .collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// The root; zero for no items.
    #[must_use]
    pub fn root(&self) -> Hash32 {
        self.levels
            .last()
            .and_then(|top| top.first())
            .copied()
            .unwrap_or(Hash32::ZERO)
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels[0].len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels[0].is_empty()
    }

    /// The siblings from item `index` upwards, and for each a bit that says whether it is the left one.
    /// For trees of few levels; empty past the tree's end.
    pub(crate) fn path(&self, index: usize) -> (Vec<Hash32>, u8) {
        let (mut path, mut sides, mut place) = (Vec::new(), 0, index);
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(place ^ 1) {
                sides |= ((place & 1) as u8) << path.len();
                path.push(*sibling);
            }
            place /= 2;
        }
        (path, sides)
    }

    /// The proof that item `index` is in the tree; `None` past its end.
    #[must_use]
    pub fn prove(&self, index: usize) -> Option<Proof> {
        if index >= self.len() {
            return None;
        }
        let mut place = index;
        let mut path = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(place ^ 1) {
                path.push(*sibling);
            }
            place /= 2;
        }
        Some(Proof {
            index: index as u64,
            count: self.len() as u64,
            path,
        })
    }
}

/// The way from a leaf to the root.
/// BCS: `index` u64 ‖ `count` u64 ‖ ULEB128 length ‖ that many 32-byte hashes, leaf side first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The item's place among the leaves, from 0.
    pub index: u64,
    /// The number of items in the tree.
    pub count: u64,
    /// Sibling hashes, from the leaf upwards; levels without a sibling are skipped.
    pub path: Vec<Hash32>,
}

impl Proof {
    /// The root that this proof leads to from `leaf`; `None` if its shape is impossible.
    #[must_use]
    pub fn root(&self, leaf: Hash32) -> Option<Hash32> {
        if self.index >= self.count || self.path.len() > MAX_PATH {
            return None;
        }
        let (mut place, mut width, mut hash) = (self.index, self.count, leaf);
        let mut siblings = self.path.iter();
        while width > 1 {
            let last_and_unpaired = place == width - 1 && width % 2 == 1;
            if !last_and_unpaired {
                let sibling = siblings.next()?;
                hash = if place % 2 == 0 {
                    inner_hash(&hash, sibling)
                } else {
                    inner_hash(sibling, &hash)
                };
            }
            place /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none().then_some(hash)
    }

    /// Encodes it in BCS.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // integers and hashes: BCS can't refuse them
        bcs::to_bytes(self).expect("BCS has all structs of integers and vectors")
    }

    /// Reads a proof. What it proves is another question.
    ///
    /// # Errors
    /// If the bytes are not those of a proof.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        bcs::from_bytes(bytes).map_err(DecodeError::Bcs)
    }

    /// Whether `item` stands at this place of the tree with `root`.
    #[must_use]
    pub fn verify(&self, item: &[u8], root: Hash32) -> bool {
        self.root(leaf_hash(item)) == Some(root)
    }
}

/// Builds a root from leaves one by one in logarithmic memory: what a node keeps per lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerkleAccumulator {
    count: u64,
    /// Roots of the full subtrees, largest first: one for each set bit of `count`.
    peaks: Vec<Hash32>,
}

impl MerkleAccumulator {
    /// Adds a leaf hash at the end.
    pub fn push(&mut self, leaf: Hash32) {
        let mut hash = leaf;
        let mut bits = self.count;
        while bits & 1 == 1 {
            // one peak for each trailing one of the count
            if let Some(left) = self.peaks.pop() {
                hash = inner_hash(&left, &hash);
            }
            bits >>= 1;
        }
        self.peaks.push(hash);
        self.count += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The root, equal to that of [`MerkleTree`] over the same leaves.
    #[must_use]
    pub fn root(&self) -> Hash32 {
        let mut peaks = self.peaks.iter().rev();
        let Some(&first) = peaks.next() else {
            return Hash32::ZERO;
        };
        peaks.fold(first, |right, left| inner_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: usize) -> Vec<Hash32> {
        (0..n).map(|i| leaf_hash(&i.to_le_bytes())).collect()
    }

    #[test]
    fn golden_root_of_three() {
        let tree = MerkleTree::from_leaves([b"a", b"b", b"c"].map(|x| leaf_hash(x)).to_vec());
        let expected = inner_hash(
            &inner_hash(&leaf_hash(b"a"), &leaf_hash(b"b")),
            &leaf_hash(b"c"),
        );
        assert_eq!(tree.root(), expected);
        assert_eq!(
            tree.root().to_string(),
            "17321db51c1ef3ec1f77e271aa300b4e5c6091708bcba37e46025774a26142ee"
        );
        assert_eq!(MerkleTree::from_leaves(vec![]).root(), Hash32::ZERO);
    }

    proptest! {
        #[test]
        fn every_item_is_provable_at_its_place_only(n in 1usize..70, other in any::<usize>()) {
            let tree = MerkleTree::from_leaves(leaves(n));
            for i in 0..n {
                let proof = tree.prove(i).unwrap();
                prop_assert!(proof.verify(&i.to_le_bytes(), tree.root()));
                prop_assert_eq!(Proof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
                let wrong = other % n;
                if wrong != i {
                    prop_assert!(!proof.verify(&wrong.to_le_bytes(), tree.root()));
                    let moved = Proof { index: wrong as u64, ..proof.clone() };
                    prop_assert!(!moved.verify(&i.to_le_bytes(), tree.root()));
                }
                let mut longer = proof.clone();
                longer.path.push(Hash32::ZERO);
                prop_assert!(!longer.verify(&i.to_le_bytes(), tree.root()));
            }
            prop_assert!(tree.prove(n).is_none());
        }

        #[test]
        fn the_accumulator_agrees_with_the_tree(n in 0usize..200) {
            let mut accumulator = MerkleAccumulator::default();
            for leaf in leaves(n) {
                accumulator.push(leaf);
            }
            prop_assert_eq!(accumulator.root(), MerkleTree::from_leaves(leaves(n)).root());
            prop_assert_eq!(accumulator.count(), n as u64);
        }
    }
}
