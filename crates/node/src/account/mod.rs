//! The account of one lease: what is committed, what is reserved, what each lane's voucher covers,
//! and the chain of receipts. Pure: no clock, no I/O, no lock; callers bring all three.
//!
//! For every lane and for the lease as a whole, at any moment and under any interleaving:
//!
//! ```text
//! lane.committed + lane.reserved <= lane.ceiling        (the highest header's)
//! committed      + reserved      <= units               (the ledger's)
//! committed      + reserved      <= sum of the lanes' ceilings
//! committed = carried + sum of the receipts' units = carried + sum over lanes of lane.committed
//! ```
//!
//! so the sum of the ceilings always covers what the node will claim. `carried` is zero, unless the node has lost
//! its journal and goes on from what the ledger says: then it is what was claimed before, in whatever lanes.

mod claim;
mod commit;
mod denied;
mod give_back;
mod lane;
mod moves;
mod position;
mod reserve;
mod restore;
mod seen;
mod tail;
mod terms;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use claim::Claim;
pub(crate) use commit::{CommitError, Link};
pub(crate) use denied::Denied;
pub(crate) use give_back::Back;
pub(crate) use lane::{RestoredLane, SignedRequest};
pub(crate) use position::Position;
pub(crate) use reserve::Reservation;
pub(crate) use seen::{IdRoom, Spent};
pub(crate) use terms::{Phase, Summary, Terms};

use atoma_types::{
    ComputeUnits, RequestId, TimestampMs,
    hash::Hash32,
    message::{Receipt, Signed},
};
use lane::Lane;
use moves::Moves;
use seen::Seen;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tail::Tail;

/// What is committed and reserved on a lease; see the module's head for what always holds.
#[derive(Debug)]
pub(crate) struct Account {
    terms: Terms,
    moves: Moves,
    phase: Phase,
    /// A claim is on its way to the ledger; what it says must stay true.
    frozen: bool,
    /// Where the receipts begin that are known here.
    base: Position,
    carried: u64,
    committed: u64,
    reserved: u64,
    lanes: BTreeMap<u16, Lane>,
    seq: u64,
    previous: Hash32,
    /// What comes after the claimed receipts, and how far the ledger has them as claimed or paid.
    tail: Tail,
    /// The last receipt that is signed, and its number: receipts get their signatures shortly after their places.
    last: Option<Arc<Signed<Receipt>>>,
    signed: u64,
    seen: Seen,
    /// Those for which units are reserved.
    running: BTreeSet<RequestId>,
    last_activity: TimestampMs,
}

impl Account {
    /// A lease on which nothing was served yet.
    pub(crate) fn new(terms: Terms, now: TimestampMs) -> Self {
        Self {
            terms,
            moves: Moves::default(),
            phase: Phase::Open,
            frozen: false,
            base: Position::default(),
            carried: 0,
            committed: 0,
            reserved: 0,
            lanes: BTreeMap::new(),
            seq: 0,
            last: None,
            previous: Hash32::ZERO,
            tail: Tail::default(),
            signed: 0,
            seen: Seen::default(),
            running: BTreeSet::new(),
            last_activity: now,
        }
    }

    /// Takes over what the ledger says. Reads and events may overtake each other, so units only
    /// rise while requests are taken (but not above what is left of [given back](Self::give_back) ones), closing is
    /// final, and an end moves later unless it is closing.
    pub(crate) fn update_terms(&mut self, new: Terms) {
        let used = ComputeUnits(self.committed.saturating_add(self.reserved));
        let terms = &mut self.terms;
        terms.units = match self.phase {
            Phase::Open => terms.units.max(new.units.min(self.moves.most)),
            Phase::Settling | Phase::Closed => new.units.max(used),
        };
        terms.expires_at = match (terms.closing, new.closing) {
            (true, true) => terms.expires_at.min(new.expires_at),
            (true, false) => terms.expires_at,
            (false, true) => new.expires_at,
            (false, false) => terms.expires_at.max(new.expires_at),
        };
        terms.closing |= new.closing;
    }

    /// Moves on to a later phase; an earlier one changes nothing.
    pub(crate) fn advance(&mut self, phase: Phase) {
        if phase.rank() > self.phase.rank() {
            self.phase = phase;
        }
    }

    /// Its ids take room that is shared with other leases'.
    pub(crate) fn share_ids(&mut self, room: IdRoom) {
        self.seen.move_to(room);
    }

    /// Forgets the ids of requests that have expired.
    pub(crate) fn forget_expired(&mut self, now: TimestampMs) {
        self.seen.sweep(now);
    }

    /// How many ids may be remembered.
    fn share_of_ids(&self) -> usize {
        seen::share(self.terms.units)
    }

    /// Notes that something happened; rest begins anew.
    pub(crate) fn touch(&mut self, now: TimestampMs) {
        self.last_activity = now;
    }

    /// Sums without the lanes and the requests that run: cheap.
    pub(crate) fn brief(&self) -> Summary {
        Summary {
            terms: self.terms,
            phase: self.phase,
            committed: ComputeUnits(self.committed),
            reserved: ComputeUnits(self.reserved),
            seq: self.seq,
            claimed: self.tail.claimed(),
            last_activity: self.last_activity,
            giving_back: self.moves.giving_back,
            returned: self.moves.returned,
            lanes: Vec::new(),
            running: Vec::new(),
        }
    }

    /// Sums with the lanes and the requests that run.
    pub(crate) fn summary(&self) -> Summary {
        let lanes = self.lanes.iter();
        Summary {
            lanes: lanes
                .map(|(&lane, l)| (lane, ComputeUnits(l.ceiling()), ComputeUnits(l.committed)))
                .collect(),
            running: self.running.iter().copied().collect(),
            ..self.brief()
        }
    }

    /// What the lanes' vouchers come to.
    fn ceilings(&self) -> u64 {
        let lanes = self.lanes.values();
        lanes.fold(0, |sum, lane| lane.ceiling().saturating_add(sum))
    }

    /// Units that are neither committed nor reserved.
    pub(crate) fn left(&self) -> ComputeUnits {
        // the invariant of the module's head keeps this from going below zero
        ComputeUnits(self.terms.units.0 - self.committed - self.reserved)
    }

    fn check(&self) {
        debug_assert!(self.committed + self.reserved <= self.terms.units.0);
        debug_assert!(self.committed + self.reserved <= self.ceilings() || self.lanes.is_empty());
        debug_assert!(
            self.lanes
                .values()
                .all(|lane| lane.used() <= lane.ceiling())
        );
    }
}
