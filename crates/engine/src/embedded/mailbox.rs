//! What the worker shares with those who send it jobs: the queue, the bell, the numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::{Condvar, Mutex};
use rayon::ThreadPool;
use tokio::sync::Notify;

use super::job::Job;
use crate::{EngineError, Unavailable};

/// What the worker and those who send it jobs share.
#[derive(Default)]
pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    /// Wakes a worker on a thread of its own.
    bell: Condvar,
    /// Wakes a worker that is a task.
    task_bell: Notify,
    pub(super) stats: Stats,
    /// Where steps are computed instead of on all threads.
    pub(super) one_thread: Mutex<Option<Arc<ThreadPool>>>,
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
    pub(super) threads: AtomicUsize,
    pub(super) prefill_tokens: AtomicU64,
    pub(super) output_tokens: AtomicU64,
    pub(super) dead: AtomicBool,
}

impl Mailbox {
    /// Queues a job, unless the queue is full or the worker gone.
    pub(super) fn post(&self, job: Job, max_waiting: usize) -> Result<(), EngineError> {
        let mut inbox = self.inbox.lock();
        if inbox.closed {
            return Err(Unavailable::Stopped.into());
        }
        // Only changed while the inbox is locked or by the worker, which only lowers it.
        if self.stats.waiting.load(Relaxed) >= max_waiting {
            return Err(EngineError::Overloaded);
        }
        self.stats.waiting.fetch_add(1, Relaxed);
        inbox.jobs.push(job);
        drop(inbox);
        self.wake();
        Ok(())
    }

    /// Wakes the worker to look at its streams.
    pub(super) fn ring(&self) {
        self.inbox.lock().rung = true;
        self.wake();
    }

    /// Makes the worker end at its next step.
    pub(super) fn close(&self) {
        self.inbox.lock().closed = true;
        self.wake();
    }

    fn wake(&self) {
        self.bell.notify_one();
        self.task_bell.notify_one();
    }

    /// New jobs; none when the worker must end.
    pub(super) fn collect(&self) -> Option<Vec<Job>> {
        self.inbox.lock().take()
    }

    /// As [`collect`](Self::collect), once there is news of any kind.
    pub(super) fn wait(&self) -> Option<Vec<Job>> {
        let mut inbox = self.inbox.lock();
        self.bell.wait_while(&mut inbox, |inbox| !inbox.has_news());
        inbox.take()
    }

    /// As [`wait`](Self::wait), in a task.
    pub(super) async fn wait_in_task(&self) -> Option<Vec<Job>> {
        while !self.inbox.lock().has_news() {
            self.task_bell.notified().await;
        }
        self.collect()
    }
}

impl Inbox {
    fn has_news(&self) -> bool {
        self.rung || self.closed || !self.jobs.is_empty()
    }

    fn take(&mut self) -> Option<Vec<Job>> {
        self.rung = false;
        (!self.closed).then(|| std::mem::take(&mut self.jobs))
    }
}

/// Marks the engine dead however the worker ends.
pub(super) struct DeadOnDrop(pub(super) Arc<Mailbox>);

impl Drop for DeadOnDrop {
    fn drop(&mut self) {
        self.0.stats.dead.store(true, Relaxed);
        let mut inbox = self.0.inbox.lock();
        inbox.closed = true;
        inbox.jobs.clear();
    }
}
