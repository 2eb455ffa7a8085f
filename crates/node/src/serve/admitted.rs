//! A request that may be served.

use super::inference::Inference;
use crate::{account::SignedRequest, bodies::Words, lease::Lease, tasks::ServedTask};
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

/// A request whose signature, addressee, time and body are right. No units are reserved yet.
pub(super) struct Admitted {
    pub request: SignedRequest,
    pub lease: Arc<Lease>,
    pub task: Arc<ServedTask>,
    pub body: Bytes,
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
            words.keep(self.body.clone(), self.open);
        }
        words
    }
}
