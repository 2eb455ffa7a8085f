//! Writing: everything of a batch in one transaction.

use super::{Store, to_sql};
use crate::{
    error::LocalnetError,
    record::{Executed, Sealed, encode},
    state::Delta,
};
use rusqlite::{Transaction, params};
use std::sync::Arc;

/// What one commit writes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Transactions with what they did, in order.
    pub(crate) executed: Vec<(Arc<Executed>, Delta)>,
    /// The checkpoints that the batch sealed.
    pub(crate) sealed: Vec<Arc<Sealed>>,
    /// Small values by name.
    pub(crate) meta: Vec<(&'static str, Vec<u8>)>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.executed.is_empty() && self.sealed.is_empty() && self.meta.is_empty()
    }
}

impl Store {
    /// Writes a batch. When this returns, it is on disk.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<(), LocalnetError> {
        let transaction = self.connection.transaction()?;
        for (executed, delta) in &batch.executed {
            put_transaction(&transaction, executed)?;
            put_objects(&transaction, delta)?;
        }
        for sealed in &batch.sealed {
            put_checkpoint(&transaction, sealed)?;
        }
        for (key, value) in &batch.meta {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
                .execute(params![key, value])?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn put_transaction(to: &Transaction<'_>, executed: &Executed) -> Result<(), LocalnetError> {
    let events = executed.events.as_ref();
    to.prepare_cached(
        "INSERT INTO transactions
         (checkpoint, position, digest, time, data, signatures, effects, events, extra)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        to_sql(executed.checkpoint),
        to_sql(executed.position),
        executed.digest.as_bytes(),
        to_sql(executed.time.0),
        encode("transaction", &executed.transaction)?,
        encode("signatures", &executed.signatures)?,
        encode("effects", &executed.effects)?,
        events.map(|events| encode("events", events)).transpose()?,
        encode("changes", &executed.extra)?,
    ])?;
    let mut insert = to.prepare_cached(
        "INSERT INTO events (checkpoint, position, number, digest, bcs)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (number, event) in events.iter().flat_map(|events| &events.0).enumerate() {
        insert.execute(params![
            to_sql(executed.checkpoint),
            to_sql(executed.position),
            to_sql(number as u64),
            executed.digest.as_bytes(),
            encode("event", event)?,
        ])?;
    }
    Ok(())
}

fn put_objects(to: &Transaction<'_>, delta: &Delta) -> Result<(), LocalnetError> {
    let mut delete = to.prepare_cached("DELETE FROM objects WHERE id = ?1")?;
    for id in &delta.deleted {
        delete.execute(params![id.as_bytes()])?;
    }
    let mut put = to.prepare_cached("INSERT OR REPLACE INTO objects (id, bcs) VALUES (?1, ?2)")?;
    for object in &delta.written {
        put.execute(params![
            object.object_id().as_bytes(),
            encode("object", object.as_ref())?
        ])?;
    }
    Ok(())
}

fn put_checkpoint(to: &Transaction<'_>, sealed: &Sealed) -> Result<(), LocalnetError> {
    to.prepare_cached(
        "INSERT INTO checkpoints (number, digest, summary, contents) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        to_sql(sealed.summary.sequence_number),
        sealed.digest.as_bytes(),
        encode("checkpoint", &sealed.summary)?,
        encode("checkpoint contents", &sealed.contents)?,
    ])?;
    Ok(())
}
