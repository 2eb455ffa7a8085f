//! Who sells what, where and for how much: read from the ledger, and kept for a while.

use crate::{Client, ClientError, NodeInfo};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, TaskId,
    chain::{Node, SubscriptionState},
};
use futures::future::BoxFuture;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A node moves rarely; one that can't be reached is read again at once.
pub(crate) const NODE_AGE: Duration = Duration::from_secs(60);

/// A node's offer in a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The node that sells.
    pub node: NodeId,
    /// The URL where it serves.
    pub url: String,
    /// What it takes per million units.
    pub price: Price,
    /// Units that its free collateral can stand for at that price, as long as the stack's terms have the
    /// fine's multiple of now.
    pub free: ComputeUnits,
    /// Its record of fees paid and convictions, from 0 to 1000.
    pub reputation: u64,
    /// What it has at stake in all, free or not.
    pub collateral: MicroUsdc,
    /// What of it has stood long enough to count.
    pub matured: MicroUsdc,
}

impl Client {
    /// A node, as read within the last minute.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked or knows no such node, or the node's response key is no key.
    pub fn node(&self, id: NodeId) -> BoxFuture<'_, Result<Arc<NodeInfo>, ClientError>> {
        Box::pin(self.find_node(id))
    }

    pub(crate) async fn find_node(&self, id: NodeId) -> Result<Arc<NodeInfo>, ClientError> {
        if let Some((read, node)) = self.inner.nodes.lock().get(&id)
            && read.elapsed() < NODE_AGE
        {
            return Ok(Arc::clone(node));
        }
        let node = self.ledger().node(id).await?;
        let mut nodes = self.inner.nodes.lock();
        let known = nodes.get(&id).map(|(_, known)| known.as_ref());
        let reach = self.inner.config.reach;
        let info = Arc::new(NodeInfo::new(&node, known, reach)?);
        nodes.insert(id, (Instant::now(), Arc::clone(&info)));
        Ok(info)
    }

    /// Forgets where a node is, so that the next request looks again.
    pub(crate) fn forget_node(&self, id: NodeId) {
        self.inner.nodes.lock().remove(&id);
    }

    /// Who takes new leases of a task now, cheapest first.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked or knows no such task.
    pub fn offers(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<Offer>, ClientError>> {
        Box::pin(self.find_offers(task))
    }

    async fn find_offers(&self, task: TaskId) -> Result<Vec<Offer>, ClientError> {
        let task = self.ledger().task(task).await?;
        let now = self.ledger().clock().await?;
        let multiple = self.ledger().db().await?.params.fine_multiple;
        let active = |state| state == SubscriptionState::Active;
        let subscriptions: Vec<_> = task
            .subscriptions
            .iter()
            .filter(|subscription| active(subscription.state))
            .collect();
        let ids: Vec<NodeId> = subscriptions
            .iter()
            .map(|subscription| subscription.node)
            .collect();
        let nodes = self.ledger().nodes(&ids).await?;
        let takes_leases = |node: &&Node| node.status.takes_leases(now);
        let nodes: HashMap<NodeId, &Node> = nodes
            .iter()
            .filter(takes_leases)
            .map(|node| (node.id, node))
            .collect();
        let mut offers: Vec<Offer> = subscriptions
            .into_iter()
            .filter_map(|subscription| {
                let node = nodes.get(&subscription.node)?;
                let free = node.free_collateral().0 / multiple.max(1);
                Some(Offer {
                    node: node.id,
                    url: node.url.clone(),
                    price: subscription.price,
                    free: subscription.price.affords(MicroUsdc(free)),
                    reputation: node.standing.reputation,
                    collateral: node.collateral,
                    matured: node.matured(now),
                })
            })
            .collect();
        offers.sort_by_key(|offer| (offer.price, offer.node));
        Ok(offers)
    }
}
