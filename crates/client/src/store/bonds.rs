//! Answers that were found wrong, and the bonds that were staked on that, as they are kept.

use super::rows::{from_sql, to_sql};
use atoma_types::{Address, ComputeUnits, MicroUsdc, NodeId, StackId};
use rusqlite::{Connection, params};

/// An answer of which something is known that a jury would find wrong, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) stack: StackId,
    pub(crate) node: NodeId,
    /// The place of its receipt.
    pub(crate) seq: u64,
    /// The last unit that it charges.
    pub(crate) unit: ComputeUnits,
    /// What is wrong, in the words of whoever checked the answer: text that is shown, and never read again.
    pub(crate) reason: String,
}

/// A challenge that a program of this folder has brought, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bond {
    pub(crate) stack: StackId,
    pub(crate) node: NodeId,
    /// The number of the ticket's last receipt: a ticket is challenged once.
    pub(crate) ticket: u64,
    pub(crate) staked: MicroUsdc,
    /// What came back to the wallet that staked it, once it is over: nothing where it isn't the stack's owner.
    pub(crate) back: Option<MicroUsdc>,
}

impl Bond {
    /// What of it stands or is lost.
    pub(crate) fn gone(&self) -> MicroUsdc {
        let back = self.back.unwrap_or_default();
        self.staked.checked_sub(back).unwrap_or_default()
    }

    pub(crate) fn is_of(&self, (stack, node, ticket): (StackId, NodeId, u64)) -> bool {
        (self.stack, self.node, self.ticket) == (stack, node, ticket)
    }
}

pub(super) fn insert_wrong(db: &Connection, wrong: &Wrong) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO wrongs (stack, node, seq, unit, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        wrong.stack.0.as_bytes(),
        wrong.node.0.as_bytes(),
        to_sql(wrong.seq),
        to_sql(wrong.unit.0),
        wrong.reason,
    ])?;
    Ok(())
}

pub(super) fn wrongs(
    db: &Connection,
    stack: StackId,
    node: NodeId,
) -> rusqlite::Result<Vec<Wrong>> {
    let mut query = db.prepare_cached(
        "SELECT seq, unit, reason FROM wrongs WHERE stack = ?1 AND node = ?2 ORDER BY seq",
    )?;
    let rows = query.query_map([stack.0.as_bytes(), node.0.as_bytes()], |row| {
        Ok(Wrong {
            stack,
            node,
            seq: from_sql(row.get(0)?),
            unit: ComputeUnits(from_sql(row.get(1)?)),
            reason: row.get(2)?,
        })
    })?;
    rows.collect()
}

pub(super) fn put_bond(db: &Connection, bond: &Bond) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO bonds (stack, node, ticket, staked, back) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        bond.stack.0.as_bytes(),
        bond.node.0.as_bytes(),
        to_sql(bond.ticket),
        to_sql(bond.staked.0),
        bond.back.map(|back| to_sql(back.0)),
    ])?;
    Ok(())
}

pub(super) fn drop_bond(db: &Connection, bond: &Bond) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM bonds WHERE stack = ?1 AND node = ?2 AND ticket = ?3")?
        .execute(params![
            bond.stack.0.as_bytes(),
            bond.node.0.as_bytes(),
            to_sql(bond.ticket),
        ])?;
    Ok(())
}

pub(super) fn bonds(db: &Connection) -> rusqlite::Result<Vec<Bond>> {
    let mut query = db.prepare_cached("SELECT stack, node, ticket, staked, back FROM bonds")?;
    let rows = query.query_map([], |row| {
        let back: Option<i64> = row.get(4)?;
        Ok(Bond {
            stack: StackId(Address::new(row.get(0)?)),
            node: NodeId(Address::new(row.get(1)?)),
            ticket: from_sql(row.get(2)?),
            staked: MicroUsdc(from_sql(row.get(3)?)),
            back: back.map(|back| MicroUsdc(from_sql(back))),
        })
    })?;
    rows.collect()
}
