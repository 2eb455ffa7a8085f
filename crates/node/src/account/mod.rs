//! The books of one lease: what is committed, what is reserved, what each lane's voucher covers,
//! and the chain of receipts. Pure: no clock, no I/O, no lock; callers bring all three.
//!
//! For every lane and for the lease as a whole, at any moment and under any interleaving:
//!
//! ```text
//! lane.committed + lane.reserved <= lane.ceiling        (the highest header's)
//! committed      + reserved      <= units               (the ledger's)
//! committed = sum of the receipts' units = sum over lanes of lane.committed
//! ```
//!
//! so the sum of the ceilings always covers what the node will claim.

mod seen;
#[cfg(test)]
pub(crate) mod tests;

use atoma_types::{
    ComputeUnits, RequestId, TimestampMs,
    hash::Hash32,
    merkle::MerkleAccumulator,
    message::{Draft, EvidenceLeaf, Receipt, RequestHeader, Signed},
    refusal::{Refusal, RefusalCode},
};
use seen::Seen;
use std::{collections::BTreeMap, sync::Arc};

/// A settlement carries a header of each lane, so no more are opened: the rules allow 64, but Sui gives
/// one argument 16 KiB, which 62 headers with evidence (262 bytes each) fill.
pub(crate) const MAX_LANES: usize = 62;

/// A signed request header, which also is a voucher. Shared: the running request and its lane both
/// hold it.
pub(crate) type SignedRequest = Arc<Signed<RequestHeader>>;

/// What the ledger says about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The lease's units.
    pub units: ComputeUnits,
    /// No request after this.
    pub expires_at: TimestampMs,
    /// The owner wants it settled now.
    pub closing: bool,
}

/// Where the lease stands at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests are admitted.
    Open,
    /// No new request; those running may still commit.
    Settling,
    /// Claimed on the ledger; nothing can be committed any more.
    Settled {
        /// From when on the claim can be paid, by the ledger's clock.
        claimable_at: TimestampMs,
    },
    /// Paid or expired.
    Closed,
}

/// The books.
#[derive(Debug)]
pub(crate) struct Account {
    terms: Terms,
    phase: Phase,
    /// A claim is on its way to the ledger; what it says must stay true.
    frozen: bool,
    committed: u64,
    reserved: u64,
    lanes: BTreeMap<u16, Lane>,
    seq: u64,
    previous: Hash32,
    /// The last receipt that is signed, and the records up to it: receipts get their signatures
    /// shortly after their places.
    last: Option<Arc<Signed<Receipt>>>,
    receipts: MerkleAccumulator,
    seen: Seen,
    last_activity: TimestampMs,
}

#[derive(Debug)]
struct Lane {
    committed: u64,
    reserved: u64,
    /// The header with the highest ceiling.
    voucher: SignedRequest,
}

/// Units set aside for one running request. Whoever holds it must give it back with
/// [`Account::commit`] or [`Account::release`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Reservation {
    lane: u16,
    units: u64,
}

/// What a new receipt needs to join the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its place, from 1.
    pub seq: u64,
    /// The lease's cost with it.
    pub cumulative_units: ComputeUnits,
    /// Hash of the one before.
    pub previous: Hash32,
}

/// A commit, ready for the journal.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// The receipt, to be signed.
    pub receipt: Draft<Receipt>,
    /// The lane that paid.
    pub lane: u16,
    /// All that the lane has paid.
    pub lane_committed: ComputeUnits,
    /// The lane's voucher.
    pub voucher: SignedRequest,
}

/// A lane as the journal has it.
#[derive(Clone, Debug)]
pub(crate) struct RestoredLane {
    /// All that the lane has paid.
    pub committed: ComputeUnits,
    /// Its voucher.
    pub voucher: SignedRequest,
}

/// What `settle` takes to the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Units.
    pub units: ComputeUnits,
    /// The highest header of each lane, lanes rising.
    pub vouchers: Vec<SignedRequest>,
    /// The last receipt; none if nothing was served.
    pub last: Option<Arc<Signed<Receipt>>>,
    /// Root over the records of all receipts.
    pub root: Hash32,
    /// How many.
    pub count: u64,
}

