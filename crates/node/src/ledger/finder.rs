//! The lease of a request: from memory, or once from the ledger, for a request may name a stack
//! whose lease hasn't been heard of yet. Strangers who invent stacks can't make the node ask more
//! than a bounded number of times.

use super::{keeper::LeaseKeeper, link::LedgerLink};
use crate::{lease::Lease, leases::Leases, metrics::Metrics};
use atoma_ledger::ReadError;
use atoma_runtime::WithCauses;
use atoma_types::{
    StackId,
    chain::Stack,
    refusal::{Refusal, RefusalCode},
};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::Instant};

/// Questions to the ledger at once on behalf of requests; more are refused as overload.
const MAX_COLD_READS: usize = 16;
/// A stack that wasn't there is not asked for again so soon.
const FORGET_MISSING: Duration = Duration::from_secs(1);
/// Missing stacks remembered at once.
const MAX_MISSING: usize = 4_096;
/// A request waits no longer for the ledger.
const COLD_TIMEOUT: Duration = Duration::from_secs(5);

/// Finds the lease that a request names.
#[derive(Debug)]
pub(crate) struct LeaseFinder {
    leases: Arc<Leases>,
    keeper: Arc<LeaseKeeper>,
    link: Arc<LedgerLink>,
    metrics: Arc<Metrics>,
    /// The journal may have forgotten what it served: it knows no lease that wasn't read since the start.
    doubtful: bool,
    places: Semaphore,
    missing: Mutex<HashMap<StackId, Instant>>,
}

impl LeaseFinder {
    pub(crate) fn new(
        keeper: Arc<LeaseKeeper>,
        link: Arc<LedgerLink>,
        metrics: Arc<Metrics>,
        doubtful: bool,
    ) -> Self {
        Self {
            leases: keeper.leases.clone(),
            keeper,
            link,
            metrics,
            doubtful,
            places: Semaphore::new(MAX_COLD_READS),
            missing: Mutex::default(),
        }
    }

    /// The lease of a stack. A journal that was put back may have receipts of a lease that go on beside those that
    /// were claimed; only once it has heard of the claims does the lease go on from them.
    pub(crate) async fn lease(&self, stack: StackId) -> Result<Arc<Lease>, Refusal> {
        match self.leases.get(stack) {
            Some(lease) if !self.doubtful || lease.on_ledger().is_some() => Ok(lease),
            _ => self.read_through(stack).await,
        }
    }

    /// The lease of a stack, if it is in memory.
    pub(crate) fn known(&self, stack: StackId) -> Option<Arc<Lease>> {
        self.leases.get(stack)
    }

    /// The lease of a stack that isn't in memory.
    async fn read_through(&self, id: StackId) -> Result<Arc<Lease>, Refusal> {
        let unknown = || {
            let message = "this node holds no open lease on the stack";
            Refusal::new(RefusalCode::UnknownStack, message)
        };
        if self.is_missing(id) {
            return Err(unknown());
        }
        let found = self.read_stack(id).await?;
        found
            .and_then(|stack| self.keeper.adopt(&stack))
            .ok_or_else(|| {
                self.note_missing(id);
                unknown()
            })
    }

    fn is_missing(&self, stack: StackId) -> bool {
        let missing = self.missing.lock();
        missing
            .get(&stack)
            .is_some_and(|since| since.elapsed() < FORGET_MISSING)
    }

    fn note_missing(&self, stack: StackId) {
        let mut missing = self.missing.lock();
        if missing.len() >= MAX_MISSING {
            missing.retain(|_, since| since.elapsed() < FORGET_MISSING);
        }
        if missing.len() < MAX_MISSING {
            missing.insert(stack, Instant::now());
        }
    }

    /// Reads a stack on behalf of a request.
    pub(crate) async fn read_stack(&self, id: StackId) -> Result<Option<Stack>, Refusal> {
        let _place = self.places.try_acquire().map_err(|_| {
            Refusal::new(
                RefusalCode::Overloaded,
                "too many unknown stacks at once; try again",
            )
        })?;
        match tokio::time::timeout(COLD_TIMEOUT, self.link.ledger.stack(id)).await {
            Ok(Ok(stack)) => Ok(Some(stack)),
            Ok(Err(ReadError::NotFound { .. } | ReadError::WrongType { .. })) => Ok(None),
            Ok(Err(error)) => {
                self.metrics.ledger_errors.inc();
                tracing::warn!(error = %WithCauses(&error), stack = %id, "cannot read a stack");
                Err(Refusal::new(
                    RefusalCode::Unavailable,
                    "the ledger does not answer",
                ))
            }
            Err(_) => Err(Refusal::new(
                RefusalCode::Unavailable,
                "the ledger does not answer",
            )),
        }
    }
}
