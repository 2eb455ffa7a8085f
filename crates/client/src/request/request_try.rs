//! One try of a request as a value: what will be signed, and how a refusal changes it.

use crate::{
    Evidence,
    estimate::{self, EstimateError},
    retry::Mend,
    usage::Asked,
};
use atoma_types::{
    ComputeUnits, RequestId, TimestampMs, UnitWeights,
    hash::Hash32,
    message::{Endpoint, RequestHeader, Salt, Signed},
};
use bytes::Bytes;
use std::time::Duration;

/// Time for an answer to begin, where the caller names none. A whole answer begins when it is complete.
const ANSWER_BEGINS_TIMEOUT: Duration = Duration::from_secs(300);

/// One try of a request, as it will be signed. After a refusal it is [mended](RequestTry::mend) and
/// tried again.
#[derive(Clone, Debug)]
pub struct RequestTry {
    pub(super) id: RequestId,
    pub(super) endpoint: Endpoint,
    pub(super) body: Bytes,
    pub(super) max_units: ComputeUnits,
    pub(super) ceiling: Option<ComputeUnits>,
    pub(super) lane: Option<u16>,
    pub(super) evidence: Evidence,
    pub(super) no_forward: bool,
    /// The body is sealed already.
    pub(super) sealed: bool,
    pub(super) first_byte: Duration,
    /// An answer that comes later is paid for by whoever asked, and waited for.
    pub(super) is_paid_late: bool,
    /// It is signed only if its node has earned that.
    pub(super) is_earned: bool,
    pub(super) passed_on: Option<PassedOn>,
}

/// Another's request, of which a try repeats what decides the answer.
#[derive(Clone, Debug)]
pub(super) struct PassedOn {
    pub(super) request: Hash32,
    pub(super) issued_at: TimestampMs,
    pub(super) expires_at: TimestampMs,
    pub(super) salt: Salt,
}

impl RequestTry {
    /// The first try of a request: its id (which nobody used before), the endpoint, the body as it
    /// goes out, and the most units that it may cost. The stack's own lane pays.
    #[must_use]
    pub fn new(id: RequestId, endpoint: Endpoint, body: Bytes, max_units: ComputeUnits) -> Self {
        Self {
            id,
            endpoint,
            body,
            max_units,
            ceiling: None,
            lane: None,
            evidence: Evidence::default(),
            no_forward: false,
            first_byte: ANSWER_BEGINS_TIMEOUT,
            is_paid_late: false,
            is_earned: false,
            passed_on: None,
            sealed: false,
        }
    }

    /// Passes on another's request, as a node does that is full. Its units, times and salt are repeated, so
    /// that the answer and what is committed to of it are the same as if its node had answered.
    #[must_use]
    pub fn passing_on(
        id: RequestId,
        asked: &Signed<RequestHeader>,
        salt: Salt,
        body: Bytes,
    ) -> Self {
        let header = asked.message();
        Self {
            passed_on: Some(PassedOn {
                request: asked.hash(),
                issued_at: header.issued_at_ms,
                expires_at: header.expires_at_ms,
                salt,
            }),
            ..Self::new(id, header.endpoint, body, header.max_units)
        }
    }

    /// The node that is asked may not pass the request on.
    #[must_use]
    pub fn kept(mut self, kept: bool) -> Self {
        self.no_forward = kept;
        self
    }

    /// The body was sealed by somebody else: it is passed on with its answer, and neither is read.
    #[must_use]
    pub fn sealed(mut self, sealed: bool) -> Self {
        self.sealed = sealed;
        self
    }

    /// The answer must begin by then: a node that takes a request and says nothing is given up.
    #[must_use]
    pub fn answered_within(mut self, first_byte: Duration) -> Self {
        self.first_byte = first_byte;
        self
    }

    /// Whoever asked pays for an answer that comes later than that as for one that they have left. So it is waited for all
    /// the same, by nobody, and isn't one that never came if it comes then.
    #[must_use]
    pub fn paid_late(mut self) -> Self {
        self.is_paid_late = true;
        self
    }

    /// It is signed only if its node [has earned](crate::StackHandle::has_earned) that, beside all that was signed for it at that
    /// moment: for who pays for somebody else, and can't charge them what a node refuses and claims all the same.
    #[must_use]
    pub fn earned(mut self) -> Self {
        self.is_earned = true;
        self
    }

    /// The same request at another node or on another stack, under a new id: what the last node
    /// said about its lane counts no more.
    pub fn moved(&mut self, id: RequestId) {
        self.id = id;
        self.ceiling = None;
    }

    /// The next try at the same node, under a new id, with what is to be signed differently. A
    /// renewed lease changes nothing in what is signed.
    pub fn mend(&mut self, id: RequestId, mend: Mend) {
        self.id = id;
        match mend {
            Mend::RaiseUnits(units) => self.max_units = self.max_units.max(units),
            Mend::RaiseCeiling(ceiling) => self.ceiling = Some(ceiling),
            Mend::NewStack => self.ceiling = None,
            Mend::SignAnew | Mend::RenewLease => {}
        }
    }

    /// What bounds the usage that a receipt may claim; of what was sealed already nothing is known.
    pub(super) fn asked(&self) -> Asked {
        match self.sealed {
            true => Asked::unread(self.endpoint),
            false => Asked::of(self.endpoint, &self.body),
        }
    }

    /// What a node may raise the units to: see [`estimate::most_units`].
    ///
    /// # Errors
    /// As there.
    pub fn most_units(
        &self,
        weights: &UnitWeights,
        default_output: u64,
    ) -> Result<ComputeUnits, EstimateError> {
        estimate::most_units(self.endpoint, &self.body, weights, default_output)
    }

    /// The id that the next try is signed with.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The most units that the request may cost.
    #[must_use]
    pub fn max_units(&self) -> ComputeUnits {
        self.max_units
    }
}
