//! A request that may be served.

use super::inference::Inference;
use crate::{
    account::SignedRequest, billing::Billing, bodies::Words, confidential::Seal, held::Held,
    in_flight::RequestInFlight, lease::Lease, pricing::Plan, tasks::ServedTask,
};
use atoma_http::server::HeldRoom;
use atoma_types::{message::Salt, refusal::Refusal};
use bytes::Bytes;
use std::{mem, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

/// Why a request is passed on.
pub(super) enum Onward {
    /// There is much to do, and a place all the same.
    Rather,
    /// There is no place. This is said if nobody else has one.
    Only(Refusal),
}

/// What is left of a sealed request once it is opened.
pub(super) struct Sealed {
    /// The body as it came: this is what is signed for, kept and shown.
    pub body: Bytes,
    /// What the answer goes through.
    pub seal: Seal,
    /// All that it may cost, reserved before it was opened: so nothing that is said of the lease in clear depends on
    /// what was asked. Gone once work begins.
    pub reserved: Option<Held>,
}

/// A request whose signature, addressee, time and body are right. Of one that isn't sealed no units are reserved yet.
pub(super) struct Admitted {
    pub request: SignedRequest,
    pub lease: Arc<Lease>,
    pub task: Arc<ServedTask>,
    pub body: Bytes,
    /// What came in its place, where it was sealed.
    pub sealed: Option<Sealed>,
    pub salt: Salt,
    /// Of the room that long bodies share.
    pub held: HeldRoom,
    /// The bodies are to be evidence that everyone can read.
    pub open: bool,
    /// Gone while somebody serves it.
    pub permit: Option<OwnedSemaphorePermit>,
    /// It is to be passed on.
    pub onward: Option<Onward>,
    /// Another node may serve it, and hasn't been asked yet.
    pub may_go: bool,
}

impl Admitted {
    /// What is said in it; for the evidence log, where one is kept.
    pub(super) fn words(&mut self, inference: &Inference) -> Words {
        let held = mem::replace(&mut self.held, HeldRoom::unlimited());
        let mut words = Words::new(self.salt.clone(), held);
        if inference.billing.evidence.is_some() {
            let body = self
                .sealed
                .as_ref()
                .map_or(&self.body, |sealed| &sealed.body);
            words.keep(body.clone(), self.open);
        }
        words.sealed_by(self.seal());
        words
    }

    /// What the answer goes through, if the request was sealed.
    pub(super) fn seal(&self) -> Option<Seal> {
        self.sealed.as_ref().map(|sealed| sealed.seal.clone())
    }

    /// Reserves what the plan wants, or takes what is reserved, and begins.
    pub(super) fn begin(
        &mut self,
        billing: &Arc<Billing>,
        plan: Plan,
        words: Words,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<RequestInFlight, Refusal> {
        let task = self.task.clone();
        let reserved = self
            .sealed
            .as_mut()
            .and_then(|sealed| sealed.reserved.take());
        match reserved {
            Some(held) => Ok(RequestInFlight::of(
                billing, held, task, plan, words, permit,
            )),
            None => {
                let (lease, request) = (&self.lease, &self.request);
                RequestInFlight::open(billing, lease, task, request, plan, words, permit)
            }
        }
    }
}