/// The sums, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub terms: Terms,
    pub phase: Phase,
    pub committed: ComputeUnits,
    pub reserved: ComputeUnits,
    pub seq: u64,
    pub last_activity: TimestampMs,
    /// Lane, ceiling, committed.
    pub lanes: Vec<(u16, ComputeUnits, ComputeUnits)>,
}

/// Why units can't be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("this request id was used before; sign a new request")]
    Replayed,
    #[error("the stack has expired or is closing")]
    Expired,
    #[error("the lease is being settled")]
    Settling,
    #[error("this node holds no open lease on the stack")]
    Closed,
    #[error("a stack may use at most {MAX_LANES} lanes on one node")]
    TooManyLanes,
    #[error("the lane's ceiling is too low; sign a ceiling of at least {needed} units")]
    CeilingTooLow { needed: u64 },
    #[error("the request needs {wanted} units and the lease has {left} left")]
    LeaseExhausted { left: u64, wanted: u64 },
}

/// Why a finished request can't be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the lease was settled before the request ended")]
    TooLate,
    #[error("the request used more than was reserved for it")]
    Overrun,
}

// === impl Account ===

impl Account {
    /// A lease on which nothing was served yet.
    pub(crate) fn new(terms: Terms, now: TimestampMs) -> Self {
        Self {
            terms,
            phase: Phase::Open,
            frozen: false,
            committed: 0,
            reserved: 0,
            lanes: BTreeMap::new(),
            seq: 0,
            last: None,
            previous: Hash32::ZERO,
            receipts: MerkleAccumulator::default(),
            seen: Seen::default(),
            last_activity: now,
        }
    }

    /// Sets aside between `least` and `wanted` units for a request; nothing changes if it can't.
    ///
    /// The request becomes its lane's voucher if its ceiling is the highest so far. Its id is taken
    /// from now on, whatever becomes of the request.
    pub(crate) fn reserve(
        &mut self,
        request: &SignedRequest,
        least: ComputeUnits,
        wanted: ComputeUnits,
        now: TimestampMs,
    ) -> Result<Reservation, Denied> {
        debug_assert!(least <= wanted);
        let header = request.message();
        match self.phase {
            Phase::Open => {}
            Phase::Settling | Phase::Settled { .. } => return Err(Denied::Settling),
            Phase::Closed => return Err(Denied::Closed),
        }
        if self.terms.closing || now >= self.terms.expires_at {
            return Err(Denied::Expired);
        }
        if self.seen.contains(&header.request_id) {
            return Err(Denied::Replayed);
        }
        let lane = self.lanes.get(&header.lane);
        if lane.is_none() && self.lanes.len() >= MAX_LANES {
            return Err(Denied::TooManyLanes);
        }
        let lease_left = self.left();
        if lease_left < least.0 {
            return Err(Denied::LeaseExhausted {
                left: lease_left,
                wanted: least.0,
            });
        }
        let used = lane.map_or(0, Lane::used);
        let ceiling = lane.map_or(0, Lane::ceiling).max(header.ceiling.0);
        let lane_left = ceiling - used.min(ceiling);
        if lane_left < least.0 {
            return Err(Denied::CeilingTooLow {
                needed: used.saturating_add(wanted.0),
            });
        }

        let units = wanted.0.min(lease_left).min(lane_left);
        let lane = self.lanes.entry(header.lane).or_insert_with(|| Lane {
            committed: 0,
            reserved: 0,
            voucher: request.clone(),
        });
        if header.ceiling.0 > lane.ceiling() {
            lane.voucher = request.clone();
        }
        lane.reserved += units;
        self.reserved += units;
        self.seen
            .insert(header.request_id, header.expires_at_ms, now);
        self.last_activity = now;
        self.check();
        Ok(Reservation {
            lane: header.lane,
            units,
        })
    }

