//! One admitted request on its way. It holds a reservation, hashes what is sent, asks for more
//! units while the answer grows, and ends in exactly one of three ways: a receipt, a release, or,
//! when its client leaves in the middle, a receipt for what was sent (of a whole answer: computed).

use crate::{
    account::{CommitError, Reservation, SignedRequest},
    billing::Billing,
    bodies::{Bodies, Words},
    confidential::Seal,
    held::{Held, HeldParts},
    journal::{Ack, Kept},
    lease::Lease,
    pricing::Plan,
    tasks::ServedTask,
};
use atoma_engine::OutputLimit;
use atoma_evidence::second::SecondRecord;
use atoma_http::server::HeldRoom;
use atoma_runtime::WithCauses;
use atoma_types::{
    StackId, TimestampMs, Usage,
    hash::Hash32,
    message::{Domain, Draft, Origin, Receipt, RequestTimes, Signed},
    refusal::{Refusal, RefusalCode},
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Span;

#[derive(Debug)]
pub(crate) struct RequestInFlight {
    billing: Arc<Billing>,
    lease: Arc<Lease>,
    task: Arc<ServedTask>,
    request: SignedRequest,
    plan: Plan,
    /// Gone once the request has ended.
    reservation: Option<Reservation>,
    sent_bytes: bool,
    due: Due,
    words: Words,
    /// The record of the node that answered for this one, as it is kept.
    second: Option<Vec<u8>>,
    /// The engine's present output limit.
    limit: u64,
    /// What a client that leaves now would pay for.
    used: Usage,
    started: (TimestampMs, Instant),
    first_token: TimestampMs,
    /// What logs say of the request.
    span: Span,
    /// Given back when the request is over.
    permit: Option<OwnedSemaphorePermit>,
}

/// From when on a client that leaves pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Once something was sent.
    Sent,
    /// The answer is sent as a whole: once something was computed.
    Computed,
}

/// A receipt that may leave once it is signed and durable.
#[derive(Debug)]
pub(crate) struct Pending {
    ack: Ack<Arc<Signed<Receipt>>>,
    /// Its record is to be stored before it leaves.
    immediate: bool,
}

