//! Taking a user's grant to the ledger, so that its units become this node's lease.

use crate::{account::Phase, lease::Lease, shared::Shared};
use atoma_ledger::LedgerError;
use atoma_types::{
    ComputeUnits, Price, StackId, TimestampMs,
    chain::{AbortCode, Clock, calls},
    message::{Grant, Signed},
    refusal::{Refusal, RefusalCode},
};
use serde::Serialize;
use std::sync::Arc;

/// A lease as the answer to a grant shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeaseView {
    stack: StackId,
    units: ComputeUnits,
    price: Price,
    expires_at_ms: TimestampMs,
}

impl LeaseView {
    fn of(lease: &Lease) -> Self {
        let terms = lease.brief().terms;
        Self {
            stack: lease.stack,
            units: terms.units,
            price: lease.price,
            expires_at_ms: terms.expires_at,
        }
    }
}

impl Shared {
    /// Makes a grant's units ours. A grant that is satisfied already is answered at once.
    pub(crate) async fn take_grant(&self, text: &str) -> Result<LeaseView, Refusal> {
        let grant = Signed::<Grant>::from_text(text).map_err(|error| {
            Refusal::new(RefusalCode::InvalidBody, error.to_string()).param("grant")
        })?;
        let wanted = grant.message();
        self.check_grant(wanted)?;
        if let Some(lease) = self.satisfied(wanted) {
            return Ok(LeaseView::of(&lease));
        }
        let Some(stack) = self.read_stack(wanted.stack).await? else {
            return Err(Refusal::new(
                RefusalCode::UnknownStack,
                "the ledger has no such stack",
            ));
        };
        if grant.verify(&stack.request_key).is_err() {
            let message = "the grant is not signed by the stack's request key";
            return Err(Refusal::new(RefusalCode::BadSignature, message));
        }
        self.task(stack.task)?;
        self.adopt_stack(&stack);
        if let Some(lease) = self.satisfied(wanted) {
            return Ok(LeaseView::of(&lease));
        }
        let call = calls::Lease {
            db: self.ledger.ledger.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: self.identity.node.into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: Clock,
        };
        match self
            .ledger
            .ledger
            .execute(&self.ledger.key, vec![call.into()])
            .await
        {
            Ok(executed) => {
                for event in &executed.events {
                    let _ = self.adopt_event(event, Vec::new());
                }
            }
            // another request with the same or a higher grant was faster
            Err(error) if error.abort_code() == Some(AbortCode::GrantNotHigher.code()) => {
                if let Some(stack) = self.read_stack(wanted.stack).await? {
                    self.adopt_stack(&stack);
                }
            }
            Err(error) => return Err(self.grant_refusal(&error)),
        }
        self.satisfied(wanted)
            .map(|lease| LeaseView::of(&lease))
            .ok_or_else(|| {
                Refusal::new(
                    RefusalCode::Unavailable,
                    "the lease is not visible yet; try again",
                )
            })
    }

    fn check_grant(&self, grant: &Grant) -> Result<(), Refusal> {
        let refuse = |code, message| Err(Refusal::new(code, message));
        if grant.network != self.identity.network {
            return refuse(
                RefusalCode::WrongNetwork,
                "the grant is signed for another network",
            );
        }
        if grant.node != self.identity.node {
            return refuse(
                RefusalCode::WrongNode,
                "the grant is signed for another node",
            );
        }
        if grant.expires_at_ms <= self.clock.now() {
            return refuse(RefusalCode::Expired, "the grant has expired");
        }
        Ok(())
    }

    fn satisfied(&self, grant: &Grant) -> Option<Arc<Lease>> {
        self.leases.get(grant.stack).filter(|lease| {
            let brief = lease.brief();
            brief.phase == Phase::Open && brief.terms.units >= grant.cumulative_units
        })
    }

    /// The ledger's refusal in the node's words, with the ledger's own code in the message.
    fn grant_refusal(&self, error: &LedgerError) -> Refusal {
        let code = match error.abort_code().and_then(AbortCode::from_code) {
            Some(AbortCode::StackExpired | AbortCode::StackClosed) => RefusalCode::StackExpired,
            Some(AbortCode::LeasesExceedStack | AbortCode::LeaseClosed) => {
                RefusalCode::LeaseExhausted
            }
            Some(AbortCode::CapacityExceeded) => RefusalCode::Overloaded,
            Some(AbortCode::GrantExpired) => RefusalCode::Expired,
            Some(_) => RefusalCode::InvalidBody,
            None => {
                self.metrics.ledger_errors.inc();
                tracing::warn!(%error, "cannot take a grant to the ledger");
                return Refusal::new(
                    RefusalCode::Unavailable,
                    "the ledger does not take the grant",
                );
            }
        };
        Refusal::new(code, error.to_string())
    }
}