    /// Adds up to `by` units to a reservation and says how many it has now. A lease that is being
    /// settled grows nothing, so that its streams end soon.
    pub(crate) fn grow(&mut self, reservation: &mut Reservation, by: ComputeUnits) -> ComputeUnits {
        let lease_left = self.left();
        if self.phase == Phase::Open
            && let Some(lane) = self.lanes.get_mut(&reservation.lane)
        {
            let more = by.0.min(lease_left).min(lane.ceiling() - lane.used());
            lane.reserved += more;
            self.reserved += more;
            reservation.units += more;
        }
        self.check();
        ComputeUnits(reservation.units)
    }

    /// Turns a reservation into a receipt for `units`, which `receipt` builds; what was reserved
    /// beyond them is free again. On an error the whole reservation is. Whoever signs the receipt
    /// gives it back to [`signed`](Self::signed), in the order of commits.
    pub(crate) fn commit(
        &mut self,
        reservation: Reservation,
        units: ComputeUnits,
        now: TimestampMs,
        receipt: impl FnOnce(Link) -> Draft<Receipt>,
    ) -> Result<Committed, CommitError> {
        let (lane, reserved) = (reservation.lane, reservation.units);
        self.release(reservation);
        if units.0 > reserved {
            return Err(CommitError::Overrun);
        }
        if self.frozen || !matches!(self.phase, Phase::Open | Phase::Settling) {
            return Err(CommitError::TooLate);
        }
        // the reservation stood in this lane until just now, and lanes are never removed
        let entry = self.lanes.get_mut(&lane).ok_or(CommitError::TooLate)?;
        entry.committed += units.0;
        self.committed += units.0;
        self.seq += 1;
        let receipt = receipt(Link {
            seq: self.seq,
            cumulative_units: ComputeUnits(self.committed),
            previous: self.previous,
        });
        self.previous = receipt.hash();
        let committed = Committed {
            receipt,
            lane,
            lane_committed: ComputeUnits(entry.committed),
            voucher: entry.voucher.clone(),
        };
        self.last_activity = now;
        self.check();
        Ok(committed)
    }

    /// The next receipt is signed. `request` is its request, which stands beside it in the record that
    /// a settlement commits to.
    pub(crate) fn signed(
        &mut self,
        request: &Signed<RequestHeader>,
        receipt: Arc<Signed<Receipt>>,
    ) {
        debug_assert_eq!(receipt.message().seq, self.receipts.count() + 1);
        self.receipts.push(EvidenceLeaf::hash_of(request, &receipt));
        self.last = Some(receipt);
    }

