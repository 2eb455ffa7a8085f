//! A network that runs.

use atoma_engine::Engine;
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, ReadError};
use atoma_localnet::RunningLocalnet;
use atoma_node::RunningNode;
use atoma_types::{Address, MicroUsdc, NodeId, Price, StackId, TaskId, chain::Stack};
use atoma_walrus_localnet::LocalWalrus;
use std::{collections::BTreeSet, fmt, path::PathBuf, sync::Arc, time::Duration};

/// How often the ledger is asked for what is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A node of it.
#[derive(Debug)]
pub struct NetworkNode {
    /// Its id on the ledger.
    pub id: NodeId,
    /// The node's price, in micro-USDC for a million units.
    pub price: Price,
    /// The running node; dropping it stops it.
    pub running: RunningNode,
}

/// All of it, running. Dropping it stops the parts at once; [`Network::stop`] does so gracefully.
pub struct Network {
    /// The running ledger; dropping it stops it.
    pub localnet: RunningLocalnet,
    /// A client of the ledger.
    pub ledger: Ledger,
    /// Keeps blobs whose objects are on the ledger.
    pub walrus: Option<LocalWalrus>,
    /// What the nodes run.
    pub engine: Option<Arc<dyn Engine>>,
    /// Id of the task that all nodes serve, where there is one.
    pub task: Option<TaskId>,
    /// Key of the address that created the task and owns it.
    pub operator: Arc<SigningKey>,
    /// In the order of the builder's prices.
    pub nodes: Vec<NetworkNode>,
    pub(crate) folder: PathBuf,
}

impl Network {
    /// Where the state is kept.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Waits until so many nodes may be drawn to examine others: they have promised to, and their collateral counts.
    ///
    /// # Errors
    /// If the ledger can't be asked.
    pub async fn attesters(&self, count: usize) -> Result<(), ReadError> {
        let Some(task) = self.task else {
            return Ok(());
        };
        loop {
            let task = self.ledger.task(task).await?;
            let ready = task.subscriptions.iter().filter(|offer| {
                let attests = offer.attester.is_some_and(|attester| attester.active);
                attests && offer.matured > MicroUsdc::ZERO
            });
            if ready.count() >= count {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// All micro-USDC that there is: in these wallets and those of the network's own parties, in these
    /// stacks and in whatever else the contract holds.
    ///
    /// # Errors
    /// If the ledger can't be asked.
    ///
    /// # Panics
    /// If the sum is more than `u64` holds: no localnet mints as much.
    pub async fn all_money(
        &self,
        wallets: &[Address],
        stacks: &[StackId],
    ) -> Result<MicroUsdc, ReadError> {
        let ledger = &self.ledger;
        let nodes = ledger.all_nodes().await?;
        let tasks = ledger.all_tasks().await?;
        let mut owners: BTreeSet<Address> = wallets.iter().copied().collect();
        owners.insert(self.operator.public_key().address());
        owners.extend(nodes.iter().map(|node| node.owner));
        let mut amounts = vec![ledger.db().await?.communal_treasury];
        for owner in owners {
            amounts.push(ledger.usdc(owner).await?);
        }
        for node in &nodes {
            amounts.extend([node.collateral, node.earnings, node.pending.fines]);
        }
        for task in &tasks {
            amounts.extend([task.fees, task.dues]);
            let attesters = task.subscriptions.iter().filter_map(|s| s.attester);
            amounts.extend(attesters.flat_map(|attester| [attester.stake, attester.earned]));
        }
        for &stack in stacks {
            amounts.extend(held(&ledger.stack(stack).await?));
        }
        let sum = amounts
            .into_iter()
            .try_fold(MicroUsdc::ZERO, MicroUsdc::checked_add);
        Ok(sum.expect("less money than u64 holds"))
    }

    /// Stops everything, the ledger last.
    pub async fn stop(self) {
        for node in self.nodes {
            node.running.drain_and_stop().await;
        }
        if let Some(walrus) = self.walrus {
            walrus.stop().await;
        }
        self.localnet.shutdown().await;
    }
}

/// What a stack holds.
fn held(stack: &Stack) -> Vec<MicroUsdc> {
    let mut held = vec![stack.escrow, stack.free];
    for lease in &stack.leases {
        held.push(lease.fees);
        for ticket in &lease.tickets {
            held.extend(ticket.demands.iter().map(|demand| demand.fee));
            held.push(ticket.exam_bond);
            let challenge = ticket.challenge.iter();
            held.extend(
                challenge
                    .filter(|c| !c.over)
                    .map(|challenge| challenge.bond),
            );
        }
    }
    held
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("ledger", &self.ledger)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}
