//! Nodes that charged what can't be, as they are kept.

use super::rows::{from_sql, to_sql};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{Address, NodeId, TimestampMs};
use rusqlite::{Connection, params};

const INPUT: u8 = 0;
const OUTPUT: u8 = 1;
const NOT_SERVED: u8 = 2;
const REFUSED: u8 = 3;
const SETTLED: u8 = 4;

/// Why a node isn't trusted, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Distrust {
    pub(crate) node: NodeId,
    pub(crate) reason: ReceiptError,
    pub(crate) since: TimestampMs,
}

pub(super) fn insert(db: &Connection, distrust: &Distrust) -> rusqlite::Result<()> {
    let (kind, charged, most) = match distrust.reason {
        ReceiptError::Input { charged, most } => (INPUT, charged, most),
        ReceiptError::Output { charged, most } => (OUTPUT, charged, most),
        ReceiptError::Refused => (REFUSED, 0, 0),
        ReceiptError::Settled => (SETTLED, 0, 0),
        _ => (NOT_SERVED, 0, 0),
    };
    db.prepare_cached("INSERT OR REPLACE INTO distrusts (node, kind, charged, most, since_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            distrust.node.0.as_bytes(),
            kind,
            to_sql(charged),
            to_sql(most),
            to_sql(distrust.since.0)
        ])?;
    Ok(())
}

pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<Distrust>> {
    let mut query =
        db.prepare_cached("SELECT node, kind, charged, most, since_ms FROM distrusts")?;
    let rows = query.query_map([], |row| {
        let (charged, most) = (from_sql(row.get(2)?), from_sql(row.get(3)?));
        Ok(Distrust {
            node: NodeId(Address::new(row.get(0)?)),
            reason: match row.get(1)? {
                INPUT => ReceiptError::Input { charged, most },
                OUTPUT => ReceiptError::Output { charged, most },
                REFUSED => ReceiptError::Refused,
                SETTLED => ReceiptError::Settled,
                _ => ReceiptError::NotServed,
            },
            since: TimestampMs(from_sql(row.get(4)?)),
        })
    })?;
    rows.collect()
}
