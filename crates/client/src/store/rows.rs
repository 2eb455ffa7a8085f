//! Rows, and how they are read and written.

use atoma_evidence::receipt::ReceiptError;
use atoma_types::{
    Address, ComputeUnits, NodeId, RequestId, StackId, TimestampMs,
    hash::Hash32,
    message::{Receipt, Signed},
};
use rusqlite::{Connection, OptionalExtension, params};

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
    /// The record of the node to which the request was passed on.
    pub(crate) second: Option<Vec<u8>>,
    /// What is wrong with it, where it was kept as evidence.
    pub(crate) fault: Option<String>,
}

/// A receipt of a lease of ours that its node has shown for another request.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    pub(crate) stray: Signed<Receipt>,
    pub(crate) received: TimestampMs,
}

/// A kept receipt that has a fault, or whose request has another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    /// Its number, and its hash.
    pub(crate) place: (u64, Hash32),
    /// Its bytes and its signature.
    pub(crate) receipt: Vec<u8>,
}

/// What a lane was before the restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptLane {
    pub(crate) lane: u16,
    /// Units of its good receipts.
    pub(crate) settled: ComputeUnits,
    /// No signed ceiling exceeds it; or what its node may speak of, where its last program has ended well.
    pub(crate) bound: ComputeUnits,
    /// The most that was open at once when a bound was written, with its step.
    pub(crate) excused: ComputeUnits,
    /// What of the window was granted then.
    pub(crate) granted: ComputeUnits,
}

pub(super) const ROW: &str =
    "SELECT stack, node, lane, seq, hash, request, units, received_ms, header,
                   receipt, fault, second FROM receipts";

pub(super) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        key: LaneKey {
            stack: StackId(Address::new(row.get(0)?)),
            node: NodeId(Address::new(row.get(1)?)),
            lane: row.get(2)?,
        },
        seq: from_sql(row.get(3)?),
        hash: Hash32(row.get(4)?),
        request: RequestId(row.get(5)?),
        units: ComputeUnits(from_sql(row.get(6)?)),
        received: TimestampMs(from_sql(row.get(7)?)),
        header: row.get(8)?,
        receipt: row.get(9)?,
        fault: row.get(10)?,
        second: row.get(11)?,
    })
}

/// SQLite's integers are signed. Units and places never come near the difference.
pub(super) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Receipts of one lease that are kept though they have a fault: a quarter of a MiB. Two for one request convict their node, so
/// that more of them prove nothing more; and a node signs as many as it likes.
pub(super) const MAX_FAULTY: u64 = 256;

/// Whether there is room for one that has a fault. One that is here already is told its fault, and the second one for a request,
/// which makes a proof of both, is kept in any case: of these there are no more than of requests.
fn has_room(db: &Connection, row: &Row) -> rusqlite::Result<bool> {
    let (stack, node) = (row.key.stack.0, row.key.node.0);
    let mut its = db.prepare_cached(
        "SELECT count(*), coalesce(sum(hash = ?4), 0) FROM receipts
         WHERE request = ?1 AND stack = ?2 AND node = ?3",
    )?;
    let which = params![row.request.0, stack.as_bytes(), node.as_bytes(), row.hash.0];
    let (of_request, same): (u64, u64) = its.query_row(which, |row| {
        Ok((from_sql(row.get(0)?), from_sql(row.get(1)?)))
    })?;
    if same > 0 || of_request == 1 {
        return Ok(true);
    }
    let mut all =
        db.prepare_cached("SELECT count(*) FROM suspects WHERE stack = ?1 AND node = ?2")?;
    let all = all.query_row([stack.as_bytes(), node.as_bytes()], |row| row.get(0))?;
    Ok(from_sql(all) < MAX_FAULTY)
}

pub(super) fn insert(db: &Connection, row: &Row) -> rusqlite::Result<()> {
    if row.fault.is_some() && !has_room(db, row)? {
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO receipts (stack, node, lane, seq, hash, request, units,
             received_ms, header, receipt, fault, second)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         -- a record may be here before its answer, and show itself to be false after it
         ON CONFLICT (stack, node, seq, hash) DO UPDATE SET
             fault = coalesce(fault, excluded.fault), second = coalesce(second, excluded.second)",
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
        row.second,
    ])?;
    if row.fault.is_none() {
        db.prepare_cached("DELETE FROM unclear WHERE request = ?1 AND stack = ?2")?
            .execute(params![row.request.0, row.key.stack.0.as_bytes()])?;
    }
    // who looks for two reads these alone, however many receipts there are
    db.prepare_cached(
        "INSERT OR IGNORE INTO suspects (stack, node, seq, hash)
         SELECT stack, node, seq, hash FROM receipts WHERE request = ?1 AND stack = ?2 AND node = ?3
         AND (?4 OR (
             SELECT count(*) FROM receipts WHERE request = ?1 AND stack = ?2 AND node = ?3
         ) > 1)",
    )?
    .execute(params![
        row.request.0,
        row.key.stack.0.as_bytes(),
        row.key.node.0.as_bytes(),
        row.fault.is_some(),
    ])?;
    Ok(())
}

/// The receipt of a lease's request: a good one, if there is one, else the one with the lowest number.
pub(super) fn first(
    db: &Connection,
    (stack, node): (StackId, NodeId),
    request: RequestId,
) -> rusqlite::Result<Option<Row>> {
    let mut query = db.prepare_cached(&format!(
        "{ROW} WHERE request = ?1 AND stack = ?2 AND node = ?3
         ORDER BY fault IS NOT NULL, seq, hash LIMIT 1"
    ))?;
    let which = params![request.0, stack.0.as_bytes(), node.0.as_bytes()];
    query.query_row(which, read_row).optional()
}

/// Keeps a stray receipt beside the first one for its request and header, where it is another.
pub(super) fn insert_stray(
    db: &Connection,
    Stray { stray, received }: &Stray,
) -> rusqlite::Result<()> {
    let said = stray.message();
    let Some(kept) = first(db, (said.stack, said.node), said.request_id)? else {
        return Ok(());
    };
    let (first, second) = (kept.hash, stray.hash());
    let other = Signed::<Receipt>::from_bytes(kept.receipt).ok();
    let other = other.filter(|other| other.message().request_hash == said.request_hash);
    if other.is_none() || first == second {
        return Ok(());
    }
    let row = Row {
        seq: said.seq,
        hash: second,
        units: said.units,
        received: *received,
        receipt: stray.to_bytes(),
        second: None,
        fault: Some(ReceiptError::Twice { first, second }.to_string()),
        ..kept
    };
    insert(db, &row)
}

/// What a request may cost at most, unless it is clear by now.
pub(super) fn insert_unclear(
    db: &Connection,
    (stack, node): (StackId, NodeId),
    request: RequestId,
    most: u64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO unclear (request, stack, node, units) SELECT ?1, ?2, ?3, ?4
         WHERE NOT EXISTS (
             SELECT 1 FROM receipts WHERE request = ?1 AND stack = ?2 AND fault IS NULL
         ) AND NOT EXISTS (SELECT 1 FROM refused WHERE request = ?1 AND stack = ?2)",
    )?
    .execute(params![
        request.0,
        stack.0.as_bytes(),
        node.0.as_bytes(),
        to_sql(most),
    ])?;
    Ok(())
}
