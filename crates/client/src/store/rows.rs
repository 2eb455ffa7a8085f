//! Tables and rows, and how they are read and written.
//!
//! Receipts are kept as bytes, not text: with their keys, four of them fill a page then, while as
//! base64 each would be too long for a table without row ids and get an overflow page of its own.
//! Request ids begin with the time, so that their index grows at its end.

use atoma_types::{ComputeUnits, NodeId, RequestId, StackId, TimestampMs, hash::Hash32};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rusqlite::{
    Connection, OpenFlags, params,
    types::{Type, ValueRef},
};
use std::time::Duration;

/// How long a reader waits for a writer's lock.
const BUSY: Duration = Duration::from_secs(5);

pub(super) const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS receipts (
        stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        request BLOB NOT NULL, lane INTEGER NOT NULL, units INTEGER NOT NULL,
        received_ms INTEGER NOT NULL, header BLOB NOT NULL, receipt BLOB NOT NULL, fault TEXT,
        PRIMARY KEY (stack, node, seq, hash)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS receipts_by_request ON receipts (request);
    CREATE TABLE IF NOT EXISTS lanes (
        stack BLOB NOT NULL, node BLOB NOT NULL, lane INTEGER NOT NULL, bound INTEGER NOT NULL,
        PRIMARY KEY (stack, node, lane)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS stacks (stack BLOB PRIMARY KEY) WITHOUT ROWID;
";

/// A lane of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) stack: StackId,
    pub(crate) node: NodeId,
    pub(crate) lane: u16,
}

/// A receipt as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: LaneKey,
    pub(crate) seq: u64,
    pub(crate) hash: Hash32,
    pub(crate) request: RequestId,
    pub(crate) units: ComputeUnits,
    pub(crate) received: TimestampMs,
    /// The header's bytes and its signature.
    pub(crate) header: Vec<u8>,
    /// The receipt's bytes and its signature.
    pub(crate) receipt: Vec<u8>,
    /// What is wrong with it, where it was kept as evidence.
    pub(crate) fault: Option<String>,
}

/// What a lane was before the restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptLane {
    pub(crate) lane: u16,
    /// Units of its good receipts.
    pub(crate) settled: ComputeUnits,
    /// No signed ceiling exceeds it.
    pub(crate) bound: ComputeUnits,
}

pub(super) const ROW: &str =
    "SELECT stack, node, lane, seq, hash, request, units, received_ms, header,
                   receipt, fault FROM receipts";

pub(super) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let address = atoma_types::Address::new;
    Ok(Row {
        key: LaneKey {
            stack: StackId(address(row.get(0)?)),
            node: NodeId(address(row.get(1)?)),
            lane: row.get(2)?,
        },
        seq: from_sql(row.get(3)?),
        hash: Hash32(row.get(4)?),
        request: RequestId(row.get(5)?),
        units: ComputeUnits(from_sql(row.get(6)?)),
        received: TimestampMs(from_sql(row.get(7)?)),
        header: signed_bytes(row, 8)?,
        receipt: signed_bytes(row, 9)?,
        fault: row.get(10)?,
    })
}

/// A signed message; files of earlier versions hold it in its text form.
pub(super) fn signed_bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    match row.get_ref(column)? {
        ValueRef::Text(text) => BASE64_STANDARD.decode(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
        }),
        value => Ok(value.as_blob()?.to_vec()),
    }
}

pub(super) fn connect(name: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(name, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// SQLite's integers are signed. Units and places never come near the difference.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn insert(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO receipts (stack, node, lane, seq, hash, request, units,
             received_ms, header, receipt, fault)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            row.key.stack.0.as_bytes(),
            row.key.node.0.as_bytes(),
            row.key.lane,
            to_sql(row.seq),
            row.hash.0,
            row.request.0,
            to_sql(row.units.0),
            to_sql(row.received.0),
            row.header,
            row.receipt,
            row.fault,
        ])?;
    Ok(())
}