impl RequestInFlight {
    /// Reserves what the plan wants, or as much of it as there is.
    pub(crate) fn open(
        billing: &Arc<Billing>,
        lease: &Arc<Lease>,
        task: Arc<ServedTask>,
        request: &SignedRequest,
        plan: Plan,
        words: Words,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Self, Refusal> {
        let now = billing.clock.now();
        let held = Held::reserve(lease, request, plan.least, plan.wanted, now)?;
        Ok(Self::of(billing, held, task, plan, words, permit))
    }

    /// A request whose units are set aside already.
    pub(crate) fn of(
        billing: &Arc<Billing>,
        held: Held,
        task: Arc<ServedTask>,
        plan: Plan,
        words: Words,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let HeldParts {
            lease,
            request,
            reservation,
            since,
        } = held.begin();
        billing.metrics.running.inc();
        let units = reservation.as_ref().map(Reservation::units);
        Self {
            limit: plan.first_limit(units.unwrap_or_default()),
            used: Usage {
                input: plan.input,
                ..Usage::default()
            },
            reservation,
            billing: billing.clone(),
            lease,
            task,
            request,
            plan,
            sent_bytes: false,
            due: Due::Sent,
            words,
            second: None,
            started: since,
            first_token: since.0,
            span: Span::current(),
            permit,
        }
    }

    /// The answer is sent when it is complete, so that its tokens are paid for as they are computed:
    /// otherwise a client that leaves just before the end would have all of it computed for nothing.
    pub(crate) fn computes_whole(&mut self) {
        self.due = Due::Computed;
    }

    /// The stack that pays for it.
    pub(crate) fn stack(&self) -> StackId {
        self.request.message().stack
    }

    /// Nothing is done for it any more but to wait for what it cost: somebody else may have its place.
    pub(crate) fn gives_place_back(&mut self) {
        self.permit = None;
    }

    /// The span that work for the request belongs to.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Output tokens that the engine may generate so far.
    pub(crate) fn limit(&self) -> u32 {
        u32::try_from(self.limit).unwrap_or(u32::MAX)
    }

    /// The most that the limit may become.
    pub(crate) fn most(&self) -> u32 {
        u32::try_from(self.plan.output_cap).unwrap_or(u32::MAX)
    }

    /// The engine says what the prompt was.
    pub(crate) fn prompt(&mut self, tokens: u32, cached: u32) {
        if tokens > 0 {
            let cached = cached.min(tokens);
            self.used.input = u64::from(tokens - cached);
            self.used.cached_input = u64::from(cached);
        }
    }

    /// The engine generated so many tokens: counts them, and reserves more before the limit is reached.
    pub(crate) fn tokens(&mut self, count: u32, limit: &OutputLimit) {
        self.used.output += u64::from(count);
        let Some(next) = self.plan.next_limit(self.used.output, self.limit) else {
            return;
        };
        let Some(reservation) = &mut self.reservation else {
            return;
        };
        let more = self.plan.worst(next).saturating_sub(reservation.units());
        let units = self.lease.grow(reservation, more);
        let affordable = self.plan.affordable(units).min(next);
        if affordable > self.limit {
            self.limit = affordable;
            limit.raise(self.limit());
        }
    }

    /// These bytes of the answer are leaving; as they do.
    pub(crate) fn sending(&mut self, bytes: Bytes) -> Bytes {
        self.note_sent();
        self.words.sending(bytes)
    }

    /// The same of the last ones.
    pub(crate) fn ending(&mut self, bytes: Bytes) -> Bytes {
        self.note_sent();
        self.words.ending(bytes)
    }

    /// What the answer goes through, if it is sealed.
    pub(crate) fn seal(&self) -> Option<&Seal> {
        self.words.seal()
    }

    fn note_sent(&mut self) {
        if !self.sent_bytes {
            self.sent_bytes = true;
            self.first_token = self.billing.clock.now();
            self.billing.metrics.first_bytes(self.started.1.elapsed());
        }
    }

    /// Ends it with a receipt for what the engine counted.
    pub(crate) fn commit(
        &mut self,
        usage: Usage,
        fingerprint: Option<Hash32>,
    ) -> Result<Pending, Refusal> {
        let fingerprint = fingerprint.map(|scores| self.words.scores(scores));
        self.end(usage, fingerprint)
    }

    /// Ends it with a receipt for what another node counted: its receipt is over the same bytes under the same
    /// salt. Its record is kept beside ours.
    pub(crate) fn commit_second(&mut self, second: &SecondRecord) -> Result<Pending, Refusal> {
        let receipt = second.receipt().message();
        self.second = Some(second.to_bytes());
        self.end(receipt.usage, receipt.output_fingerprint)
    }

    /// The same once its user has left. Where the other node's receipt is over more than was sent here, this one's stands
    /// alone: the two can't be held against each other.
    pub(crate) fn commit_left(&mut self, second: &SecondRecord) -> Result<Pending, Refusal> {
        let receipt = second.receipt().message();
        match receipt.response_hash == self.words.answer() {
            true => self.commit_second(second),
            false => self.end(receipt.usage, None),
        }
    }

    /// The other node's answer broke off, and it charges for every byte that the user has of it: so does this one. None where
    /// nothing is charged here.
    pub(crate) fn commit_broken(&mut self, second: &SecondRecord) -> Option<Pending> {
        let receipt = second.receipt().message();
        let has_all = receipt.response_hash == self.words.answer();
        has_all.then(|| self.commit_second(second).ok()).flatten()
    }

    /// Whether a record of it can have its bodies, if it must: a receipt without them would be the node's ruin.
    fn fits(&self) -> Result<(), Refusal> {
        match &self.billing.evidence {
            Some(evidence) if self.lease.is_examined() => evidence.check_record(self.words.kept()),
            _ => Ok(()),
        }
    }

    fn end(&mut self, usage: Usage, fingerprint: Option<Hash32>) -> Result<Pending, Refusal> {
        if let Err(refusal) = self.fits() {
            self.release();
            return Err(refusal);
        }
        let ack = self
            .finish(usage, fingerprint)
            .map_err(|error| match error {
                CommitError::TooLate => Refusal::new(RefusalCode::StackExpired, error.to_string()),
                CommitError::Overrun => Refusal::new(RefusalCode::Internal, error.to_string()),
            })?;
        self.billing
            .metrics
            .served(self.request.message().endpoint, self.started.1.elapsed());
        Ok(Pending {
            ack,
            immediate: matches!(self.request.message().origin, Origin::Stored(_)),
        })
    }

    /// Nothing was done for it: whoever takes its place and its body's room may have it served by another node.
    pub(crate) fn give_back(mut self) -> (Option<OwnedSemaphorePermit>, HeldRoom) {
        if let Some(reservation) = self.reservation.take() {
            self.lease.undo(reservation);
        }
        (self.permit.take(), self.words.take_held())
    }

    /// Ends it without a charge: the engine failed.
    pub(crate) fn release(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.lease.release(reservation);
        }
    }

