//! What this node serves.

use crate::forward::Filled;
use atoma_engine::{Engine, PrefixLoad};
use atoma_types::{
    EngineClass, Price, Role, SecurityLevel, TaskId, UnitWeights,
    refusal::{Refusal, RefusalCode},
};
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::sync::Semaphore;

/// Long prompts that are counted at once for an engine outside: by a tokenizer here, which keeps a core busy, or
/// by its server. Each engine has its own, so that one whose server hangs leaves the others alone.
pub(crate) const COUNTED_AT_ONCE: usize = 4;

/// A task that this node serves.
pub(crate) struct ServedTask {
    pub id: TaskId,
    pub role: Role,
    /// How it is secured.
    pub security: SecurityLevel,
    /// The model's name, as requests give it.
    pub model: String,
    pub weights: UnitWeights,
    /// What receipts say computed the answer.
    pub class: EngineClass,
    pub engine: Arc<dyn Engine>,
    pub price: Price,
    /// Places for long prompts that are counted for an engine outside.
    pub counting: Semaphore,
}

/// All that it serves.
#[derive(Debug, Default)]
pub(crate) struct Tasks(BTreeMap<TaskId, Arc<ServedTask>>);

impl Tasks {
    /// The task of a lease.
    pub(crate) fn get(&self, task: TaskId) -> Result<&Arc<ServedTask>, Refusal> {
        self.0.get(&task).ok_or_else(|| {
            Refusal::new(
                RefusalCode::WrongTask,
                "this node is not subscribed to the stack's task",
            )
        })
    }

    /// What is asked in a task, if it is served.
    pub(crate) fn price(&self, task: TaskId) -> Option<Price> {
        self.0.get(&task).map(|task| task.price)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ServedTask>> {
        self.0.values()
    }

    /// Where the engines sent prompts, all together.
    pub(crate) fn prefixes(&self) -> PrefixLoad {
        let loads = self.iter().map(|task| task.engine.load().prefixes);
        loads.fold(PrefixLoad::default(), |sum, load| PrefixLoad {
            new: sum.new + load.new,
            kept: sum.kept + load.kept,
            moved: sum.moved + load.moved,
        })
    }

    /// Whether every engine can work.
    pub(crate) fn are_healthy(&self) -> bool {
        self.iter().all(|task| task.engine.load().healthy)
    }
}

impl FromIterator<ServedTask> for Tasks {
    fn from_iter<I: IntoIterator<Item = ServedTask>>(tasks: I) -> Self {
        let tasks = tasks.into_iter();
        Self(tasks.map(|task| (task.id, Arc::new(task))).collect())
    }
}

impl ServedTask {
    /// How full the engine's queue is.
    pub(crate) fn queue(&self) -> Filled {
        let load = self.engine.load();
        Filled {
            taken: load.waiting,
            of: load.most_waiting,
        }
    }

    /// Embedded engines understand fewer fields than servers outside.
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
