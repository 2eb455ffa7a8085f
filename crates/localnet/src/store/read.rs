//! Reading: the live state at start, and history for clients.

use super::{KIND, Store, from_sql, to_sql};
use crate::{
    error::LocalnetError,
    record::{Executed, Sealed, decode},
};
use atoma_types::TimestampMs;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::{collections::HashSet, sync::Arc};
use sui_sdk_types::{CheckpointSummary, Digest, Event, Object};

const TRANSACTION: &str =
    "SELECT checkpoint, position, digest, time, data, signatures, effects, events, extra
     FROM transactions";

impl Store {
    /// The reading side.
    pub(crate) fn readers(&self) -> Readers {
        Readers::new(KIND.readers(&self.file))
    }

    /// All live objects.
    pub(crate) fn objects(&self) -> Result<Vec<Arc<Object>>, LocalnetError> {
        let mut select = self.connection.prepare("SELECT bcs FROM objects")?;
        let rows = select.query_map((), |row| row.get::<_, Vec<u8>>(0))?;
        rows.map(|row| Ok(Arc::new(decode("object", &row?)?)))
            .collect()
    }

    /// The digests of all transactions.
    pub(crate) fn digests(&self) -> Result<HashSet<Digest>, LocalnetError> {
        let mut select = self.connection.prepare("SELECT digest FROM transactions")?;
        let rows = select.query_map((), |row| row.get::<_, [u8; 32]>(0))?;
        rows.map(|row| Ok(Digest::new(row?))).collect()
    }

    /// The last checkpoint sealed.
    pub(crate) fn tip(&self) -> Result<Option<CheckpointSummary>, LocalnetError> {
        let select = "SELECT summary FROM checkpoints ORDER BY number DESC LIMIT 1";
        self.connection
            .query_row(select, (), |row| row.get::<_, Vec<u8>>(0))
            .optional()?
            .map(|bytes| decode("checkpoint", &bytes))
            .transpose()
    }

    /// The first checkpoint's digest.
    pub(crate) fn genesis(&self) -> Result<Option<Digest>, LocalnetError> {
        let select = "SELECT digest FROM checkpoints WHERE number = 0";
        let digest = self
            .connection
            .query_row(select, (), |row| row.get::<_, [u8; 32]>(0))
            .optional()?;
        Ok(digest.map(Digest::new))
    }

    /// Transactions executed since the last checkpoint was sealed.
    pub(crate) fn unsealed(&self, checkpoint: u64) -> Result<Vec<Arc<Executed>>, LocalnetError> {
        transactions_of(&self.connection, checkpoint)
    }

    /// The latest time of a transaction.
    pub(crate) fn latest_time(&self) -> Result<TimestampMs, LocalnetError> {
        let select =
            "SELECT time FROM transactions ORDER BY checkpoint DESC, position DESC LIMIT 1";
        let time = self
            .connection
            .query_row(select, (), |row| row.get(0))
            .optional()?;
        Ok(TimestampMs(time.map_or(0, from_sql)))
    }

    /// A small value by name.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>, LocalnetError> {
        let select = "SELECT value FROM meta WHERE key = ?1";
        Ok(self
            .connection
            .query_row(select, [key], |row| row.get(0))
            .optional()?)
    }
}

/// An event with its place.
#[derive(Clone, Debug)]
pub(crate) struct EventRow {
    pub(crate) checkpoint: u64,
    pub(crate) position: u64,
    pub(crate) number: u32,
    pub(crate) digest: Digest,
    pub(crate) event: Event,
}

/// Questions about history, beside the writer's connection. They block on the disk: ask them off the
/// async threads.
#[derive(Debug)]
pub(crate) struct Readers(atoma_store::Readers);

/// A place in the ledger's order: checkpoint, transaction, event.
pub(crate) type Place = (u64, u64, u64);

/// A checkpoint's own place: after everything in it, before its end.
pub(crate) fn place_of_checkpoint(number: u64) -> Place {
    let last = i64::MAX as u64;
    (number, last, last - 1)
}

/// The parameters of a query between two places.
fn bounds(after: Place, before: Place, limit: usize) -> [i64; 7] {
    [
        to_sql(after.0),
        to_sql(after.1),
        to_sql(after.2),
        to_sql(before.0),
        to_sql(before.1),
        to_sql(before.2),
        to_sql(limit as u64),
    ]
}

impl Readers {
    pub(super) fn new(readers: atoma_store::Readers) -> Self {
        Self(readers)
    }

    /// A transaction by its digest.
    pub(crate) fn transaction(&self, digest: Digest) -> Result<Option<Executed>, LocalnetError> {
        self.0.ask(|connection| {
            connection
                .prepare_cached(&format!("{TRANSACTION} WHERE digest = ?1"))?
                .query_row(params![digest.as_bytes()], raw_transaction)
                .optional()?
                .map(Raw::decode)
                .transpose()
        })
    }

    /// A sealed checkpoint by its number.
    pub(crate) fn checkpoint(&self, number: u64) -> Result<Option<Sealed>, LocalnetError> {
        self.0.ask(|connection| {
            let row = connection
                .prepare_cached(
                    "SELECT digest, summary, contents FROM checkpoints WHERE number = ?1",
                )?
                .query_row([to_sql(number)], |row| {
                    Ok((
                        row.get::<_, [u8; 32]>(0)?,
                        row.get::<_, Vec<u8>>(1)?,
                        row.get::<_, Vec<u8>>(2)?,
                    ))
                })
                .optional()?;
            let Some((digest, summary, contents)) = row else {
                return Ok(None);
            };
            Ok(Some(Sealed {
                digest: Digest::new(digest),
                summary: decode("checkpoint", &summary)?,
                contents: decode("checkpoint contents", &contents)?,
                transactions: transactions_of(connection, number)?,
            }))
        })
    }

