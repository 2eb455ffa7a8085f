//! Units of a stack: what was used, what may still be charged, and what is left.

use crate::{Client, ClientError, StackHandle, lane::Lane};
use atoma_types::{
    ComputeUnits, NodeId, RequestId,
    chain::Stack,
    message::{Receipt, Signed},
};
use futures::future::BoxFuture;
use std::time::Duration;

/// How often an account is looked at by who waits for it: nodes show receipts within hundreds of milliseconds.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Units of a stack, those of all its leases together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackUnits {
    /// Charged by receipts, or claimed.
    pub used: ComputeUnits,
    /// What requests may cost at most that were left before their receipts came.
    pub open: ComputeUnits,
    /// None of these: those that no node has among them.
    pub left: ComputeUnits,
}

impl Client {
    /// What was used of a stack, and what is left to ask with: by the ledger, and by the receipts in this client's folder.
    /// What others asked with isn't known here until a node claims it.
    ///
    /// # Errors
    ///
    /// If the client's files can't be read.
    pub fn units(&self, stack: &Stack) -> Result<StackUnits, ClientError> {
        let mut units = StackUnits {
            used: ComputeUnits::ZERO,
            open: ComputeUnits::ZERO,
            left: stack.ungranted,
        };
        let kept = self.inner.store.kept();
        for lease in &stack.leases {
            let charged = kept.charged(stack.id, lease.node)?;
            let claimed = lease.claimed_units().max(lease.paid_units);
            if lease.closed {
                units.used = units.used.saturating_add(claimed);
                continue;
            }
            let last = last_of(&kept.chain(stack.id, lease.node, 1)?)?;
            let used = charged.max(claimed).max(last);
            // may be counted twice until its receipt is here, and is never left out
            let open = kept.unclear(stack.id, lease.node)?;
            units.used = units.used.saturating_add(used);
            units.open = units.open.saturating_add(open);
            let left = lease.units.saturating_sub(used.saturating_add(open));
            units.left = units.left.saturating_add(left);
        }
        Ok(units)
    }
}

impl StackHandle {
    /// The requests of this program that a node may still charge, with the most that it can.
    #[must_use]
    pub fn open_requests(&self, node: NodeId) -> Vec<(RequestId, ComputeUnits)> {
        let accounts = self.state.accounts.lock();
        let lanes = accounts
            .get(&node)
            .into_iter()
            .flat_map(|account| account.lanes.values());
        let mut open: Vec<_> = lanes.flat_map(Lane::open_requests).collect();
        open.sort_unstable();
        open
    }

    /// Waits until it is clear what these requests cost: until their receipts are here, or there will be none. Nothing is
    /// asked for by this; a request whose answer was dropped is looked after anyway.
    pub fn settled<'a>(
        &'a self,
        node: NodeId,
        requests: &'a [(RequestId, ComputeUnits)],
    ) -> BoxFuture<'a, ()> {
        let is_open =
            |open: &(RequestId, ComputeUnits)| requests.iter().any(|(id, _)| *id == open.0);
        Box::pin(async move {
            while self.open_requests(node).iter().any(is_open) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            // its receipt is given to the store just after the account has it
            tokio::time::sleep(LOOK_AGAIN).await;
        })
    }
}

/// What all requests of a lease up to its last kept receipt come to.
fn last_of(kept: &[Vec<u8>]) -> Result<ComputeUnits, ClientError> {
    let Some(bytes) = kept.last() else {
        return Ok(ComputeUnits::ZERO);
    };
    let receipt = Signed::<Receipt>::from_bytes(bytes.clone());
    let receipt = receipt.map_err(|e| ClientError::Damaged(e.into()))?;
    Ok(receipt.message().cumulative_units)
}
