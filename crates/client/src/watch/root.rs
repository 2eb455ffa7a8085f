//! The history that a ticket's last receipt should name, by the receipts that are kept. Each receipt's own is held against
//! those before it when it comes; here it is looked at again for what a ticket ends in, be it kept or not: whether its
//! history is the kept receipts, and goes on from them.
//!
//! ```text
//! ticket.last ── previous ── kept receipt ── previous ── kept receipt ── … ── the first after its base
//!                              └── leaf: its hash; of one that isn't kept, what the next one names as `previous`
//! ```
//!
//! One receipt that never came keeps nobody from it; of two in a row the first isn't known, and its node is asked. It is asked
//! for a single one, too: that its hash is in the history doesn't say whether it is the record of a request of its own, or a
//! copy of another.

use super::decide::{Missing, Unseen};
use crate::{ClientError, Receipts};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{
    ComputeUnits, NodeId, StackId,
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
    /// The ticket's last receipt, number and hash, before it was looked at.
    last: Option<(u64, Hash32)>,
    /// The number of the receipt that is looked for next.
    seq: u64,
    /// Its hash, where the one after it is known.
    hash: Option<Hash32>,
    /// Of what was found, the last one first.
    hashes: Vec<Hash32>,
    /// Of which only the hash was found, likewise: each by its number and the units that it charges.
    unseen: Vec<(u64, Units)>,
    /// The one of these that was found last, and the unit after its last one.
    open: Option<(u64, ComputeUnits)>,
    /// Where the receipt begins that was found last.
    begins: Option<ComputeUnits>,
    /// What is paid or claimed before the ticket.
    from: (u64, ComputeUnits),
}

/// The first of some units, and the one after the last.
type Units = (ComputeUnits, ComputeUnits);

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walked {
    /// There is more.
    On,
    /// All receipts before the last one are known, and this is the root over them.
    Whole(Hash32),
    /// Neither the one of this number nor the next is kept, or it is no record of what was asked: so nothing can be said.
    Missing(u64),
}

/// As what the receipt of a number and a hash is kept.
enum KeptAs {
    /// As that of a request, though what the answer was or what it charges may be wrong.
    Record(Link),
    /// As evidence that there can't be a record of it: its request was refused or never signed, or has another receipt.
    NoRecord,
    Nothing,
}

/// What a receipt says of the one before it.
#[derive(Clone, Copy, Debug)]
struct Link {
    previous: Hash32,
    units: Units,
}

impl Link {
    fn of(receipt: &Receipt) -> Self {
        let end = receipt.cumulative_units;
        Self {
            previous: receipt.previous,
            units: (end.saturating_sub(receipt.units), end),
        }
    }
}

