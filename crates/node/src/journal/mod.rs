//! The node's durable memory: one SQLite file, one writer.
//!
//! Requests send their receipts by message and wait; the writer takes whatever has gathered, signs it
//! together and makes it durable with one commit. A receipt leaves the node only after that.
//! The journal is the truth about what was committed: a request whose receipt isn't in it costs
//! nothing. While a commit fails (a full disk) it is tried again, and the node takes no requests: what
//! waits is signed and in its place, and leaves once it is on the disk. Bodies of evidence are sealed
//! before they are written, so that a copy of the file has nobody's prompts in it.

mod error;
mod mark;
mod record;
mod restore;
mod row;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use atoma_store::Ack;
pub use error::JournalError;
pub(crate) use mark::{DOUBT, DOUBT_BEGINS, Doubt};
pub(crate) use record::{Change, Kept, LeaseRecord, PackRow, ReceiptRecord};
pub(crate) use restore::{Restored, RestoredLease};
pub(crate) use row::signed;
pub(crate) use writer::{ANSWER_PART, REQUEST_PART};

use atoma_keys::SigningKey;
use atoma_runtime::{Random, Threads};
use atoma_store::{Readers, Store, WriterThread};
use atoma_types::{
    RequestId, StackId,
    message::{Draft, EvidenceLeaf, Receipt, Signed},
};
use mark::Mark;
use rusqlite::{OptionalExtension, params};
use schema::KIND;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use writer::{JournalWriter, Op, POLICY};

/// Name of the node's id in the table of small texts.
pub(crate) const NODE: &str = "node";

/// A handle for everyone who writes.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    store: Store<JournalWriter>,
    readers: Arc<Readers>,
}

/// What there is of a request.
#[derive(Debug)]
pub(crate) struct Found {
    pub receipt: Signed<Receipt>,
    /// The bytes of the second record, if it was passed on.
    pub second: Option<Vec<u8>>,
}

/// A journal that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub journal: Journal,
    /// To be waited for at the end.
    pub thread: WriterThread,
    /// What it held.
    pub restored: Restored,
    /// Where the file is.
    pub path: PathBuf,
    /// Why it isn't the one that the node last wrote, if it isn't.
    pub doubt: Option<Doubt>,
}

// === impl Journal ===

impl Journal {
    /// Opens or creates the journal of a folder and reads back what it holds. The caller holds the
    /// folder's lock. `on_signed` hears of every receipt once it is signed and durable, before whoever
    /// waits for it does, and of those of one lease in the order of their `seq`. It is called by the
    /// writer and must be short.
    pub(crate) fn open(
        folder: &Path,
        signer: Arc<SigningKey>,
        on_signed: impl FnMut(Arc<Signed<Receipt>>) + Send + 'static,
        random: &dyn Random,
        threads: Threads,
    ) -> Result<Opened, JournalError> {
        let place = KIND.in_folder(folder)?;
        let path = place.path().to_owned();
        let db = KIND.open(&place)?;
        let restored = restore::read(&db, &path)?;
        let has_node = restored.meta.contains_key(NODE);
        let (mark, doubt) = Mark::open(folder, &path, &db, &restored.meta, has_node, random)?;
        let writer = JournalWriter::new(signer, Box::new(on_signed), mark);
        let (store, thread) = Store::start(KIND.name, db, writer, POLICY, threads)?;
        let readers = Arc::new(KIND.readers(&place));
        Ok(Opened {
            journal: Self { store, readers },
            thread,
            restored,
            path,
            doubt,
        })
    }

    /// Hands a receipt over to be signed and kept. Receipts of one lease must be sent in the order of
    /// their `seq`, which is why this is called under the lease's lock and doesn't wait; the answer
    /// does.
    pub(crate) fn receipt(
        &self,
        receipt: Draft<Receipt>,
        record: ReceiptRecord,
    ) -> Ack<Arc<Signed<Receipt>>> {
        let (done, ack) = self.store.ack();
        // a closed journal drops `done`, and the ack then says so
        let _ = self.store.send(Op::Receipt {
            receipt: Some(receipt),
            record,
            done,
        });
        ack
    }

    /// Makes changes durable together, in one transaction.
    pub(crate) fn change(&self, changes: Vec<Change>) -> Ack {
        let (done, ack) = self.store.ack();
        let _ = self.store.send(Op::Change { changes, done });
        ack
    }

    /// Lets the writer end once everything sent so far is on disk; what comes later is refused.
    pub(crate) fn close(&self) {
        self.store.close();
    }

    /// False while commits fail, and once it is closed.
    pub(crate) fn is_healthy(&self) -> bool {
        self.store.is_healthy()
    }

    /// Connections that read what is durable.
    pub(crate) fn readers(&self) -> Arc<Readers> {
        self.readers.clone()
    }

    /// Whether a stack has ever been recorded. Blocks on the disk; for cold paths only.
    pub(crate) fn knows(&self, stack: StackId) -> Result<bool, rusqlite::Error> {
        self.readers.ask(|db| {
            let mut query = db.prepare_cached("SELECT 1 FROM leases WHERE stack = ?1")?;
            query.exists([stack.0.as_bytes()])
        })
    }

    /// The records of a lease with higher numbers than one, in order: at most so many, and of so many bytes where that is more
    /// than one. Blocks on the disk.
    pub(crate) fn records_after(
        &self,
        stack: StackId,
        seq: u64,
        most: usize,
        most_bytes: usize,
    ) -> Result<Vec<Vec<u8>>, rusqlite::Error> {
        // numbers are stored as the same 64 bits, and never come near the sign
        let Ok(seq) = i64::try_from(seq) else {
            return Ok(Vec::new());
        };
        self.readers.ask(|db| {
            // the table's own index of leases and numbers finds them
            let mut query = db.prepare_cached(
                "SELECT header, header_signature, bytes, signature FROM receipts
                     WHERE stack = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let mut rows = query.query(params![stack.0.as_bytes(), seq, most])?;
            let (mut records, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let leaf = EvidenceLeaf::new(&signed(row, 0)?, &signed(row, 2)?);
                let leaf = leaf.to_bytes();
                bytes += leaf.len();
                if !records.is_empty() && bytes > most_bytes {
                    break;
                }
                records.push(leaf);
            }
            Ok(records)
        })
    }

    /// The receipt of a stack's request, once it is durable, and the record of the node that it was passed on to. Blocks
    /// on the disk.
    pub(crate) fn find(
        &self,
        stack: StackId,
        id: RequestId,
    ) -> Result<Option<Found>, rusqlite::Error> {
        self.readers.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT receipts.bytes, signature, second_records.bytes FROM receipts
                     LEFT JOIN second_records USING (id)
                     WHERE request_id = ?1 AND stack = ?2 ORDER BY id LIMIT 1",
            )?;
            let found = query.query_row(params![&id.0[..], stack.0.as_bytes()], |row| {
                Ok(Found {
                    receipt: signed(row, 0)?,
                    second: row.get(2)?,
                })
            });
            found.optional()
        })
    }
}
