//! The writer: signs the receipts of a batch, commits it, hands the receipts out.

use super::{
    mark::Mark,
    record::{Change, LeaseRecord, ReceiptRecord},
};
use crate::account::Phase;
use atoma_keys::{AtRestKey, SigningKey};
use atoma_store::{Gather, OnFailure, Policy, Reply, Writer};
use atoma_types::{
    ObjectId, RequestId,
    message::{Draft, Receipt, Signed},
};
use rusqlite::{Transaction, params};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration, vec::Drain};

/// How receipts become commits.
pub(super) const POLICY: Policy = Policy {
    // beyond this a commit takes longer than the wait it saves
    max_batch: 512,
    // every message belongs to an admitted request, or to one of a few background tasks that wait for
    // the answer
    capacity: usize::MAX,
    // most of the journal's time goes into the commits and little into the rows, so sharing them pays,
    // and next to an answer's time nobody notices the wait
    gather: Gather::Siblings {
        least: 4,
        pause: Duration::from_millis(2),
    },
    // a full disk is emptied some day; until then nothing that isn't durable leaves the node
    on_failure: OnFailure::Retry {
        pause: Duration::from_secs(1),
    },
};

/// The names of a receipt's bodies under the key that seals them.
pub(crate) const REQUEST_PART: u8 = 1;
pub(crate) const ANSWER_PART: u8 = 2;

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all messages are receipts: a box would be one more allocation for each"
)]
pub(super) enum Op {
    Receipt {
        /// Gone once it is signed.
        receipt: Option<Draft<Receipt>>,
        record: ReceiptRecord,
        done: Reply<Arc<Signed<Receipt>>>,
    },
    Change {
        changes: Vec<Change>,
        done: Reply,
    },
}

pub(super) struct JournalWriter {
    signer: Arc<SigningKey>,
    at_rest: AtRestKey,
    on_signed: Box<dyn FnMut(Arc<Signed<Receipt>>) + Send>,
    /// The receipts of the batch that is written, in their order.
    signed: Vec<Arc<Signed<Receipt>>>,
    /// Says how far the journal is.
    mark: Mark,
    /// The number of the last receipt.
    last: i64,
}

impl JournalWriter {
    pub(super) fn new(
        signer: Arc<SigningKey>,
        on_signed: Box<dyn FnMut(Arc<Signed<Receipt>>) + Send>,
        mark: Mark,
    ) -> Self {
        Self {
            at_rest: AtRestKey::of(&signer),
            signer,
            on_signed,
            signed: Vec::new(),
            mark,
            last: 0,
        }
    }

    /// Signs the receipts of a batch, once: after a failed commit it comes again.
    fn sign(&mut self, batch: &mut [Op]) {
        if !self.signed.is_empty() {
            return;
        }
        let drafts = batch.iter_mut().filter_map(|op| match op {
            Op::Receipt { receipt, .. } => receipt.take(),
            Op::Change { .. } => None,
        });
        let signed = Draft::sign_all(drafts.collect(), &*self.signer);
        self.signed = signed.into_iter().map(Arc::new).collect();
    }
}

impl Writer for JournalWriter {
    type Op = Op;
    type Error = rusqlite::Error;

    fn write(&mut self, to: &Transaction<'_>, batch: &mut [Op]) -> rusqlite::Result<()> {
        self.sign(batch);
        // of a lane's many states in a batch only the last is written
        let mut lanes = BTreeMap::new();
        let mut receipts = self.signed.iter();
        for op in &*batch {
            match op {
                Op::Receipt { record, .. } => {
                    // as many as were signed
                    let Some(receipt) = receipts.next() else {
                        break;
                    };
                    self.last = insert_receipt(to, receipt, record, &self.at_rest)?;
                    lanes.insert((record.stack, record.lane), record);
                }
                Op::Change { changes, .. } => {
                    for change in changes {
                        apply(to, change)?;
                    }
                }
            }
        }
        for record in lanes.into_values() {
            upsert_lane(to, record)?;
        }
        Ok(())
    }

    fn committed(&mut self, batch: Drain<'_, Op>) {
        if !self.signed.is_empty()
            && let Err(error) = self.mark.write(self.last)
        {
            // it stays behind, which harms nobody
            tracing::debug!(%error, "cannot write the journal's mark");
        }
        let mut receipts = self.signed.drain(..);
        for op in batch {
            match op {
                Op::Receipt { done, .. } => {
                    let Some(receipt) = receipts.next() else {
                        break;
                    };
                    (self.on_signed)(receipt.clone());
                    done.send(receipt);
                }
                Op::Change { done, .. } => done.send(()),
            }
        }
    }
}

