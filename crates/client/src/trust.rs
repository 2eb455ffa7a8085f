//! Nodes for which nothing is signed any more: those that signed a receipt for what can't be, or settle what their receipts
//! don't show. Such a receipt is good on
//! the ledger, where nobody sees the answer; so whoever goes on asking is charged so again.

use crate::{Client, ClientError, store::Distrust};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{DurationMs, NodeId};

/// So long a node is left alone. What made it count so may have been mended by then, or be no fraud but a fault: it gets
/// another chance, which costs one request.
pub(crate) const LEFT_ALONE: DurationMs = DurationMs(7 * 24 * 3_600 * 1_000);

impl Client {
    /// What a node has charged that can't be, if it did so in the last week: nothing is signed for it. The data
    /// folder remembers it.
    #[must_use]
    pub fn distrusted(&self, node: NodeId) -> Option<ReceiptError> {
        let distrusted = self.inner.distrusted.lock();
        let found = distrusted.get(&node)?;
        let until = found.since.saturating_add(LEFT_ALONE);
        (self.runtime().now() < until).then(|| found.reason.clone())
    }

    /// A node claims what its receipts don't show.
    pub(crate) fn doubts(&self, node: NodeId) {
        if self.distrusted(node).is_none() {
            self.distrust(node, &ReceiptError::Settled);
        }
    }

    /// Signs nothing more for a node.
    pub(crate) fn distrust(&self, node: NodeId, reason: &ReceiptError) {
        tracing::warn!(%node, reason = reason as &dyn std::error::Error,
            "a node charges or claims what cannot be: nothing more is signed for it");
        let distrust = Distrust {
            node,
            reason: reason.clone(),
            since: self.runtime().now(),
        };
        self.inner.store.keep_distrust(&distrust);
        self.inner.distrusted.lock().insert(node, distrust);
    }

    pub(crate) fn check_trust(&self, node: NodeId) -> Result<(), ClientError> {
        match self.distrusted(node) {
            Some(reason) => Err(ClientError::Distrusted { node, reason }),
            None => Ok(()),
        }
    }
}