    fn finish(
        &mut self,
        usage: Usage,
        output_fingerprint: Option<Hash32>,
    ) -> Result<Ack<Arc<Signed<Receipt>>>, CommitError> {
        let reservation = self.reservation.take().ok_or(CommitError::TooLate)?;
        let (usage, units) = self.plan.charge(usage, reservation.units());
        let billing = &self.billing;
        let now = billing.clock.now();
        let header = self.request.message();
        let request_hash = self.request.hash();
        let response_hash = self.words.answer();
        let kept = Kept {
            bodies: self.words.take_kept(),
            second: self.second.take(),
        };
        let size = kept.bodies.as_ref().map_or(0, Bodies::size);
        let done = self.lease.commit(
            reservation,
            &self.request,
            units,
            now,
            &billing.journal,
            kept,
            |link| {
                let receipt = Receipt {
                    domain: Domain::default(),
                    network: header.network,
                    stack: header.stack,
                    node: header.node,
                    seq: link.seq,
                    request_id: header.request_id,
                    request_hash,
                    response_hash,
                    usage,
                    units,
                    cumulative_units: link.cumulative_units,
                    times: RequestTimes {
                        started_ms: self.started.0,
                        first_token_ms: self.first_token,
                        finished_ms: now,
                    },
                    engine: self.task.class,
                    output_fingerprint,
                    previous: link.previous,
                    base: link.base,
                    history: link.history,
                };
                Draft::new(receipt)
            },
        )?;
        if let Some(evidence) = &billing.evidence {
            evidence.taken(self.lease.owner, size);
        }
        billing.metrics.units.inc_by(units.0);
        billing.metrics.receipts.inc();
        Ok(done)
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.billing.metrics.running.dec();
        let span = self.span.clone();
        let _in = span.enter();
        if self.reservation.is_none() {
            return;
        }
        let due = match self.due {
            Due::Sent => self.sent_bytes && self.used.output > 0,
            // a node that stops takes the answer with it
            Due::Computed => self.used.output > 0 && !self.billing.concurrency.is_draining(),
        };
        // nobody pays for our own faults
        if due && !std::thread::panicking() && self.fits().is_ok() {
            // The client left in the middle and pays for what it has caused. The journal gets the
            // receipt by message; nobody waits for it here.
            self.billing.metrics.left.inc();
            if let Err(error) = self.finish(self.used, None) {
                tracing::warn!(error = %WithCauses(&error), "a broken stream is not paid");
            }
        } else {
            self.release();
        }
    }
}

impl Pending {
    /// The receipt, once it is on disk. Until then it must not leave.
    pub(crate) async fn durable(self, billing: &Billing) -> Result<Arc<Signed<Receipt>>, Refusal> {
        let since = Instant::now();
        let receipt =
            self.ack.durable().await.map_err(|error| {
                Refusal::new(RefusalCode::Internal, WithCauses(&error).to_string())
            })?;
        billing.metrics.durable(since.elapsed());
        if let Some(evidence) = billing.evidence.as_ref().filter(|_| self.immediate) {
            let of = receipt.message();
            evidence.store_now(of.stack, of.request_id).await;
        }
        Ok(receipt)
    }
}