impl fmt::Debug for JournalWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalWriter").finish_non_exhaustive()
    }
}

fn insert_receipt(
    db: &Transaction<'_>,
    signed: &Signed<Receipt>,
    record: &ReceiptRecord,
    at_rest: &AtRestKey,
) -> rusqlite::Result<i64> {
    let receipt = signed.message();
    let RequestId(request) = receipt.request_id;
    db.prepare_cached(
        "INSERT INTO receipts
             (stack, seq, request_id, finished_ms, bytes, signature, header, header_signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        receipt.stack.0.as_bytes(),
        receipt.seq.cast_signed(),
        request,
        receipt.times.finished_ms.0.cast_signed(),
        signed.bytes(),
        signed.signature().to_bytes(),
        record.request.bytes(),
        record.request.signature().to_bytes(),
    ])?;
    let number = db.last_insert_rowid();
    if let Some(second) = &record.kept.second {
        db.prepare_cached("INSERT INTO second_records (id, bytes) VALUES (?1, ?2)")?
            .execute(params![number, second])?;
    }
    if let Some(bodies) = &record.kept.bodies {
        db.prepare_cached(
            "INSERT INTO evidence (id, open, request, answer)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            number,
            bodies.open,
            at_rest.seal(signed.hash(), REQUEST_PART, bodies.request()),
            at_rest.seal(signed.hash(), ANSWER_PART, bodies.answer()),
        ])?;
    }
    Ok(number)
}

fn upsert_lane(db: &Transaction<'_>, record: &ReceiptRecord) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO lanes (stack, lane, committed, header, signature)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        record.stack.0.as_bytes(),
        record.lane,
        record.lane_committed.0.cast_signed(),
        record.voucher.bytes(),
        record.voucher.signature().to_bytes(),
    ])?;
    Ok(())
}

fn put_lease(db: &Transaction<'_>, lease: &LeaseRecord) -> rusqlite::Result<()> {
    let phase = match lease.phase {
        Phase::Open => 0,
        Phase::Settling => 1,
        Phase::Closed => 2,
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO leases (stack, task, owner, request_key, units, price,
             expires_at_ms, settle_grace_ms, closing, phase, base_seq, base_units, base_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        lease.stack.0.as_bytes(),
        lease.task.0.as_bytes(),
        lease.owner.as_bytes(),
        lease.request_key.0,
        lease.units.0.cast_signed(),
        lease.price.0.cast_signed(),
        lease.expires_at.0.cast_signed(),
        lease.settle_grace.0.cast_signed(),
        lease.closing,
        phase,
        lease.base.seq.cast_signed(),
        lease.base.units.0.cast_signed(),
        lease.base.hash.0,
    ])?;
    Ok(())
}

fn apply(db: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Lease(lease) => put_lease(db, lease)?,
        // which lanes have paid for what came before isn't known any more
        Change::Ticket {
            stack,
            from_seq,
            to_seq,
        } => {
            db.prepare_cached(
                "INSERT OR IGNORE INTO tickets (stack, to_seq, from_seq) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![
                stack.0.as_bytes(),
                to_seq.cast_signed(),
                from_seq.cast_signed(),
            ])?;
        }
        Change::Rebased(stack) => {
            db.prepare_cached("UPDATE lanes SET committed = 0 WHERE stack = ?1")?
                .execute([stack.0.as_bytes()])?;
        }
        Change::Meta(name, value) => {
            db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
                .execute(params![name, value])?;
        }
        Change::Pack { pack, stored } => {
            db.prepare_cached(
                "INSERT OR REPLACE INTO packs (first, last, blob, root, object, end_epoch, released)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                pack.first,
                pack.last,
                pack.blob.0,
                pack.root.0,
                pack.object.map(ObjectId::into_inner),
                pack.end_epoch,
                pack.released,
            ])?;
            if let Some((first, last)) = stored {
                db.prepare_cached("DELETE FROM evidence WHERE id BETWEEN ?1 AND ?2")?
                    .execute([first, last])?;
            }
        }
    }
    Ok(())
}