    /// The number of the checkpoint with this digest.
    pub(crate) fn checkpoint_number(&self, digest: Digest) -> Result<Option<u64>, LocalnetError> {
        self.0.ask(|connection| {
            let number = connection
                .prepare_cached("SELECT number FROM checkpoints WHERE digest = ?1")?
                .query_row(params![digest.as_bytes()], |row| row.get(0))
                .optional()?;
            Ok(number.map(from_sql))
        })
    }

    /// Events strictly between two places, in either order, at most `limit`.
    pub(crate) fn events(
        &self,
        after: Place,
        before: Place,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<EventRow>, LocalnetError> {
        let order = order(descending, &["checkpoint", "position", "number"]);
        let select = format!(
            "SELECT checkpoint, position, number, digest, bcs FROM events
             WHERE checkpoint BETWEEN ?1 AND ?4
               AND (checkpoint, position, number) > (?1, ?2, ?3)
               AND (checkpoint, position, number) < (?4, ?5, ?6)
             ORDER BY {order} LIMIT ?7"
        );
        self.0.ask(|connection| {
            let mut select = connection.prepare_cached(&select)?;
            let rows = select.query_map(bounds(after, before, limit), |row| {
                Ok((
                    (row.get(0)?, row.get(1)?, row.get(2)?),
                    row.get::<_, [u8; 32]>(3)?,
                    row.get::<_, Vec<u8>>(4)?,
                ))
            })?;
            rows.map(|row| {
                let ((checkpoint, position, number), digest, bytes) = row?;
                Ok(EventRow {
                    checkpoint: from_sql(checkpoint),
                    position: from_sql(position),
                    number,
                    digest: Digest::new(digest),
                    event: decode("event", &bytes)?,
                })
            })
            .collect()
        })
    }

    /// Whole checkpoints strictly between two places, in either order, at most `limit`.
    pub(crate) fn checkpoints(
        &self,
        after: Place,
        before: Place,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Sealed>, LocalnetError> {
        let order = order(descending, &["number"]);
        let (_, position, number) = place_of_checkpoint(0);
        let select = format!(
            "SELECT number FROM checkpoints
             WHERE number BETWEEN ?1 AND ?4
               AND (number, {position}, {number}) > (?1, ?2, ?3)
               AND (number, {position}, {number}) < (?4, ?5, ?6)
             ORDER BY {order} LIMIT ?7"
        );
        let numbers: Vec<i64> = self.0.ask(|connection| {
            let mut select = connection.prepare_cached(&select)?;
            let rows = select.query_map(bounds(after, before, limit), |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        })?;
        let sealed = numbers
            .into_iter()
            .map(|number| self.checkpoint(from_sql(number)));
        sealed.filter_map(Result::transpose).collect()
    }

    /// Transactions strictly between two places, in either order, at most `limit`.
    pub(crate) fn transactions(
        &self,
        after: Place,
        before: Place,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Executed>, LocalnetError> {
        let order = order(descending, &["checkpoint", "position"]);
        let select = format!(
            "{TRANSACTION}
             WHERE checkpoint BETWEEN ?1 AND ?4
               AND (checkpoint, position, 1) > (?1, ?2, ?3)
               AND (checkpoint, position, 1) < (?4, ?5, ?6)
             ORDER BY {order} LIMIT ?7"
        );
        self.0.ask(|connection| {
            let mut select = connection.prepare_cached(&select)?;
            let rows = select.query_map(bounds(after, before, limit), raw_transaction)?;
            rows.map(|row| row?.decode()).collect()
        })
    }
}

fn order(descending: bool, columns: &[&str]) -> String {
    let direction = if descending { " DESC" } else { "" };
    let columns: Vec<String> = columns.iter().map(|c| format!("{c}{direction}")).collect();
    columns.join(", ")
}

fn transactions_of(
    connection: &Connection,
    checkpoint: u64,
) -> Result<Vec<Arc<Executed>>, LocalnetError> {
    let mut select = connection.prepare_cached(&format!(
        "{TRANSACTION} WHERE checkpoint = ?1 ORDER BY position"
    ))?;
    let rows = select.query_map([to_sql(checkpoint)], raw_transaction)?;
    rows.map(|row| Ok(Arc::new(row?.decode()?))).collect()
}

/// A row of transactions as bytes.
struct Raw {
    checkpoint: i64,
    position: i64,
    digest: [u8; 32],
    time: i64,
    data: Vec<u8>,
    signatures: Vec<u8>,
    effects: Vec<u8>,
    events: Option<Vec<u8>>,
    extra: Vec<u8>,
}

fn raw_transaction(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw {
        checkpoint: row.get(0)?,
        position: row.get(1)?,
        digest: row.get(2)?,
        time: row.get(3)?,
        data: row.get(4)?,
        signatures: row.get(5)?,
        effects: row.get(6)?,
        events: row.get(7)?,
        extra: row.get(8)?,
    })
}

impl Raw {
    fn decode(self) -> Result<Executed, LocalnetError> {
        Ok(Executed {
            digest: Digest::new(self.digest),
            checkpoint: from_sql(self.checkpoint),
            position: from_sql(self.position),
            time: TimestampMs(from_sql(self.time)),
            transaction: decode("transaction", &self.data)?,
            signatures: decode("signatures", &self.signatures)?,
            effects: decode("effects", &self.effects)?,
            events: self
                .events
                .map(|bytes| decode("events", &bytes))
                .transpose()?,
            extra: decode("changes", &self.extra)?,
        })
    }
}
