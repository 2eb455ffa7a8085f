//! The node's durable memory: one SQLite file, one thread that writes it.
//!
//! Requests send their receipts by message and wait; the writer takes whatever has gathered, up to
//! [`MAX_BATCH`], signs it together and makes it durable with one commit. A receipt leaves the node
//! only after that.
//! The journal is the truth about what was committed: a request whose receipt isn't in it costs
//! nothing. If a commit ever fails the journal stays closed and the node serves nothing more, for
//! its memory then knows more than its disk.

mod ack;
mod error;
mod record;
mod restore;
mod row;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use ack::Ack;
pub use error::JournalError;
pub(crate) use record::{Change, LeaseRecord, PackRow, ReceiptRecord, SignedReceipt};
pub(crate) use restore::{Restored, RestoredLease};
pub(crate) use row::signed;

use atoma_keys::SigningKey;
use atoma_types::{
    RequestId, StackId,
    message::{Draft, Receipt, Signed},
};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot};
use writer::Op;

/// A handle for everyone who writes.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    /// Unbounded in form; in fact every message belongs to an admitted request or to one of a
    /// few background tasks that wait for the answer.
    queue: mpsc::UnboundedSender<Op>,
    healthy: Arc<AtomicBool>,
    reader: Arc<Mutex<Connection>>,
}

/// The writer's thread.
#[derive(Debug)]
pub(crate) struct JournalThread(JoinHandle<()>);

// === impl Journal ===

impl Journal {
    /// Opens or creates the file and reads back what it holds. `on_signed` hears of every receipt
    /// once it is signed and durable, before whoever waits for it does, and of those of one lease in
    /// the order of their `seq`. It is called on the writer's thread and must be short.
    pub(crate) fn open(
        path: &Path,
        signer: Arc<SigningKey>,
        on_signed: impl FnMut(SignedReceipt) + Send + 'static,
    ) -> Result<(Self, JournalThread, Restored), JournalError> {
        let at = |source| JournalError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let mut writer = Connection::open(path).map_err(at)?;
        schema::prepare(&mut writer, path)?;
        let restored = restore::read(&writer, path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags).map_err(at)?;

        let (queue, messages) = mpsc::unbounded_channel();
        let healthy = Arc::new(AtomicBool::new(true));
        let health = healthy.clone();
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer::run(writer, messages, &signer, on_signed, &health))
            .map_err(JournalError::Thread)?;
        let reader = Arc::new(Mutex::new(reader));
        Ok((
            Self {
                queue,
                healthy,
                reader,
            },
            JournalThread(thread),
            restored,
        ))
    }

    /// Hands a receipt over to be signed and kept. Receipts of one lease must be sent in the order of their `seq`, which
    /// is why this is called under the lease's lock and doesn't wait; the answer does.
    pub(crate) fn receipt(
        &self,
        receipt: Draft<Receipt>,
        record: ReceiptRecord,
    ) -> Ack<Arc<Signed<Receipt>>> {
        let (done, ack) = oneshot::channel();
        // a closed queue drops `done`, and the ack then says so
        let _ = self.queue.send(Op::Receipt {
            receipt: Some(receipt),
            record,
            done,
        });
        Ack(ack)
    }

    /// Makes changes durable together, in one transaction.
    pub(crate) fn change(&self, changes: Vec<Change>) -> Ack {
        let (done, ack) = oneshot::channel();
        let _ = self.queue.send(Op::Change { changes, done });
        Ack(ack)
    }

    /// Lets the writer end once everything sent so far is on disk; what comes later is refused.
    pub(crate) fn close(&self) {
        let _ = self.queue.send(Op::Close);
    }

    /// False after a failed commit.
    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed) && !self.queue.is_closed()
    }

    /// Whether a stack has ever been recorded. Blocks on the disk; for cold paths only.
    pub(crate) fn knows(&self, stack: StackId) -> Result<bool, rusqlite::Error> {
        let reader = self.reader.lock();
        let mut query = reader.prepare_cached("SELECT 1 FROM leases WHERE stack = ?1")?;
        query.exists([stack.0.as_bytes()])
    }

    /// The receipt of a request, once it is durable. Blocks on the disk.
    pub(crate) fn find(&self, id: RequestId) -> Result<Option<Signed<Receipt>>, rusqlite::Error> {
        let reader = self.reader.lock();
        let mut query = reader.prepare_cached(
            "SELECT bytes, signature FROM receipts WHERE request_id = ?1 ORDER BY id LIMIT 1",
        )?;
        query
            .query_row([&id.0[..]], |row| signed(row, 0))
            .optional()
    }
}

impl JournalThread {
    /// Waits for the writer's end: after [`Journal::close`], or when all handles are dropped.
    pub(crate) fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the journal's thread panicked");
        }
    }
}
