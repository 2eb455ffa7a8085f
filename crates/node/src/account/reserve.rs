//! Setting units aside for a request, and giving them back.

use super::{
    Account,
    denied::Denied,
    lane::{Lane, SignedRequest},
    seen::Spent,
    terms::Phase,
};
use crate::limits::MAX_LANES;
use atoma_types::{ComputeUnits, RequestId, TimestampMs};

/// Units set aside for one running request. Whoever holds it must give it back with
/// [`Account::commit`] or [`Account::release`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Reservation {
    pub(super) request: RequestId,
    pub(super) lane: u16,
    pub(super) units: u64,
}

impl Account {
    /// Uses up the id of a request that has just come, whatever becomes of it: its node serves it now or never.
    pub(crate) fn admit(
        &mut self,
        request: &SignedRequest,
        now: TimestampMs,
    ) -> Result<(), Denied> {
        let header = request.message();
        let expires_at = header.expires_at_ms;
        let share = self.share_of_ids();
        self.seen.admit(header.request_id, expires_at, now, share)
    }

    /// Uses it up for one that is refused in any case.
    pub(crate) fn spend(&mut self, request: &SignedRequest, now: TimestampMs) -> Spent {
        let header = request.message();
        let share = self.share_of_ids();
        self.seen
            .spend(header.request_id, header.expires_at_ms, now, share)
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
        self.check_open(now)?;
        // here and not only where its header came: its body may have taken its time since
        let (id, expires_at) = (&header.request_id, header.expires_at_ms);
        self.seen.check(id, expires_at, now)?;
        let lane = self.lanes.get(&header.lane);
        if lane.is_none() && self.lanes.len() >= MAX_LANES {
            return Err(Denied::TooManyLanes);
        }
        let lease_left = self.left().0;
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
        // what was carried over is in no lane here, and must be covered all the same
        let others = self.ceilings() - lane.map_or(0, Lane::ceiling);
        let covered = others.saturating_add(ceiling);
        let covered_left = covered.saturating_sub(self.committed + self.reserved);
        if covered_left < least.0 {
            let lacking = wanted.0.saturating_sub(covered_left);
            return Err(Denied::CeilingTooLow {
                needed: ceiling.saturating_add(lacking),
            });
        }

        let units = wanted.0.min(lease_left).min(lane_left).min(covered_left);
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
        let share = self.share_of_ids();
        self.seen
            .take(header.request_id, header.expires_at_ms, now, share);
        self.running.insert(header.request_id);
        self.last_activity = now;
        self.check();
        Ok(Reservation {
            request: header.request_id,
            lane: header.lane,
            units,
        })
    }

    /// Whether the lease takes requests.
    fn check_open(&self, now: TimestampMs) -> Result<(), Denied> {
        match self.phase {
            Phase::Settling => Err(Denied::Settling),
            Phase::Closed => Err(Denied::Closed),
            Phase::Open if self.terms.closing || now >= self.terms.expires_at => {
                Err(Denied::Expired)
            }
            Phase::Open => Ok(()),
        }
    }

    /// Adds up to `by` units to a reservation and says how many it has now. A lease that is being
    /// settled grows nothing, so that its streams end soon.
    pub(crate) fn grow(&mut self, reservation: &mut Reservation, by: ComputeUnits) -> ComputeUnits {
        let covered = self
            .ceilings()
            .saturating_sub(self.committed + self.reserved);
        let lease_left = self.left().0.min(covered);
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

    /// Gives a reservation back as if it had never been made: who has its request may reserve again.
    pub(crate) fn undo(&mut self, reservation: Reservation) {
        let request = reservation.request;
        self.release(reservation);
        self.seen.give_back(request);
    }

    /// Gives a reservation back unused.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "it can be given back only once"
    )]
    pub(crate) fn release(&mut self, reservation: Reservation) {
        let Reservation {
            request,
            lane,
            units,
        } = reservation;
        self.running.remove(&request);
        if let Some(lane) = self.lanes.get_mut(&lane) {
            lane.reserved -= units;
            self.reserved -= units;
        }
        self.check();
    }
}

impl Reservation {
    /// How many units it holds.
    pub(crate) fn units(&self) -> ComputeUnits {
        ComputeUnits(self.units)
    }
}
