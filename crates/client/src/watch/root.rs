//! The history that a ticket's last receipt should name, by the receipts that are kept. Each receipt's own is held against
//! those before it when it comes; here it is looked at again for what a ticket ends in, be it kept or not: whether its
//! history is the kept receipts, and goes on from them.
//!
//! ```text
//! ticket.last ── previous ── kept receipt ── previous ── kept receipt ── … ── the first after its base
//!                              └── leaf: its hash; of one that isn't kept, what the next one names as `previous`
//! ```
//!
//! One receipt that never came keeps nobody from it; of two in a row the first isn't known, and its node is asked.

use super::decide::Missing;
use crate::{ClientError, Receipts};
use atoma_types::{
    NodeId, StackId,
    chain::{Lease, Ticket},
    hash::Hash32,
    history::History,
    message::{Receipt, Signed},
};
use std::collections::{BTreeMap, BTreeSet};

/// Receipts beyond which none is held against a history: so many hashes take 128 MiB.
const MAX_RECEIPTS: u64 = 1 << 22;
/// Receipts that are read at once: some milliseconds of work.
const READ_AT_ONCE: usize = 256;

/// A walk along the kept receipts, from before a ticket's last one back.
#[derive(Debug)]
pub(crate) struct Walk {
    lease: (StackId, NodeId),
    base: u64,
    /// The number of the receipt that is looked for next.
    seq: u64,
    /// Its hash, where the one after it is known.
    hash: Option<Hash32>,
    /// Of what was found, the last one first.
    hashes: Vec<Hash32>,
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// There is more.
    On,
    /// All receipts before the last one are known, and this is the root over them.
    Whole(Hash32),
    /// Neither the one of this number nor the next is kept, so that nothing can be said.
    Missing(u64),
}

impl Walk {
    /// Begins before a ticket's last receipt, which may be among these.
    pub(crate) fn new(
        (stack, node): (StackId, NodeId),
        ticket: &Ticket,
        known: &[Signed<Receipt>],
    ) -> Self {
        let mut known = known.iter();
        let last = known.find(|receipt| receipt.hash() == ticket.last);
        Self {
            lease: (stack, node),
            base: ticket.base,
            seq: ticket.to_seq.saturating_sub(1),
            hash: last.map(|last| last.message().previous),
            hashes: Vec::new(),
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
            if self.seq <= self.base {
                return Ok(Walked::Whole(self.root()));
            }
            if self.seq - self.base > MAX_RECEIPTS {
                return Ok(Walked::Missing(self.seq));
            }
            let (hash, before) = match self.hash {
                Some(hash) => (hash, self.named_by(receipts, hash)?),
                None => match self.only_one(receipts)? {
                    Some(kept) => (kept.hash(), Some(kept.message().previous)),
                    None => return Ok(Walked::Missing(self.seq)),
                },
            };
            self.hashes.push(hash);
            self.seq -= 1;
            self.hash = before;
        }
        Ok(Walked::On)
    }

    /// What the receipt of this hash names as the one before it, if it is kept. One that isn't good is of the chain as well.
    fn named_by(&self, receipts: &Receipts, hash: Hash32) -> Result<Option<Hash32>, ClientError> {
        let (stack, node) = self.lease;
        let kept = receipts.kept_at(stack, node, self.seq)?;
        let mut kept = kept.iter().filter(|kept| kept.hash() == hash);
        Ok(kept.next().map(|kept| kept.message().previous))
    }

    /// The one good receipt that is kept under the number.
    fn only_one(&self, receipts: &Receipts) -> Result<Option<Signed<Receipt>>, ClientError> {
        let mut kept = receipts.good_at(self.lease, self.seq)?;
        let one = kept.pop();
        Ok(one.filter(|_| kept.is_empty()))
    }

    fn root(&self) -> Hash32 {
        let mut history = History::after(self.base);
        self.hashes
            .iter()
            .rev()
            .for_each(|hash| history.push(*hash));
        history.root()
    }
}

/// What the kept receipts say of open tickets' histories.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// By lease and the number of the ticket's last receipt.
    known: BTreeMap<(StackId, NodeId, u64), Walked>,
    /// The tickets whose node has answered without what is missing.
    denied: BTreeSet<(StackId, NodeId, u64)>,
}

impl Roots {
    /// Walks along the tickets of a lease: once each, and again where receipts were missing that are kept by now.
    /// `shown` are receipts that the ledger has shown.
    pub(super) async fn learn(
        &mut self,
        receipts: &Receipts,
        (stack, lease): (StackId, &Lease),
        shown: &[Signed<Receipt>],
    ) -> Result<(), ClientError> {
        let node = lease.node;
        let is_open = |seq: u64| lease.tickets.iter().any(|ticket| ticket.to_seq == seq);
        let known = &mut self.known;
        known.retain(|&(of, by, seq), _| (of, by) != (stack, node) || is_open(seq));
        let denied = &mut self.denied;
        denied.retain(|&(of, by, seq)| (of, by) != (stack, node) || is_open(seq));
        for ticket in &lease.tickets {
            let key = (stack, node, ticket.to_seq);
            match known.get(&key) {
                Some(Walked::Whole(_)) => continue,
                Some(Walked::Missing(seq)) => {
                    let next = seq.saturating_add(1);
                    if receipts.good_at((stack, node), *seq)?.is_empty()
                        && receipts.kept_at(stack, node, next)?.is_empty()
                    {
                        continue;
                    }
                }
                Some(Walked::On) | None => {}
            }
            let mut last = receipts.kept_at(stack, node, ticket.to_seq)?;
            last.extend_from_slice(shown);
            let mut walk = Walk::new((stack, node), ticket, &last);
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

    /// What keeps a ticket's history from being computed.
    pub(super) fn missing(&self, stack: StackId, node: NodeId, ticket: &Ticket) -> Option<Missing> {
        let key = (stack, node, ticket.to_seq);
        match self.known.get(&key)? {
            Walked::Missing(seq) => Some(Missing {
                seq: *seq,
                denied: self.denied.contains(&key),
            }),
            Walked::On | Walked::Whole(_) => None,
        }
    }

    /// A ticket's node has answered without what is missing; or with it.
    pub(super) fn is_denied(&mut self, key: (StackId, NodeId, u64), denied: bool) {
        match denied {
            true => self.denied.insert(key),
            false => self.denied.remove(&key),
        };
    }

    /// Whether a ticket's history is known to be another than that of the kept receipts.
    pub(super) fn is_another(&self, stack: StackId, node: NodeId, ticket: &Ticket) -> bool {
        let walked = self.known.get(&(stack, node, ticket.to_seq));
        matches!(walked, Some(Walked::Whole(root)) if *root != ticket.history)
    }
}

#[cfg(test)]
#[path = "root_test.rs"]
mod tests;
