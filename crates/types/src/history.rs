//! How the last receipt of a settlement binds all records before it: each receipt names the tree of those before it.
//!
//! ```text
//! history(seq) = root over the hashes of the receipts base + 1 ..= seq - 1
//! leaf         = BLAKE2b-256(0x00 ‖ hash of the receipt)
//! node(l, r)   = BLAKE2b-256(0x01 ‖ l ‖ r), an unpaired node rises; of no receipts: 32 zero bytes
//! ```
//!
//! A [`Proof`] says where a receipt stands before a last one: `index` is `seq - base - 1`, `count` is `last - base - 1`. Below
//! `count` its path leads to the last receipt's `history`; at `count` stands the last receipt itself, which its hash
//! tells, with an empty path. So each place has one path, and whoever has signed the last receipt has signed which receipts
//! stand at all places before it.

use crate::{
    hash::Hash32,
    merkle::{MerkleAccumulator, MerkleTree, Proof, leaf_hash},
    message::{Receipt, Signed},
};
use serde::{Deserialize, Serialize};

/// The tree that the next receipt names: what a node, or who checks it, keeps of a lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    base: u64,
    tree: MerkleAccumulator,
}

impl History {
    /// No receipts, after that of number `base`.
    #[must_use]
    pub fn after(base: u64) -> Self {
        Self {
            base,
            tree: MerkleAccumulator::default(),
        }
    }

    /// Adds the next receipt by its hash.
    pub fn push(&mut self, receipt: Hash32) {
        self.tree.push(leaf_hash(&receipt.0));
    }

    /// The number of the receipt before the first one here.
    #[must_use]
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The number of the last one here.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.base.saturating_add(self.tree.count())
    }

    /// The root, which the next receipt names.
    #[must_use]
    pub fn root(&self) -> Hash32 {
        self.tree.root()
    }
}

/// The last receipt of a settlement, as far as it binds the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LastReceipt {
    /// The receipt's `seq`: its number in the lease.
    pub seq: u64,
    /// The receipt's own hash.
    pub hash: Hash32,
    /// The number before the first one that its history has.
    pub base: u64,
    /// The root over those from there up to the one before it.
    pub history: Hash32,
}

impl LastReceipt {
    /// What a receipt binds.
    #[must_use]
    pub fn of(receipt: &Signed<Receipt>) -> Self {
        let message = receipt.message();
        Self {
            seq: message.seq,
            hash: receipt.hash(),
            base: message.base,
            history: message.history,
        }
    }

    /// How many receipts its history has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.seq.saturating_sub(self.base).saturating_sub(1)
    }

    /// The number at which the proof shows the receipt of this hash to stand, up to the last; `None` if it shows none.
    #[must_use]
    pub fn place_of(&self, receipt: Hash32, proof: &Proof) -> Option<u64> {
        let count = self.count();
        if self.seq <= self.base || proof.count != count {
            return None;
        }
        let holds = if proof.index == count {
            proof.path.is_empty() && receipt == self.hash
        } else {
            proof.verify(&receipt.0, self.history)
        };
        // a proof that holds has its index at most at its count, which is below `seq`
        holds.then(|| self.base + proof.index + 1)
    }
}

/// All receipts from after a base up to a last one, each of which can be proved to be among them.
#[derive(Clone, Debug)]
pub struct ReceiptTree {
    base: u64,
    before: MerkleTree,
    last: Hash32,
}

impl ReceiptTree {
    /// The tree over the hashes of receipts, the first of number `base + 1`; `None` if there are none.
    #[must_use]
    pub fn new(base: u64, receipts: impl IntoIterator<Item = Hash32>) -> Option<Self> {
        let mut hashes: Vec<Hash32> = receipts.into_iter().collect();
        let last = hashes.pop()?;
        let leaves = hashes.iter().map(|hash| leaf_hash(&hash.0)).collect();
        Some(Self {
            base,
            before: MerkleTree::from_leaves(leaves),
            last,
        })
    }

    /// What the last one must bind.
    #[must_use]
    pub fn last(&self) -> LastReceipt {
        let count = self.before.len() as u64;
        LastReceipt {
            seq: self.base.saturating_add(count).saturating_add(1),
            hash: self.last,
            base: self.base,
            history: self.before.root(),
        }
    }

    /// The proof that the receipt of a number is among them; `None` for a number that isn't.
    #[must_use]
    pub fn prove(&self, seq: u64) -> Option<Proof> {
        let index = seq.checked_sub(self.base)?.checked_sub(1)?;
        let count = self.before.len() as u64;
        if index == count {
            return Some(Proof {
                index,
                count,
                path: Vec::new(),
            });
        }
        self.before.prove(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
#[path = "history_test.rs"]
mod tests;
