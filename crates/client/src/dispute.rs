//! Disputes from what this machine keeps: demand a record, answer a demand, challenge.
//!
//! What the steps are and what the ledger makes of them is in `atoma-evidence`; a [`Receipts`] turns
//! a kept receipt into one, and a [`Client`] takes it with its wallet's key.

use crate::{Client, ClientError, Receipts};
use atoma_types::RequestId;
use futures::future::BoxFuture;

pub use atoma_evidence::dispute::{
    Claimed, Dispute, DisputeError, DisputeEvent, DisputeOutcome, SettledRecord, SettledRecordError,
};

impl Client {
    /// Takes a step of a dispute as this wallet, and says what came of it.
    ///
    /// # Errors
    ///
    /// If the step can't be made a call, or the ledger refuses it or can't be reached.
    pub fn dispute<'a>(
        &'a self,
        step: &'a Dispute,
    ) -> BoxFuture<'a, Result<DisputeOutcome, DisputeError>> {
        Box::pin(step.submit(self.ledger(), self.key()))
    }
}

impl Receipts {
    /// The last unit of a kept receipt: what is demanded or challenged about it; `None` if no receipt of the
    /// request is kept, or it charges nothing.
    ///
    /// # Errors
    ///
    /// If the store can't be read, or what it kept is no receipt.
    pub fn claimed(&self, request: RequestId) -> Result<Option<Claimed>, ClientError> {
        let Some(kept) = self.show(request)? else {
            return Ok(None);
        };
        Ok(Claimed::of(kept.signed()?.message()))
    }
}
