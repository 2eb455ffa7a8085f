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
    /// Writes it in a transaction of the database.
    pub(crate) fn put(&self, to: &Transaction<'_>) -> Result<(), LocalnetError> {
        for (executed, delta) in &self.executed {
            put_transaction(to, executed)?;
            put_objects(to, delta)?;
        }
        for sealed in &self.sealed {
            put_checkpoint(to, sealed)?;
        }
        for (key, value) in &self.meta {
            to.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?
                .execute(params![key, value])?;
        }
        Ok(())
    }
}

impl Store {
    /// Writes the first batch. When this returns, it is on disk.
    pub(crate) fn begin(&mut self, batch: &Batch) -> Result<(), LocalnetError> {
        let transaction = self.connection.transaction()?;
        batch.put(&transaction)?;
        Ok(transaction.commit()?)
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
