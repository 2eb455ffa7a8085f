//! The other nodes that this one may ask, and what it has with them.

use super::{
    choice::{self, Offered, Rests, Seller},
    filled::Filled,
};
use crate::config::ForwardConfig;
use atoma_client::StackHandle;
use atoma_types::{ComputeUnits, NodeId, Price, StackId, TaskId};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// So many requests of one stack may be waited for whose users have left, each with its units and its words. A user who
/// leaves more meanwhile has nothing more passed on.
const MAX_LEFT: usize = 64;

/// One that is waited for.
pub(crate) struct Left {
    of: Arc<Mutex<HashMap<StackId, usize>>>,
    stack: StackId,
}

impl Drop for Left {
    fn drop(&mut self) {
        let mut left = self.of.lock();
        if let Some(count) = left.get_mut(&self.stack) {
            *count -= 1;
        }
        left.retain(|_, count| *count > 0);
    }
}

/// The other nodes that this one may ask, and what it has with them.
pub(crate) struct Forwarder {
    config: ForwardConfig,
    /// Stacks in use, the newest last.
    stacks: Mutex<BTreeMap<TaskId, Vec<StackHandle>>>,
    rests: Mutex<Rests>,
    places: Arc<Semaphore>,
    /// Requests whose users have left, and of which it isn't clear yet what they cost, of each of their stacks.
    left: Arc<Mutex<HashMap<StackId, usize>>>,
    /// The node stops.
    pub stopping: CancellationToken,
    /// What is passed on now: the node doesn't stop before it has ended.
    pub tracker: TaskTracker,
}

impl Forwarder {
    pub(crate) fn new(config: ForwardConfig) -> Self {
        let places = config.max_concurrent.min(Semaphore::MAX_PERMITS);
        Self {
            config,
            stacks: Mutex::default(),
            rests: Mutex::default(),
            places: Arc::new(Semaphore::new(places)),
            left: Arc::default(),
            stopping: CancellationToken::new(),
            tracker: TaskTracker::new(),
        }
    }

    /// What the operator wants.
    pub(crate) fn config(&self) -> &ForwardConfig {
        &self.config
    }

    /// Whether so much work is a reason to pass on what comes.
    pub(crate) fn is_too_much(&self, filled: Filled) -> bool {
        filled.is_above(self.config.above_permille)
    }

    /// A place for one request that is passed on, without which a node would hold any number of bodies.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// An answer must begin by then.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.config.answer_begins_timeout_ms)
    }

    /// A node that has room for a request, at a price that leaves something of what its lease pays.
    pub(crate) fn choose(
        &self,
        task: TaskId,
        earns: Price,
        units: ComputeUnits,
        tried: &[NodeId],
    ) -> Option<Seller> {
        let stacks = self.stacks.lock().get(&task).cloned().unwrap_or_default();
        let offered = stacks.iter().flat_map(|stack| {
            let signed_for =
                |node: &NodeId| stack.signs_for(*node) && stack.has_earned(*node, units);
            stack
                .nodes()
                .into_iter()
                .filter(signed_for)
                .filter_map(|node| {
                    Some(Offered {
                        stack: stack.clone(),
                        node,
                        price: stack.price(node)?,
                        room: stack.room(node),
                    })
                })
        });
        let most = choice::most(earns, self.config.max_price_permille);
        let rests = self.rests.lock();
        choice::cheapest(offered, most, units, |node| {
            let now = Instant::now();
            tried.contains(&node) || rests.is_resting(node, now) || rests.is_parted(node, now)
        })
    }

    /// Whether so many users of a stack have left what was passed on, and it isn't clear yet what that cost, that nothing
    /// more is passed on for it.
    pub(crate) fn waits_for_too_much(&self, stack: StackId) -> bool {
        let left = self.left.lock();
        left.get(&stack).is_some_and(|left| *left >= MAX_LEFT)
    }

    /// A user of this stack has left, until the guard is dropped.
    pub(crate) fn user_left(&self, stack: StackId) -> Left {
        *self.left.lock().entry(stack).or_default() += 1;
        Left {
            of: Arc::clone(&self.left),
            stack,
        }
    }

    /// A node is busy, or has failed: it isn't asked for a while.
    pub(crate) fn rest(&self, node: NodeId, busy: bool) {
        self.rests.lock().rest(node, busy, Instant::now());
    }

    /// A node has broken an answer off and charges for it all the same.
    pub(crate) fn charged_for_a_break(&self, node: NodeId) {
        if self.rests.lock().charged_break(node, Instant::now()) {
            tracing::warn!(%node, "a node charges for answers that it breaks off: it is asked nothing for an hour");
        }
    }

    /// A node has answered.
    pub(crate) fn answered(&self, node: NodeId) {
        self.rests.lock().wake(node);
    }

    /// What it has with other nodes for a task.
    pub(super) fn set_stacks(&self, task: TaskId, stacks: Vec<StackHandle>) {
        self.stacks.lock().insert(task, stacks);
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
