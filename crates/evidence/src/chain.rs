//! The receipts of one lease, held against each other. Pure.
//!
//! Concurrent requests finish out of order and several programs may share a lease, so receipts
//! arrive in any order and with gaps. Each is linked as soon as a neighbour is known, and the history that it names is
//! computed as soon as those before it are; one place with two receipts is a proof of fraud, and both are kept. What
//! can't be computed is not believed: the chain [says](Chain::lacks) which numbers it lacks, and whoever asks the node for
//! them has their histories proved.

use crate::{
    histories::{Histories, MAX_KNOWN},
    receipt::ReceiptError,
};
use atoma_types::{
    ComputeUnits,
    hash::Hash32,
    message::{Receipt, Signed},
};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// Links that are kept in memory; a receipt that comes later than this many others can no longer
/// be held against its neighbours, only against the sums around it.
pub const MAX_LINKS: usize = MAX_KNOWN;

/// The receipts of one lease as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    links: BTreeMap<u64, Link>,
    /// Which number each request has among the links: it has one.
    requests: HashMap<Hash32, u64>,
    histories: Histories,
    /// What is claimed: up to here nothing can be claimed again.
    claimed: u64,
    sums: Sums,
    /// From there on all numbers up to this one have come.
    whole_to: u64,
    /// Those whose histories couldn't be computed yet, with their bases. Signing ends where some stay, so these are
    /// no more than what runs meanwhile.
    unproven: BTreeMap<u64, u64>,
}

/// What has come, in units. What a receipt names as the sum of those before it counts for nothing where they haven't come.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Of all receipts that have come, kept ones from before the first link with them.
    shown: u64,
    /// Of those above what is claimed.
    above: u64,
    /// What is claimed, as the ledger says.
    claimed: u64,
    /// Up to this number receipts count no more when they come: they are in `shown`, or may be.
    counted_to: u64,
}

/// Receipts of which a chain knows nothing, and without which it can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// They come after this number.
    pub after: u64,
    /// And before this one.
    pub before: u64,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    hash: Hash32,
    request: Hash32,
    previous: Hash32,
    units: u64,
    cumulative: u64,
    base: u64,
    history: Hash32,
}

/// How a receipt joined the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// It was not known before.
    New,
    /// The same receipt was there already.
    Again,
}

impl Chain {
    /// Holds a receipt against those already known, and adds it if it fits. A receipt that doesn't
    /// fit is not added.
    ///
    /// # Errors
    ///
    /// If its place, its link or its sum contradicts the receipts around it, its history those before it, or its
    /// place or its request has another receipt already. It may tell that a later one, which was added, has named another history
    /// than there is: that one is taken out.
    pub fn add(&mut self, receipt: &Signed<Receipt>) -> Result<Joined, ReceiptError> {
        let r = receipt.message();
        let link = Link {
            hash: receipt.hash(),
            request: r.request_hash,
            previous: r.previous,
            units: r.units.0,
            cumulative: r.cumulative_units.0,
            base: r.base,
            history: r.history,
        };
        if let Some(known) = self.links.get(&r.seq) {
            return if known.hash == link.hash {
                Ok(Joined::Again)
            } else {
                Err(ReceiptError::Equivocation {
                    seq: r.seq,
                    first: known.hash,
                    second: link.hash,
                })
            };
        }
        if let Some(first) = self.requests.get(&link.request) {
            let first = self.links.get(first).map_or(Hash32::ZERO, |link| link.hash);
            return Err(ReceiptError::Twice {
                first,
                second: link.hash,
            });
        }
        fits_start(r.seq, &link)?;
        if let Some((&seq, before)) = self.links.range(..r.seq).next_back() {
            follows(seq, before, r.seq, &link)?;
        }
        if let Some((&seq, after)) = self.links.range(r.seq..).next() {
            follows(r.seq, &link, seq, after)?;
        }
        let proven = self.names_its_history(r.seq, &link)?;
        self.links.insert(r.seq, link);
        self.requests.insert(link.request, r.seq);
        self.sums.came(r.seq, link.units, self.claimed);
        if !proven && r.seq > self.claimed {
            self.unproven.insert(r.seq, link.base);
        }
        self.count();
        let named = self.later_name_it();
        if self.links.len() > MAX_LINKS {
            // one that isn't proven stays so
            if let Some((seq, oldest)) = self.links.pop_first() {
                self.requests.remove(&oldest.request);
                self.sums.counted_to = self.sums.counted_to.max(seq);
            }
        }
        named.map(|()| Joined::New)
    }

