//! What every part of a running node can reach.

use crate::{
    admission::Identity,
    concurrency::ConcurrencyLimit,
    config::{RequestLimits, SettlementConfig},
    evidence::{Demands, EvidenceLog},
    journal::Journal,
    lease::Lease,
    leases::Leases,
    ledger::LedgerSide,
    metrics::Metrics,
};
use atoma_engine::Engine;
use atoma_http::server::Limits;
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SharedClock};
use atoma_types::{
    ComputeUnits, EngineClass, Price, Role, StackId, TaskId, UnitWeights,
    refusal::{Refusal, RefusalCode},
};
use std::{collections::HashMap, fmt, sync::Arc};
use tokio::sync::Notify;

/// A task that this node serves.
pub(crate) struct ServedTask {
    pub id: TaskId,
    pub role: Role,
    /// The model's name, as requests give it.
    pub model: String,
    pub weights: UnitWeights,
    /// What receipts say computed the answer.
    pub class: EngineClass,
    pub engine: Arc<dyn Engine>,
    pub price: Price,
    pub capacity: ComputeUnits,
}

/// The heart of a node.
#[derive(Debug)]
pub(crate) struct Shared {
    pub identity: Identity,
    pub url: String,
    pub limits: Limits,
    pub requests: RequestLimits,
    pub settlement: SettlementConfig,
    pub clock: SharedClock,
    pub runtime: Runtime,
    pub leases: Arc<Leases>,
    pub journal: Journal,
    pub tasks: HashMap<TaskId, Arc<ServedTask>>,
    pub signer: Arc<SigningKey>,
    pub metrics: Metrics,
    pub concurrency: ConcurrencyLimit,
    pub ledger: LedgerSide,
    /// Where evidence is kept; none without a Walrus.
    pub evidence: Option<Arc<EvidenceLog>>,
    /// Records that users demand to see on the ledger.
    pub demands: Demands,
    /// Wakes the settler before its time.
    pub settle_now: Notify,
}

impl Shared {
    /// The lease of a stack: from memory, or once from the ledger.
    pub(crate) async fn lease(&self, stack: StackId) -> Result<Arc<Lease>, Refusal> {
        match self.leases.get(stack) {
            Some(lease) => Ok(lease),
            None => self.read_through(stack).await,
        }
    }

    /// The task of a lease.
    pub(crate) fn task(&self, task: TaskId) -> Result<&Arc<ServedTask>, Refusal> {
        self.tasks.get(&task).ok_or_else(|| {
            Refusal::new(
                RefusalCode::WrongTask,
                "this node is not subscribed to the stack's task",
            )
        })
    }

    /// Whether requests can be served at all.
    pub(crate) fn is_ready(&self) -> bool {
        !self.concurrency.is_draining()
            && self.journal.is_healthy()
            && self.ledger.is_following()
            && self.tasks.values().all(|task| task.engine.load().healthy)
    }
}

impl ServedTask {
    /// Embedded engines understand no fields but ours; upstreams get the user's own body.
    pub(crate) fn is_embedded(&self) -> bool {
        self.engine.info().numerics.is_exact()
    }
}

impl fmt::Debug for ServedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedTask")
            .field("id", &self.id)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