/// As what a receipt is kept. One that isn't good is of the chain as well, as long as its request is one that was served once.
fn kept_as(
    receipts: &Receipts,
    lease: (StackId, NodeId),
    (seq, hash): (u64, Hash32),
) -> Result<KeptAs, ClientError> {
    let mut good = receipts.good_at(lease, seq)?.into_iter();
    if let Some(kept) = good.find(|kept| kept.hash() == hash) {
        return Ok(KeptAs::Record(Link::of(kept.message())));
    }
    let only = (seq.saturating_sub(1), seq.saturating_add(1));
    for kept in receipts.between(lease, only, READ_AT_ONCE)? {
        let Ok(receipt) = kept.signed() else {
            continue;
        };
        if receipt.hash() != hash {
            continue;
        }
        // one whose header nobody has signed isn't kept any more, but may have been
        let none = [ReceiptError::Refused, ReceiptError::Header];
        let none = none.map(|error| error.to_string());
        let is_one = kept.fault.is_none_or(|fault| !none.contains(&fault));
        let once = receipts.of_request(lease, kept.request_id, 2)?.len() < 2;
        return Ok(match is_one && once {
            true => KeptAs::Record(Link::of(receipt.message())),
            false => KeptAs::NoRecord,
        });
    }
    Ok(KeptAs::Nothing)
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
        let last = last.map(|last| Link::of(last.message()));
        Self {
            lease: (stack, node),
            base: ticket.base,
            last: Some((ticket.to_seq, ticket.last)),
            seq: ticket.to_seq.saturating_sub(1),
            hash: last.map(|last| last.previous),
            hashes: Vec::new(),
            unseen: Vec::new(),
            open: None,
            begins: last.map(|last| last.units.0),
            from: (ticket.from_seq, ticket.from_units),
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
        if let Some(last) = self.last.take()
            && matches!(kept_as(receipts, self.lease, last)?, KeptAs::NoRecord)
        {
            return Ok(Walked::Missing(last.0));
        }
        for _ in 0..READ_AT_ONCE {
            if self.seq <= self.base {
                // where a claim begins that goes on from the base
                self.close(Some(self.from.1));
                return Ok(Walked::Whole(self.root()));
            }
            if self.seq - self.base > MAX_RECEIPTS {
                return Ok(Walked::Missing(self.seq));
            }
            let (hash, before) = match self.hash {
                Some(hash) => match kept_as(receipts, self.lease, (self.seq, hash))? {
                    KeptAs::Record(link) => (hash, Some(link)),
                    KeptAs::NoRecord => return Ok(Walked::Missing(self.seq)),
                    KeptAs::Nothing => (hash, None),
                },
                None => match self.only_one(receipts)? {
                    Some(kept) => (kept.hash(), Some(Link::of(kept.message()))),
                    None => return Ok(Walked::Missing(self.seq)),
                },
            };
            self.see(before);
            self.hashes.push(hash);
            self.seq -= 1;
            self.hash = before.map(|link| link.previous);
        }
        Ok(Walked::On)
    }

    /// Notes whether the receipt that is found is kept. What one that isn't charges lies between those around it.
    fn see(&mut self, link: Option<Link>) {
        self.close(link.map(|link| link.units.1));
        let begins = self.begins.take();
        match link {
            Some(link) => self.begins = Some(link.units.0),
            None if self.seq > self.from.0 => self.open = begins.map(|end| (self.seq, end)),
            None => {}
        }
    }

    /// The one that isn't kept begins here.
    fn close(&mut self, from: Option<ComputeUnits>) {
        if let (Some((seq, end)), Some(from)) = (self.open.take(), from)
            && from < end
        {
            self.unseen.push((seq, (from, end)));
        }
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

/// Whether a receipt has come meanwhile under one of these numbers: whichever is looked for first.
fn is_any_kept(
    receipts: &Receipts,
    lease: (StackId, NodeId),
    unseen: &[(u64, Units)],
) -> Result<bool, ClientError> {
    for (seq, _) in [unseen.first(), unseen.last()].into_iter().flatten() {
        let (stack, node) = lease;
        if !receipts.kept_at(stack, node, *seq)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the kept receipts say of open tickets' histories.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// By lease and the number of the ticket's last receipt.
    known: BTreeMap<(StackId, NodeId, u64), Walked>,
    /// Of whole ones, what only its hash is known of.
    unseen: BTreeMap<(StackId, NodeId, u64), Vec<(u64, Units)>>,
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
        let unseen = &mut self.unseen;
        unseen.retain(|&(of, by, seq), _| (of, by) != (stack, node) || is_open(seq));
        let denied = &mut self.denied;
        denied.retain(|&(of, by, seq)| (of, by) != (stack, node) || is_open(seq));
        for ticket in &lease.tickets {
            let key = (stack, node, ticket.to_seq);
            match known.get(&key) {
                Some(Walked::Whole(_)) => {
                    let unseen = unseen.get(&key).map_or(&[][..], Vec::as_slice);
                    if !is_any_kept(receipts, (stack, node), unseen)? {
                        continue;
                    }
                }
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
            walk.unseen.reverse();
            unseen.insert(key, walk.unseen);
        }
        Ok(())
    }

    /// What keeps it from being known whether all of a ticket's records are of requests of their own.
    pub(super) fn unseen(&self, stack: StackId, node: NodeId, ticket: &Ticket) -> Option<Unseen> {
        let key = (stack, node, ticket.to_seq);
        let (Walked::Whole(_), unseen) = (self.known.get(&key)?, self.unseen.get(&key)?) else {
            return None;
        };
        Some(Unseen {
            seq: unseen.first()?.0,
            denied: self.denied.contains(&key),
            units: unseen.iter().map(|(_, units)| *units).collect(),
        })
    }

    /// The numbers of these.
    pub(super) fn unseen_numbers(&self, stack: StackId, node: NodeId, ticket: &Ticket) -> Vec<u64> {
        let key = (stack, node, ticket.to_seq);
        let is_whole = matches!(self.known.get(&key), Some(Walked::Whole(_)));
        let unseen = self.unseen.get(&key).filter(|_| is_whole);
        let unseen = unseen.into_iter().flatten();
        unseen.map(|(seq, _)| *seq).collect()
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
