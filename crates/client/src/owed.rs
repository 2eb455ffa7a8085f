//! What is owed for requests that came to nothing: see [`vouchers`](crate::vouchers).

use crate::StackHandle;
use atoma_types::{ComputeUnits, NodeId};
use tokio::sync::oneshot;

impl StackHandle {
    /// A request that may cost so much came to nothing, of whose node's lease so much is free: what is charged for it is told
    /// once that is clear, if anything may be.
    pub(crate) fn owes(
        &self,
        node: NodeId,
        most: ComputeUnits,
        free: ComputeUnits,
    ) -> Option<oneshot::Receiver<ComputeUnits>> {
        let overpaid = self.overpaid(node);
        self.with_account(node, |account| match overpaid {
            None => {
                let loose = account.loose();
                account.vouchers.owe(most, free, loose)
            }
            Some(overpaid) => {
                let (tell, told) = oneshot::channel();
                let _ = tell.send(account.vouchers.share(most, overpaid));
                Some(told)
            }
        })?
    }

    /// Whether a request that may cost so much can be signed for a node of which nothing is known but what it has receipts for:
    /// whatever it refuses and claims all the same is no more than the window, one request, or an eighth of what its lease has
    /// earned by receipts that have come. So who pays for others lets more run at once as a node earns it. Whoever asks this alone
    /// may be told so many times at once: what holds is [`RequestTry::earned`](crate::RequestTry::earned).
    #[must_use]
    pub fn has_earned(&self, node: NodeId, max: ComputeUnits) -> bool {
        let window = self.client.inner.config.window;
        let accounts = self.state.accounts.lock();
        let account = accounts.get(&node);
        account.is_none_or(|account| account.is_earned(account.own_lane, (max, None), window))
    }

    /// What a node's lease was paid beyond all receipts, once it is closed.
    fn overpaid(&self, node: NodeId) -> Option<ComputeUnits> {
        let paid = {
            let view = self.state.view.read();
            let lease = view.lease(node).filter(|lease| lease.closed)?;
            lease.paid_units
        };
        let kept = self.client.inner.store.kept();
        let charged = kept.charged(self.id(), node).ok()?;
        Some(paid.saturating_sub(charged))
    }

    /// The stack was read again: of leases that are closed nothing more is claimed.
    pub(crate) fn charge_owed(&self) {
        let owed: Vec<NodeId> = {
            let accounts = self.state.accounts.lock();
            let owed = accounts.iter().filter(|(_, of)| of.vouchers.are_owed());
            owed.map(|(node, _)| *node).collect()
        };
        for node in owed {
            if let Some(overpaid) = self.overpaid(node) {
                self.with_account(node, |account| account.vouchers.close(overpaid));
            }
        }
    }
}
