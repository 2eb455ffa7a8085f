//! The writer's thread: gathers messages, signs the receipts, commits all together, answers.

use super::record::{Change, ReceiptRecord, SignedReceipt};
use crate::account::Phase;
use atoma_keys::SigningKey;
use atoma_types::{
    RequestId,
    message::{Draft, Receipt, Signed},
};
use rusqlite::{Connection, Transaction, params};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Most messages in one commit: beyond this a commit takes longer than the wait it saves.
const MAX_BATCH: usize = 512;
/// A commit that had so many messages shows that more are on their way; Postgres calls it
/// `commit_siblings`.
const SIBLINGS: usize = 4;
/// The next commit then waits this long for them: most of the journal's time goes into the commits
/// and little into the rows, so sharing them pays, and next to an answer's time nobody notices the
/// wait. A lone request never waits.
const GATHER: Duration = Duration::from_millis(2);

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
        done: oneshot::Sender<Arc<Signed<Receipt>>>,
    },
    Change {
        changes: Vec<Change>,
        done: oneshot::Sender<()>,
    },
    Close,
}

/// Runs until it is closed, every handle is dropped, or a commit fails.
pub(super) fn run(
    mut db: Connection,
    mut queue: mpsc::UnboundedReceiver<Op>,
    signer: &SigningKey,
    mut on_signed: impl FnMut(SignedReceipt),
    healthy: &AtomicBool,
) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut busy = false;
    while let Some(first) = queue.blocking_recv() {
        batch.push(first);
        if busy {
            std::thread::sleep(GATHER);
        }
        while batch.len() < MAX_BATCH
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        busy = batch.len() >= SIBLINGS;
        let receipts = sign(&mut batch, signer);
        if let Err(error) = commit(&mut db, &batch, &receipts) {
            // dropping the messages tells every waiter
            healthy.store(false, Ordering::Relaxed);
            tracing::error!(%error, "the journal cannot be written; serving stops");
            return;
        }
        let mut receipts = receipts.into_iter();
        for op in batch.drain(..) {
            match op {
                Op::Receipt { record, done, .. } => {
                    // as many as were signed
                    let Some(receipt) = receipts.next() else {
                        break;
                    };
                    on_signed(SignedReceipt {
                        request: record.request,
                        receipt: receipt.clone(),
                    });
                    // nobody waits for the receipt of a client that has left
                    let _ = done.send(receipt);
                }
                Op::Change { done, .. } => {
                    let _ = done.send(());
                }
                Op::Close => queue.close(),
            }
        }
    }
}

/// Signs the receipts of a batch, in their order.
fn sign(batch: &mut [Op], signer: &SigningKey) -> Vec<Arc<Signed<Receipt>>> {
    let drafts = batch.iter_mut().filter_map(|op| match op {
        Op::Receipt { receipt, .. } => receipt.take(),
        Op::Change { .. } | Op::Close => None,
    });
    let signed = Draft::sign_all(drafts.collect(), signer);
    signed.into_iter().map(Arc::new).collect()
}

fn commit(
    db: &mut Connection,
    batch: &[Op],
    receipts: &[Arc<Signed<Receipt>>],
) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    // of a lane's many states in a batch only the last is written
    let mut lanes = BTreeMap::new();
    let mut receipts = receipts.iter();
    for op in batch {
        match op {
            Op::Receipt { record, .. } => {
                // as many as were signed
                let Some(receipt) = receipts.next() else {
                    break;
                };
                insert_receipt(&transaction, receipt, record)?;
                lanes.insert((record.stack, record.lane), record);
            }
            Op::Change { changes, .. } => {
                for change in changes {
                    apply(&transaction, change)?;
                }
            }
            Op::Close => {}
        }
    }
    for record in lanes.into_values() {
        upsert_lane(&transaction, record)?;
    }
    transaction.commit()
}

fn insert_receipt(
    db: &Transaction<'_>,
    signed: &Signed<Receipt>,
    record: &ReceiptRecord,
) -> rusqlite::Result<()> {
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
    if let Some(bodies) = &record.bodies {
        db.prepare_cached(
            "INSERT INTO evidence (id, open, request, answer) VALUES (last_insert_rowid(), ?1, ?2, ?3)",
        )?
        .execute(params![bodies.open, &bodies.request[..], &bodies.answer()[..]])?;
    }
    Ok(())
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

fn apply(db: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    match change {
        Change::Lease(lease) => {
            let (phase, claimable_at) = match lease.phase {
                Phase::Open => (0, 0),
                Phase::Settling => (1, 0),
                Phase::Settled { claimable_at } => (2, claimable_at.0.cast_signed()),
                Phase::Closed => (3, 0),
            };
            db.prepare_cached(
                "INSERT OR REPLACE INTO leases (stack, task, owner, request_key, units, price,
                     expires_at_ms, settle_grace_ms, closing, phase, claimable_at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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
                claimable_at,
            ])?;
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
                pack.object.map(|object| object.0),
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
