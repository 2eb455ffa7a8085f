//! Reading the journal back at start, checking every receipt against the chain.

use super::{error::JournalError, record::LeaseRecord, row::signed};
use crate::account::{Account, Phase, Position, RestoredLane, Terms};
use atoma_types::{
    Address, ComputeUnits, DurationMs, Price, PublicKey, RequestId, StackId, TaskId, TimestampMs,
    hash::Hash32,
    message::{Receipt, RequestHeader},
};
use rusqlite::{Connection, Row, params};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Everything the journal knew.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// Small texts by name.
    pub meta: BTreeMap<String, String>,
    /// Leases that aren't closed, with their accounts.
    pub leases: Vec<RestoredLease>,
}

/// A lease and its account.
#[derive(Debug)]
pub(crate) struct RestoredLease {
    /// What the ledger said.
    pub record: LeaseRecord,
    /// What was served.
    pub account: Account,
    /// The requests that have a receipt, and when their headers expire.
    pub served: Vec<(RequestId, TimestampMs)>,
}

pub(super) fn read(db: &Connection, path: &Path) -> Result<Restored, JournalError> {
    let at = |source| JournalError::Read {
        path: path.to_owned(),
        source,
    };
    let mut restored = Restored {
        meta: meta(db).map_err(at)?,
        ..Restored::default()
    };
    for record in leases(db).map_err(at)? {
        let mut account = Account::new(
            Terms {
                units: record.units,
                expires_at: record.expires_at,
                closing: record.closing,
            },
            TimestampMs(0),
        );
        account.restore_base(record.base);
        for lane in lanes(db, record.stack).map_err(at)? {
            account.restore_lane(lane);
        }
        let served = receipts(db, record.stack, &mut account).map_err(at)?;
        if !account.adds_up() {
            return Err(JournalError::Broken {
                stack: record.stack,
                seq: account.brief().seq.saturating_add(1),
            });
        }
        account.advance(record.phase);
        restored.leases.push(RestoredLease {
            record,
            account,
            served,
        });
    }
    Ok(restored)
}

fn meta(db: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut query = db.prepare("SELECT name, value FROM meta")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn leases(db: &Connection) -> rusqlite::Result<Vec<LeaseRecord>> {
    let mut query = db.prepare(
        "SELECT stack, task, owner, request_key, units, price, expires_at_ms, settle_grace_ms,
             closing, phase, base_seq, base_units, base_hash FROM leases WHERE phase < 2",
    )?;
    let rows = query.query_map([], |row| {
        Ok(LeaseRecord {
            stack: StackId(Address::new(array(row, 0)?)),
            task: TaskId(Address::new(array(row, 1)?)),
            owner: Address::new(array(row, 2)?),
            request_key: PublicKey(array(row, 3)?),
            units: ComputeUnits(number(row, 4)?),
            price: Price(number(row, 5)?),
            expires_at: TimestampMs(number(row, 6)?),
            settle_grace: DurationMs(number(row, 7)?),
            closing: row.get(8)?,
            phase: match row.get::<_, i64>(9)? {
                0 => Phase::Open,
                1 => Phase::Settling,
                _ => Phase::Closed,
            },
            base: Position {
                seq: number(row, 10)?,
                units: ComputeUnits(number(row, 11)?),
                hash: Hash32(array(row, 12)?),
            },
        })
    })?;
    rows.collect()
}

fn lanes(db: &Connection, stack: StackId) -> rusqlite::Result<Vec<RestoredLane>> {
    let mut query =
        db.prepare_cached("SELECT committed, header, signature FROM lanes WHERE stack = ?1")?;
    let rows = query.query_map([stack.0.as_bytes()], |row| {
        Ok(RestoredLane {
            committed: ComputeUnits(number(row, 0)?),
            voucher: Arc::new(signed(row, 1)?),
        })
    })?;
    rows.collect()
}

/// Puts the receipts back in order; stops at the first that doesn't fit, which leaves an account
/// that doesn't add up.
fn receipts(
    db: &Connection,
    stack: StackId,
    account: &mut Account,
) -> rusqlite::Result<Vec<(RequestId, TimestampMs)>> {
    let mut query = db.prepare_cached(
        "SELECT bytes, signature, header, header_signature FROM receipts
             WHERE stack = ?1 AND seq > ?2 ORDER BY seq",
    )?;
    let base = account.base().seq.cast_signed();
    let mut rows = query.query(params![stack.0.as_bytes(), base])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let receipt = signed::<Receipt>(row, 0)?;
        let request = signed::<RequestHeader>(row, 2)?;
        let header = request.message();
        ids.push((header.request_id, header.expires_at_ms));
        if !account.restore_receipt(&request, receipt) {
            break;
        }
    }
    Ok(ids)
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

fn array<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    row.get::<_, [u8; N]>(column)
}
