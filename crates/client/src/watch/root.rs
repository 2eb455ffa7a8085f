//! The tree that a ticket should have, by the receipts that are kept. The ledger holds the last receipt against the
//! units and the number of a settlement, not the root: its records may be others than those of the chain that the last
//! receipt ends. Whoever keeps the whole chain can tell.
//!
//! ```text
//! ticket.last ── kept receipt ── previous ── kept receipt ── … ── the first after from_seq
//!                     └── leaf: header and receipt, each with its signature, as both sides have them
//! ```

use crate::{ClientError, Receipts};
use atoma_types::{
    NodeId, StackId,
    chain::{Lease, Ticket},
    hash::Hash32,
    merkle::MerkleAccumulator,
    message::EvidenceLeaf,
};
use std::collections::BTreeMap;

/// Receipts of a ticket beyond which none is held against its root: so many leaves take 128 MiB.
const MAX_LEAVES: u64 = 1 << 22;
/// Receipts that are read at once: some milliseconds of work.
const READ_AT_ONCE: usize = 256;

/// A walk along the kept receipts, from a ticket's last one back.
#[derive(Debug)]
pub(crate) struct Walk {
    lease: (StackId, NodeId),
    from_seq: u64,
    /// The receipt that is looked for next.
    next: Place,
    /// Of what was found, the last one first.
    leaves: Vec<Hash32>,
}

/// A receipt's place in a lease's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    seq: u64,
    hash: Hash32,
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// There is more.
    On,
    /// All receipts of the ticket are kept, and this is the root over them.
    Whole(Hash32),
    /// This one isn't kept, so that nothing can be said.
    Missing(Place),
}

impl Walk {
    pub(crate) fn new(stack: StackId, node: NodeId, ticket: &Ticket) -> Self {
        let next = Place {
            seq: ticket.to_seq,
            hash: ticket.last,
        };
        Self {
            lease: (stack, node),
            from_seq: ticket.from_seq,
            next,
            leaves: Vec::new(),
        }
    }

    /// Walks all the way.
    pub(crate) fn whole(mut self, receipts: &Receipts) -> Result<Walked, ClientError> {
        loop {
            match self.on(receipts)? {
                Walked::On => {}
                end => return Ok(end),
            }
        }
    }

    /// Walks on for a while.
    fn on(&mut self, receipts: &Receipts) -> Result<Walked, ClientError> {
        for _ in 0..READ_AT_ONCE {
            let Place { seq, hash } = self.next;
            if seq <= self.from_seq {
                return Ok(Walked::Whole(self.root()));
            }
            let too_many = seq - self.from_seq > MAX_LEAVES;
            let found = match too_many {
                true => None,
                false => receipts.exchange(self.lease, seq, hash)?,
            };
            let Some((header, receipt)) = found else {
                return Ok(Walked::Missing(self.next));
            };
            self.leaves.push(EvidenceLeaf::hash_of(&header, &receipt));
            self.next = Place {
                seq: seq - 1,
                hash: receipt.message().previous,
            };
        }
        Ok(Walked::On)
    }

    fn root(&self) -> Hash32 {
        let mut tree = MerkleAccumulator::default();
        self.leaves.iter().rev().for_each(|leaf| tree.push(*leaf));
        tree.root()
    }
}

/// What the kept receipts say of open tickets' roots.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// By lease and the number of the ticket's last receipt.
    known: BTreeMap<(StackId, NodeId, u64), Walked>,
}

impl Roots {
    /// Walks along the tickets of a lease: once each, and again where a receipt was missing that is kept by now.
    pub(super) async fn learn(
        &mut self,
        receipts: &Receipts,
        (stack, lease): (StackId, &Lease),
    ) -> Result<(), ClientError> {
        let node = lease.node;
        let is_open = |seq: u64| lease.tickets.iter().any(|ticket| ticket.to_seq == seq);
        let known = &mut self.known;
        known.retain(|&(of, by, seq), _| (of, by) != (stack, node) || is_open(seq));
        for ticket in &lease.tickets {
            let key = (stack, node, ticket.to_seq);
            match known.get(&key) {
                Some(Walked::Whole(_)) => continue,
                Some(Walked::Missing(Place { seq, hash })) => {
                    let found = receipts.exchange((stack, node), *seq, *hash)?;
                    if found.is_none() {
                        continue;
                    }
                }
                Some(Walked::On) | None => {}
            }
            let mut walk = Walk::new(stack, node, ticket);
            let mut walked = walk.on(receipts)?;
            while walked == Walked::On {
                // a long one must not keep others waiting
                tokio::task::yield_now().await;
                walked = walk.on(receipts)?;
            }
            known.insert(key, walked);
        }
        Ok(())
    }

    /// Whether a ticket's root is known to be another than that of the kept receipts.
    pub(super) fn is_another(&self, stack: StackId, node: NodeId, ticket: &Ticket) -> bool {
        let walked = self.known.get(&(stack, node, ticket.to_seq));
        matches!(walked, Some(Walked::Whole(root)) if *root != ticket.receipts_root)
    }
}

#[cfg(test)]
#[path = "root_test.rs"]
mod tests;
