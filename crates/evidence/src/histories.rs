//! Whether receipts name those before them rightly, as far as they are known. Pure.
//!
//! A tree is grown for each base that a receipt has named, receipt after receipt in their order; of what is missing
//! the next one's `previous` is as good. So a receipt that never came keeps nobody from checking those after it; where
//! two in a row are unknown, nothing can be said until one of them comes: [`Chain`](crate::chain::Chain) says so.
//!
//! A base may be anything: a node goes on from each claim, and from what the ledger says where it has lost its journal.
//! By a base that is too high it gains nothing, for the ledger takes no claim that begins before it; what it
//! has to show of a claim is bound by a history that was checked here, whatever its base is.

use atoma_types::{hash::Hash32, history::History};
use std::{collections::BTreeMap, ops::Range};

/// Trees that are grown at once: a base moves with each claim, and requests that were under way then end in minutes.
const MAX_TREES: usize = 4;
/// Receipts of a lease of which something is remembered, for those that come late.
pub(crate) const MAX_KNOWN: usize = 4_096;

/// The trees by base.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histories {
    trees: BTreeMap<u64, Grown>,
}

#[derive(Clone, Debug)]
struct Grown {
    tree: History,
    /// What the receipt of a number must name.
    roots: BTreeMap<u64, Hash32>,
}

impl Histories {
    /// A receipt names this base. Where there are too many trees, that of the lowest other base is dropped; it is begun
    /// anew by whoever still needs it.
    pub(crate) fn begin(&mut self, base: u64) {
        self.trees.entry(base).or_insert_with(|| Grown {
            tree: History::after(base),
            roots: BTreeMap::from([(base.saturating_add(1), Hash32::ZERO)]),
        });
        while self.trees.len() > MAX_TREES {
            let lowest = self.trees.keys().copied().find(|other| *other != base);
            lowest.map(|lowest| self.trees.remove(&lowest));
        }
    }

    /// The last number up to which the tree of a base is grown, if there is one.
    pub(crate) fn grown_to(&self, base: u64) -> Option<u64> {
        self.trees.get(&base).map(|of| of.tree.seq())
    }

    /// Grows the trees as far as receipts are known. For each that has grown: its base, and the numbers of which it is
    /// known since what they must name.
    pub(crate) fn grow(&mut self, known: impl Fn(u64) -> Option<Hash32>) -> Vec<(u64, Range<u64>)> {
        let mut grown = Vec::new();
        for (&base, of) in &mut self.trees {
            let first = of.tree.seq().saturating_add(2);
            while let Some(hash) = known(of.tree.seq().saturating_add(1)) {
                of.push(hash);
            }
            let end = of.tree.seq().saturating_add(2);
            if first < end {
                grown.push((base, first..end));
            }
        }
        grown
    }

    /// Takes the receipts after a base in their order, as far as they follow each other.
    pub(crate) fn know(&mut self, base: u64, receipts: impl IntoIterator<Item = (u64, Hash32)>) {
        self.begin(base);
        let Some(of) = self.trees.get_mut(&base) else {
            return;
        };
        for (seq, hash) in receipts {
            if seq != of.tree.seq().saturating_add(1) {
                break;
            }
            of.push(hash);
        }
    }

    /// What the receipt of a number must name with this base, if that is known.
    pub(crate) fn root(&self, base: u64, seq: u64) -> Option<Hash32> {
        self.trees.get(&base)?.roots.get(&seq).copied()
    }
}

impl Grown {
    fn push(&mut self, receipt: Hash32) {
        self.tree.push(receipt);
        let next = self.tree.seq().saturating_add(1);
        self.roots.insert(next, self.tree.root());
        if self.roots.len() > MAX_KNOWN {
            self.roots.pop_first();
        }
    }
}
