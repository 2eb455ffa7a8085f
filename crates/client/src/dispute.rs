//! Disputes from what this machine keeps: demand a record, answer a demand, prove fraud.
//!
//! What the steps are and what the ledger makes of them is in `atoma-evidence`; a [`Receipts`] turns
//! a kept receipt into one, and a [`Client`] takes it with its wallet's key.

use crate::{Client, ClientError, Receipts};
use atoma_types::{
    RequestId,
    message::{Receipt, RequestHeader, Signed},
};
use futures::future::BoxFuture;

pub use atoma_evidence::dispute::{
    Demand, Dispute, DisputeError, DisputeEvent, DisputeOutcome, Fraud, SettledRecord,
    SettledRecordError,
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

/// A receipt, and the request that it is for.
type Exchange = (Signed<Receipt>, Signed<RequestHeader>);

impl Receipts {
    /// The demand to see the settled record of a kept receipt; `None` if none of the request is
    /// kept.
    ///
    /// # Errors
    ///
    /// If the store can't be read, or what it kept is no receipt.
    pub fn demand(&self, request: RequestId) -> Result<Option<Dispute>, ClientError> {
        let kept = self.exchange(request)?;
        Ok(kept.map(|(receipt, _)| Dispute::Open(Demand::Receipt(receipt))))
    }

    /// The proof that a kept receipt charges too much, held against its request too; `None` if none
    /// of the request is kept.
    ///
    /// # Errors
    ///
    /// As [`demand`](Self::demand).
    pub fn over_claim(&self, request: RequestId) -> Result<Option<Dispute>, ClientError> {
        let kept = self.exchange(request)?;
        Ok(kept.map(|(receipt, header)| {
            Dispute::Prove(Fraud::OverClaim {
                receipt,
                header: Some(header),
            })
        }))
    }

    fn exchange(&self, request: RequestId) -> Result<Option<Exchange>, ClientError> {
        let Some(kept) = self.show(request)? else {
            return Ok(None);
        };
        Ok(Some((kept.signed()?, kept.signed_header()?)))
    }
}
