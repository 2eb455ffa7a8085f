//! Group commit: many senders, one writer.
//!
//! ```text
//! send, send_lazily ──> queue ──> gather ──> BEGIN, Writer::write, COMMIT ──> Writer::committed
//!                                                                                └─> Reply ──> Ack
//! ```
//!
//! A commit costs an `fsync`, a row in it next to nothing; so whatever has gathered while the last
//! commit ran goes into the next one. [`Gather`] says what is worth waiting for beyond that.

mod ack;
mod policy;
mod queue;

#[cfg(test)]
mod tests;

pub use ack::{Ack, Reply};
pub use policy::{Gather, OnFailure, Policy};

use crate::{OpenError, WriteError};
use ack::Waited;
use atoma_runtime::{Threads, WithCauses};
use parking_lot::Mutex;
use queue::{Next, Queue};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::Duration,
    vec::Drain,
};

/// What is written, and who learns of it.
pub trait Writer: Send + 'static {
    /// What is asked of it. An operation that somebody waits for carries a [`Reply`].
    type Op: Send + 'static;
    /// Why a batch can't be written.
    type Error: Error + Send + Sync + From<rusqlite::Error> + 'static;

    /// Writes a batch, in its order. Where the policy tries again after a failure, it gets the same
    /// batch again.
    ///
    /// # Errors
    /// If it can't be written; nothing of it is.
    fn write(
        &mut self,
        transaction: &Transaction<'_>,
        batch: &mut [Self::Op],
    ) -> Result<(), Self::Error>;

    /// The batch is durable: tells those who wait.
    fn committed(&mut self, batch: Drain<'_, Self::Op>);

    /// A commit failed: the store is closed, and everything in it that waits is dropped.
    fn failed(&mut self) {}

    /// Until when there is something to write even if nobody asks: an empty batch then comes after
    /// so long. `None`: whenever somebody asks.
    fn patience(&self) -> Option<Duration> {
        None
    }
}

/// The handle of those who send; clones share it. Dropping the last one closes the store.
pub struct Store<W: Writer>(Arc<Handle<W>>);

struct Handle<W: Writer>(Arc<Core<W>>);

/// The writer's thread, where it has one.
#[derive(Debug)]
pub struct WriterThread {
    kind: &'static str,
    thread: Option<JoinHandle<()>>,
}

struct Core<W: Writer> {
    kind: &'static str,
    policy: Policy,
    queue: Queue<W::Op>,
    failure: OnceLock<Arc<dyn Error + Send + Sync>>,
    /// The last commit failed and is tried again.
    stuck: AtomicBool,
    /// The writer, where it works in line.
    in_line: Option<Mutex<Worker<W>>>,
}

/// The writer with its connection.
struct Worker<W: Writer> {
    db: Connection,
    writer: W,
    batch: Vec<W::Op>,
}

// === impl Store ===

impl<W: Writer> Store<W> {
    /// Starts the writer of an opened connection. `kind` is what errors and logs call the store.
    /// Without threads it works in line: with the caller who waits for an acknowledgement or closes
    /// the store; pauses are left out then.
    ///
    /// # Errors
    /// If its thread can't be started.
    pub fn start(
        kind: &'static str,
        db: Connection,
        writer: W,
        policy: Policy,
        threads: Threads,
    ) -> Result<(Self, WriterThread), OpenError> {
        let worker = Worker {
            db,
            writer,
            batch: Vec::new(),
        };
        let (in_line, on_thread) = match threads {
            Threads::InLine => (Some(Mutex::new(worker)), None),
            Threads::Real => (None, Some(worker)),
        };
        let core = Arc::new(Core {
            kind,
            policy,
            queue: Queue::new(policy),
            failure: OnceLock::new(),
            stuck: AtomicBool::new(false),
            in_line,
        });
        let spawn = |mut worker: Worker<W>| {
            let core = Arc::clone(&core);
            threads
                .spawn(&thread_name(kind), move || core.run(&mut worker))
                .map_err(|source| OpenError::Thread { kind, source })
        };
        let thread = on_thread.map(spawn).transpose()?;
        let thread = WriterThread { kind, thread };
        Ok((Self(Arc::new(Handle(core))), thread))
    }

    /// A reply to put into an operation, and what waits for it.
    pub fn ack<T>(&self) -> (Reply<T>, Ack<T>) {
        Ack::new(Arc::clone(&self.0.0) as Arc<dyn Waited>)
    }

    /// Sends an operation. Never waits; operations of one sender are written in their order.
    ///
    /// # Errors
    /// If the store is closed or full. The operation is dropped then, and with it its [`Reply`]: who
    /// waits for that anyway needn't look.
    pub fn send(&self, op: W::Op) -> Result<(), WriteError> {
        self.0.0.send(op, true)
    }