    /// Gives a reservation back unused.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it can be given back only once"
    )]
    pub(crate) fn release(&mut self, reservation: Reservation) {
        let Reservation { lane, units } = reservation;
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.reserved -= units;
            self.reserved -= units;
        }
        self.check();
    }

    /// Takes over what the ledger says. Reads and events may overtake each other, so units only
    /// rise, closing is final, and an end moves later unless it is closing.
    pub(crate) fn update_terms(&mut self, new: Terms) {
        let terms = &mut self.terms;
        terms.units = terms.units.max(new.units);
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

    /// From here on nothing can be committed.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// What the node may claim; `None` while a receipt isn't signed. Vouchers are shown only where
    /// something was served.
    pub(crate) fn claim(&self) -> Option<Claim> {
        if self.receipts.count() != self.seq {
            return None;
        }
        let lanes = self.lanes.values().filter(|_| self.seq > 0);
        Some(Claim {
            units: ComputeUnits(self.committed),
            vouchers: lanes.map(|lane| lane.voucher.clone()).collect(),
            last: self.last.clone(),
            root: self.receipts.root(),
            count: self.seq,
        })
    }

    /// Sums without the lanes: cheap.
    pub(crate) fn brief(&self) -> Summary {
        Summary {
            terms: self.terms,
            phase: self.phase,
            committed: ComputeUnits(self.committed),
            reserved: ComputeUnits(self.reserved),
            seq: self.seq,
            last_activity: self.last_activity,
            lanes: Vec::new(),
        }
    }

    /// Sums with the lanes.
    pub(crate) fn summary(&self) -> Summary {
        let lanes = self.lanes.iter();
        Summary {
            lanes: lanes
                .map(|(&lane, l)| (lane, ComputeUnits(l.ceiling()), ComputeUnits(l.committed)))
                .collect(),
            ..self.brief()
        }
    }

    // --- rebuilding from the journal -----------------------------------------------------------

    /// Puts a lane back as it was.
    pub(crate) fn restore_lane(&mut self, lane: RestoredLane) {
        let number = lane.voucher.message().lane;
        let committed = lane.committed.0;
        self.lanes.insert(
            number,
            Lane {
                committed,
                reserved: 0,
                voucher: lane.voucher,
            },
        );
    }

    /// Puts the next receipt back; false if it doesn't continue the chain.
    #[must_use]
    pub(crate) fn restore_receipt(
        &mut self,
        request: &Signed<RequestHeader>,
        receipt: Signed<Receipt>,
    ) -> bool {
        let message = receipt.message();
        let sum = self.committed.checked_add(message.units.0);
        let fits = message.seq == self.seq + 1
            && message.request_hash == request.hash()
            && message.previous == self.previous
            && sum == Some(message.cumulative_units.0);
        if fits {
            self.seq = message.seq;
            self.committed = message.cumulative_units.0;
            self.previous = receipt.hash();
            self.signed(request, Arc::new(receipt));
        }
        fits
    }

    /// Takes a request id that was served before the restart.
    pub(crate) fn restore_seen(&mut self, id: RequestId, until: TimestampMs, now: TimestampMs) {
        self.seen.insert(id, until, now);
    }

    /// Notes that something happened; rest begins anew.
    pub(crate) fn touch(&mut self, now: TimestampMs) {
        self.last_activity = now;
    }

    /// Whether what was restored adds up.
    #[must_use]
    pub(crate) fn adds_up(&self) -> bool {
        let mut lanes = self.lanes.values();
        let sum = lanes.try_fold(0u64, |sum, lane| sum.checked_add(lane.committed));
        sum == Some(self.committed)
            && self.committed <= self.terms.units.0
            && self
                .lanes
                .values()
                .all(|lane| lane.committed <= lane.ceiling())
    }

    /// Units that are neither committed nor reserved.
    fn left(&self) -> u64 {
        // the invariant of the module's head keeps this from going below zero
        self.terms.units.0 - self.committed - self.reserved
    }

    fn check(&self) {
        debug_assert!(self.committed + self.reserved <= self.terms.units.0);
        debug_assert!(
            self.lanes
                .values()
                .all(|lane| lane.used() <= lane.ceiling())
        );
    }
}

impl Lane {
    fn ceiling(&self) -> u64 {
        self.voucher.message().ceiling.0
    }

    fn used(&self) -> u64 {
        self.committed + self.reserved
    }
}

impl Reservation {
    /// How many units it holds.
    pub(crate) fn units(&self) -> ComputeUnits {
        ComputeUnits(self.units)
    }
}

impl Phase {
    /// Its name in output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settling => "settling",
            Self::Settled { .. } => "settled",
            Self::Closed => "closed",
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Settling => 1,
            Self::Settled { .. } => 2,
            Self::Closed => 3,
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let refuse = |code| Refusal::new(code, denied.to_string());
        match denied {
            Denied::Replayed => refuse(RefusalCode::Replayed),
            Denied::Expired => refuse(RefusalCode::StackExpired),
            Denied::Settling => refuse(RefusalCode::LeaseExhausted).needed(0),
            Denied::Closed => refuse(RefusalCode::UnknownStack),
            Denied::TooManyLanes => refuse(RefusalCode::TooManyLanes),
            Denied::CeilingTooLow { needed } => refuse(RefusalCode::CeilingTooLow).needed(needed),
            Denied::LeaseExhausted { left, .. } => refuse(RefusalCode::LeaseExhausted).needed(left),
        }
    }
}
