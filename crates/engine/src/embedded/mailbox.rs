//! What the worker shares with those who send it jobs: the queue, the bell, the numbers.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::job::Job;
use crate::EngineError;

/// What the worker and those who send it jobs share.
#[derive(Default)]
pub(super) struct Shared {
    inbox: Mutex<Inbox>,
    bell: Condvar,
    pub(super) stats: Stats,
}

#[derive(Default)]
struct Inbox {
    jobs: Vec<Job>,
    /// Somebody read from a full stream or left.
    rung: bool,
    closed: bool,
}

/// Numbers for [`Load`](crate::Load).
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) running: AtomicUsize,
    pub(super) waiting: AtomicUsize,
    pub(super) blocks_free: AtomicUsize,
    pub(super) prefill_tokens: AtomicU64,
    pub(super) output_tokens: AtomicU64,
    pub(super) dead: AtomicBool,
}

impl Shared {
    /// Queues a job, unless the queue is full or the worker gone.
    pub(super) fn post(&self, job: Job, max_waiting: usize) -> Result<(), EngineError> {
        let mut inbox = self.lock();
        if inbox.closed {
            return Err(EngineError::Unavailable("the engine has stopped".into()));
        }
        // Only changed while the inbox is locked or by the worker, which only lowers it.
        if self.stats.waiting.load(Relaxed) >= max_waiting {
            return Err(EngineError::Overloaded);
        }
        self.stats.waiting.fetch_add(1, Relaxed);
        inbox.jobs.push(job);
        drop(inbox);
        self.bell.notify_one();
        Ok(())
    }

    /// Wakes the worker to look at its streams.
    pub(super) fn ring(&self) {
        self.lock().rung = true;
        self.bell.notify_one();
    }

    /// Makes the worker end at its next step.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// New jobs; waits for any kind of news if `idle`. None when the worker must end.
    pub(super) fn collect(&self, idle: bool) -> Option<Vec<Job>> {
        let mut inbox = self.lock();
        while idle && !inbox.rung && !inbox.closed && inbox.jobs.is_empty() {
            inbox = self
                .bell
                .wait(inbox)
                .unwrap_or_else(PoisonError::into_inner);
        }
        inbox.rung = false;
        (!inbox.closed).then(|| std::mem::take(&mut inbox.jobs))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inbox> {
        // The inbox is consistent at every moment, so a panic elsewhere doesn't spoil it.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the engine dead however the worker ends.
pub(super) struct DeadOnDrop(pub(super) Arc<Shared>);

impl Drop for DeadOnDrop {
    fn drop(&mut self) {
        self.0.stats.dead.store(true, Relaxed);
        let mut inbox = self.0.lock();
        inbox.closed = true;
        inbox.jobs.clear();
    }
}
