//! Units set aside for a request before anything is done for it.

use crate::{
    account::{Denied, Reservation, SignedRequest},
    lease::Lease,
};
use atoma_types::{ComputeUnits, TimestampMs};
use std::sync::Arc;
use tokio::time::Instant;

/// A reservation that is undone when it is dropped: who has the request may reserve again.
#[derive(Debug)]
pub(crate) struct Held {
    lease: Arc<Lease>,
    request: SignedRequest,
    reservation: Option<Reservation>,
    since: (TimestampMs, Instant),
}

/// What it is made of, once work begins: who holds the reservation must give it back from then on.
#[derive(Debug)]
pub(crate) struct HeldParts {
    pub lease: Arc<Lease>,
    pub request: SignedRequest,
    pub reservation: Option<Reservation>,
    pub since: (TimestampMs, Instant),
}

impl Held {
    /// Sets aside between `least` and `wanted` units.
    pub(crate) fn reserve(
        lease: &Arc<Lease>,
        request: &SignedRequest,
        least: ComputeUnits,
        wanted: ComputeUnits,
        now: TimestampMs,
    ) -> Result<Self, Denied> {
        let reservation = lease.reserve(request, least, wanted, now)?;
        Ok(Self {
            lease: lease.clone(),
            request: request.clone(),
            reservation: Some(reservation),
            since: (now, Instant::now()),
        })
    }

    /// Hands it over.
    pub(crate) fn begin(mut self) -> HeldParts {
        HeldParts {
            lease: self.lease.clone(),
            request: self.request.clone(),
            reservation: self.reservation.take(),
            since: self.since,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.lease.undo(reservation);
        }
    }
}