    /// Receipts of a lease that are too many for links, from after a base on: their numbers and hashes. They count for the
    /// histories of later ones alone, and come before any of those is added.
    pub fn know(&mut self, base: u64, receipts: impl IntoIterator<Item = (u64, Hash32)>) {
        self.histories.know(base, receipts);
        let known = self.histories.grown_to(base).unwrap_or(base);
        if base <= self.whole_to {
            self.whole_to = self.whole_to.max(known);
        }
    }

    /// What was kept of a lease is in the chain, as far as there was room for it: all of it together charges so much.
    pub fn kept(&mut self, units: ComputeUnits) {
        self.sums.shown = self.sums.shown.max(units.0);
        if let Some((first, _)) = self.links.first_key_value() {
            self.sums.counted_to = self.sums.counted_to.max(first.saturating_sub(1));
        }
    }

    /// Everything up to this number is claimed, and so many units, as the ledger says: it can't be claimed again, so what is
    /// lacking there is of no interest.
    pub fn claimed(&mut self, seq: u64, units: ComputeUnits) {
        self.sums.claimed = self.sums.claimed.max(units.0);
        if seq > self.claimed {
            let above = self.links.range(seq.saturating_add(1)..);
            let above = above.map(|(_, link)| link.units);
            self.sums.above = above.fold(0, u64::saturating_add);
        }
        self.claimed = self.claimed.max(seq);
        self.whole_to = self.whole_to.max(self.claimed);
        self.unproven = self.unproven.split_off(&self.claimed.saturating_add(1));
        self.count();
    }

    /// The lowest number that isn't claimed and whose receipt hasn't come though a later one has, or whose history can't be
    /// computed; `None` if all that has come is proven.
    #[must_use]
    pub fn lacks(&self) -> Option<u64> {
        let missing = self.whole_to < self.last_seq();
        let missing = missing.then(|| self.whole_to.saturating_add(1));
        let unproven = self.unproven.first_key_value().map(|(seq, _)| *seq);
        missing.into_iter().chain(unproven).min()
    }

    /// Whether this very receipt is in the chain.
    #[must_use]
    pub fn has(&self, receipt: &Signed<Receipt>) -> bool {
        let known = self.links.get(&receipt.message().seq);
        known.is_some_and(|link| link.hash == receipt.hash())
    }

    /// Whether a number that was lacking still is.
    #[must_use]
    pub fn lacks_still(&self, seq: u64) -> bool {
        seq > self.claimed && (seq > self.whole_to || self.unproven.contains_key(&seq))
    }

    /// The receipts that would prove what is lacking first, where some are known to be missing.
    ///
    /// # Errors
    ///
    /// If a history that could be computed by now is another than its receipt names: that receipt is taken out.
    pub fn lacking(&mut self) -> Result<Option<Lacking>, ReceiptError> {
        self.prove_first()?;
        if let Some((&before, base)) = self.unproven.first_key_value() {
            let after = self.histories.grown_to(*base).unwrap_or(*base);
            return Ok((after < before).then_some(Lacking { after, before }));
        }
        let mut later = self.links.range(self.whole_to.saturating_add(1)..);
        Ok(later.next().map(|(&before, _)| Lacking {
            after: self.whole_to,
            before,
        }))
    }

    /// Counts on as far as numbers have come without a gap.
    fn count(&mut self) {
        while self.links.contains_key(&self.whole_to.saturating_add(1)) {
            self.whole_to += 1;
        }
    }

    /// Holds the history of a receipt that is to be added against those before it, and says whether they are known.
    fn names_its_history(&mut self, seq: u64, link: &Link) -> Result<bool, ReceiptError> {
        self.histories.begin(link.base);
        let grown = self.grow(|at| (at + 1 == seq).then_some(link.previous));
        self.hold(grown)?;
        match self.histories.root(link.base, seq) {
            Some(root) if root != link.history => Err(ReceiptError::History { seq }),
            Some(_) => Ok(true),
            // of none there is nothing to name, as was looked at before
            None => Ok(link.base.saturating_add(1) == seq),
        }
    }

    /// Holds those against it that came before it and follow it.
    fn later_name_it(&mut self) -> Result<(), ReceiptError> {
        let grown = self.grow(|_| None);
        self.hold(grown)?;
        self.prove_first()
    }