    /// Sends an operation that nobody waits for: it may wait for company.
    ///
    /// # Errors
    /// If the store is closed or full.
    pub fn send_lazily(&self, op: W::Op) -> Result<(), WriteError> {
        self.0.0.send(op, false)
    }

    /// Refuses what comes from now on. What was sent before is still written.
    pub fn close(&self) {
        self.0.0.queue.close();
        self.0.0.work();
    }

    /// False while a commit that failed is tried again, and once the store is closed, by hand or by a
    /// failed commit.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let core = &self.0.0;
        !core.queue.is_closed() && !core.stuck.load(Relaxed)
    }
}

impl<W: Writer> Clone for Store<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Writer> fmt::Debug for Store<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.0.kind).finish()
    }
}

impl<W: Writer> Drop for Handle<W> {
    fn drop(&mut self) {
        self.0.queue.close();
        self.0.work();
    }
}

// === impl WriterThread ===

impl WriterThread {
    /// Waits until everything that was sent is written: after [`Store::close`], or once all handles
    /// are dropped. Blocks.
    pub fn join(self) {
        if let Some(thread) = self.thread
            && thread.join().is_err()
        {
            tracing::error!(store = self.kind, "the writer's thread panicked");
        }
    }
}

// === impl Core ===

impl<W: Writer> Core<W> {
    fn send(&self, op: W::Op, awaited: bool) -> Result<(), WriteError> {
        let refused = self.queue.push(op, awaited).err();
        let kind = self.kind;
        match refused {
            None => Ok(()),
            Some(queue::Refused::Full) => Err(WriteError::Full { kind }),
            Some(queue::Refused::Closed) => Err(self.why_closed()),
        }
    }

    /// The thread's work.
    fn run(&self, worker: &mut Worker<W>) {
        // a writer that panics must not leave anybody waiting
        let _closes = CloseOnDrop(&self.queue);
        let mut before = 0;
        loop {
            let patience = worker.writer.patience();
            match self.queue.next(before, patience, &mut worker.batch) {
                Next::Batch => {}
                Next::End => return,
            }
            before = worker.batch.len();
            if !self.write(worker) {
                return;
            }
        }
    }

    /// Rests after a commit that failed; false once the store is closed.
    fn rest(&self, pause: Duration) -> bool {
        self.stuck.store(true, Relaxed);
        self.queue.rest(pause)
    }

    /// Writes the batch, however often that takes. False if the store is closed by a failure.
    fn write(&self, worker: &mut Worker<W>) -> bool {
        loop {
            let error = match worker.commit() {
                Ok(()) => {
                    self.stuck.store(false, Relaxed);
                    worker.writer.committed(worker.batch.drain(..));
                    return true;
                }
                Err(error) => error,
            };
            if let OnFailure::Retry { pause } = self.policy.on_failure
                && self.in_line.is_none()
                && self.rest(pause)
            {
                tracing::error!(store = self.kind, error = %WithCauses(&error), "cannot write, trying again");
                continue;
            }
            tracing::error!(store = self.kind, error = %WithCauses(&error), "cannot write: the store is closed");
            // the cause and the end before anybody is told
            let _ = self.failure.set(Arc::new(error));
            self.queue.close();
            worker.writer.failed();
            worker.batch.clear();
            self.queue.abandon();
            return false;
        }
    }
}

impl<W: Writer> Waited for Core<W> {
    fn work(&self) {
        let Some(in_line) = &self.in_line else {
            return;
        };
        // whoever is at it already looks again before it leaves
        while self.queue.has_work()
            && let Some(mut worker) = in_line.try_lock()
        {
            while self.queue.take(&mut worker.batch) {
                if !self.write(&mut worker) {
                    return;
                }
            }
        }
    }

    fn why_closed(&self) -> WriteError {
        let kind = self.kind;
        match self.failure.get() {
            Some(source) => WriteError::Failed {
                kind,
                source: Arc::clone(source),
            },
            None => WriteError::Closed { kind },
        }
    }
}

// === impl Worker ===

impl<W: Writer> Worker<W> {
    fn commit(&mut self) -> Result<(), W::Error> {
        // other processes may write too, and a transaction that begins by reading could not wait
        // for them
        let begin = TransactionBehavior::Immediate;
        let transaction = self.db.transaction_with_behavior(begin)?;
        self.writer.write(&transaction, &mut self.batch)?;
        Ok(transaction.commit()?)
    }
}

struct CloseOnDrop<'a, Op>(&'a Queue<Op>);

impl<Op> Drop for CloseOnDrop<'_, Op> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// The system shows fifteen letters.
fn thread_name(kind: &str) -> String {
    let last = kind.rsplit(' ').next().unwrap_or(kind);
    format!("store-{last}")
}