    /// Begins anew what was dropped, where a history waits for it.
    fn prove_first(&mut self) -> Result<(), ReceiptError> {
        while let Some((&seq, &base)) = self.unproven.first_key_value() {
            if self.histories.grown_to(base).is_some() {
                break;
            }
            self.histories.begin(base);
            let grown = self.grow(|_| None);
            self.hold(grown)?;
            if self.unproven.contains_key(&seq) {
                break;
            }
        }
        Ok(())
    }

    fn grow(&mut self, more: impl Fn(u64) -> Option<Hash32>) -> Vec<(u64, Range<u64>)> {
        let links = &self.links;
        let next = |seq: u64| links.get(&seq.saturating_add(1));
        self.histories.grow(|seq| {
            let own = links.get(&seq).map(|link| link.hash);
            own.or_else(|| next(seq).map(|link| link.previous))
                .or_else(|| more(seq))
        })
    }

    fn hold(&mut self, grown: Vec<(u64, Range<u64>)>) -> Result<(), ReceiptError> {
        for (base, seqs) in grown {
            let of_base = self.links.range(seqs).filter(|(_, link)| link.base == base);
            let mut wrong = None;
            for (&seq, link) in of_base {
                match self.histories.root(base, seq) {
                    Some(root) if root != link.history => {
                        wrong = Some(seq);
                        break;
                    }
                    Some(_) => {
                        self.unproven.remove(&seq);
                    }
                    None => {}
                }
            }
            if let Some(seq) = wrong {
                self.take_out(seq);
                return Err(ReceiptError::History { seq });
            }
        }
        Ok(())
    }

    fn take_out(&mut self, seq: u64) {
        if let Some(link) = self.links.remove(&seq) {
            self.requests.remove(&link.request);
            self.sums.went(seq, link.units, self.claimed);
        }
        self.unproven.remove(&seq);
        self.whole_to = self.whole_to.min(seq.saturating_sub(1)).max(self.claimed);
    }

    /// What the receipts that have come charge, together: what a lease has earned. What its node says of others, or has claimed,
    /// is no part of it.
    #[must_use]
    pub fn shown(&self) -> ComputeUnits {
        ComputeUnits(self.sums.shown)
    }

    /// At least this much of the lease is used: what is claimed, and the receipts above it that have come.
    #[must_use]
    pub fn used(&self) -> ComputeUnits {
        ComputeUnits(self.sums.claimed.saturating_add(self.sums.above))
    }

    /// The highest place seen.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.links.last_key_value().map_or(0, |(seq, _)| *seq)
    }
}

impl Sums {
    fn came(&mut self, seq: u64, units: u64, claimed: u64) {
        if seq > self.counted_to {
            self.shown = self.shown.saturating_add(units);
            if seq > claimed {
                self.above = self.above.saturating_add(units);
            }
        }
    }

    fn went(&mut self, seq: u64, units: u64, claimed: u64) {
        if seq > self.counted_to {
            self.shown = self.shown.saturating_sub(units);
            if seq > claimed {
                self.above = self.above.saturating_sub(units);
            }
        }
    }
}

/// The first receipt follows nothing and its sum is its own units; later ones have a past.
fn fits_start(seq: u64, link: &Link) -> Result<(), ReceiptError> {
    let possible = match seq {
        0 => false,
        1 => link.previous == Hash32::ZERO && link.cumulative == link.units,
        _ => link.previous != Hash32::ZERO && link.cumulative >= link.units,
    };
    // of no receipts there is nothing to name
    let first = link.base.saturating_add(1);
    let begins = first < seq || first == seq && link.history == Hash32::ZERO;
    if possible && begins {
        Ok(())
    } else {
        Err(ReceiptError::Place)
    }
}

/// A direct neighbour must be linked and add up exactly; a farther one must leave room.
fn follows(seq: u64, before: &Link, next: u64, after: &Link) -> Result<(), ReceiptError> {
    let sum = before.cumulative.checked_add(after.units);
    let sum = sum.ok_or(ReceiptError::Sum { seq: next })?;
    let direct = next - seq == 1;
    if direct && after.previous != before.hash {
        return Err(ReceiptError::Link { seq: next });
    }
    if before.base > after.base {
        return Err(ReceiptError::History { seq: next });
    }
    let adds_up = if direct {
        after.cumulative == sum
    } else {
        after.cumulative >= sum
    };
    if adds_up {
        Ok(())
    } else {
        Err(ReceiptError::Sum { seq: next })
    }
}

#[cfg(test)]
#[path = "chain_test.rs"]
mod tests;
