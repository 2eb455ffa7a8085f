//! Reading what is kept.

use super::{
    bonds::{self, Bond, Wrong},
    distrusts::{self, Distrust},
    kind::KIND,
    lanes,
    rows::{KeptLane, ROW, Row, Suspect, first, from_sql, read_row, to_sql},
};
use crate::never_came::NeverCame;
use atoma_store::{Place, Readers};
use atoma_types::{Address, ComputeUnits, NodeId, RequestId, StackId, hash::Hash32};
use rusqlite::{OptionalExtension, params};

/// What one network's store keeps, as it is on the disk.
#[derive(Debug)]
pub(crate) struct Kept(Readers);

impl Kept {
    pub(super) fn new(place: &Place) -> Self {
        Self(KIND.readers(place))
    }

    /// The stacks that were not seen closed, in the order in which they came.
    pub(crate) fn stacks(&self) -> rusqlite::Result<Vec<StackId>> {
        self.all_stacks(false)
    }

    /// Those that were, in the same order.
    pub(crate) fn closed_stacks(&self) -> rusqlite::Result<Vec<StackId>> {
        self.all_stacks(true)
    }

    fn all_stacks(&self, closed: bool) -> rusqlite::Result<Vec<StackId>> {
        self.0.ask(|db| {
            let mut query =
                db.prepare_cached("SELECT stack FROM stacks WHERE closed = ?1 ORDER BY number")?;
            let rows = query.query_map([closed], |row| Ok(StackId(Address::new(row.get(0)?))))?;
            rows.collect()
        })
    }

    /// The nodes that weren't trusted.
    pub(crate) fn distrusts(&self) -> rusqlite::Result<Vec<Distrust>> {
        self.0.ask(distrusts::all)
    }

    /// The answers of a lease that were found wrong.
    pub(crate) fn wrongs(&self, stack: StackId, node: NodeId) -> rusqlite::Result<Vec<Wrong>> {
        self.0.ask(|db| bonds::wrongs(db, stack, node))
    }

    /// The bonds of all challenges that were brought.
    pub(crate) fn bonds(&self) -> rusqlite::Result<Vec<Bond>> {
        self.0.ask(bonds::bonds)
    }

    /// The lanes of a lease that belong to a slot, as they were before the restart.
    pub(super) fn lanes(
        &self,
        stack: StackId,
        node: NodeId,
        slot: u16,
    ) -> rusqlite::Result<Vec<KeptLane>> {
        self.0.ask(|db| lanes::of_slot(db, stack, node, slot))
    }

    /// Units that the good receipts of a lease charge, together.
    pub(crate) fn charged(&self, stack: StackId, node: NodeId) -> rusqlite::Result<ComputeUnits> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT COALESCE(SUM(units), 0) FROM receipts WHERE stack = ?1 AND node = ?2 AND fault IS NULL",
            )?;
            let lease = params![stack.0.as_bytes(), node.0.as_bytes()];
            query.query_row(lease, |row| Ok(ComputeUnits(from_sql(row.get(0)?))))
        })
    }

    /// Units that requests of a lease may cost at most whose receipts nobody waits for, together.
    pub(crate) fn unclear(&self, stack: StackId, node: NodeId) -> rusqlite::Result<ComputeUnits> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT COALESCE(SUM(units), 0) FROM unclear WHERE stack = ?1 AND node = ?2",
            )?;
            let lease = params![stack.0.as_bytes(), node.0.as_bytes()];
            query.query_row(lease, |row| Ok(ComputeUnits(from_sql(row.get(0)?))))
        })
    }

    /// The latest receipts of a lease, in order of their places.
    pub(crate) fn chain(
        &self,
        stack: StackId,
        node: NodeId,
        most: usize,
    ) -> rusqlite::Result<Vec<Vec<u8>>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT receipt FROM receipts WHERE stack = ?1 AND node = ?2 AND fault IS NULL
                 ORDER BY seq DESC LIMIT ?3",
            )?;
            let lease = params![stack.0.as_bytes(), node.0.as_bytes(), to_sql(most as u64)];
            let rows = query.query_map(lease, |row| row.get(0))?;
            let mut receipts = rows.collect::<Result<Vec<_>, _>>()?;
            receipts.reverse();
            Ok(receipts)
        })
    }

    /// The receipts of a lease at the places from `first` to `last`; of what was kept with a fault
    /// only what claims the place `of`, which may be a second receipt for it.
    pub(crate) fn around(
        &self,
        (stack, node): (StackId, NodeId),
        (first, of, last): (u64, u64, u64),
    ) -> rusqlite::Result<Vec<Vec<u8>>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT receipt FROM receipts WHERE stack = ?1 AND node = ?2
                 AND seq BETWEEN ?3 AND ?4 AND (fault IS NULL OR seq = ?5) ORDER BY seq",
            )?;
            let lease = (stack.0.as_bytes(), node.0.as_bytes());
            let places = params![lease.0, lease.1, to_sql(first), to_sql(last), to_sql(of)];
            query.query_map(places, |row| row.get(0))?.collect()
        })
    }

    /// What is kept of a lease after one number and before another, in order, at most so many; with what has a fault.
    pub(crate) fn rows(
        &self,
        (stack, node): (StackId, NodeId),
        (after, before): (u64, u64),
        most: usize,
    ) -> rusqlite::Result<Vec<Row>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(&format!(
                "{ROW} WHERE stack = ?1 AND node = ?2 AND seq > ?3 AND seq < ?4 ORDER BY seq LIMIT ?5"
            ))?;
            let (after, before, most) = (to_sql(after), to_sql(before), to_sql(most as u64));
            let range = params![stack.0.as_bytes(), node.0.as_bytes(), after, before, most];
            query.query_map(range, read_row)?.collect()
        })
    }

    /// The receipts of a lease after this place that have a fault, or whose request has another one, in order of places, at
    /// most so many.
    pub(crate) fn suspects(
        &self,
        (stack, node): (StackId, NodeId),
        (seq, hash): (u64, Hash32),
        most: usize,
    ) -> rusqlite::Result<Vec<Suspect>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT seq, hash, receipt FROM suspects CROSS JOIN receipts USING (stack, node, seq, hash)
                 WHERE stack = ?1 AND node = ?2 AND (seq, hash) > (?3, ?4)
                 ORDER BY seq, hash LIMIT ?5",
            )?;
            let lease = (stack.0.as_bytes(), node.0.as_bytes());
            let range = params![lease.0, lease.1, to_sql(seq), hash.0, to_sql(most as u64)];
            let rows = query.query_map(range, |row| {
                Ok(Suspect {
                    place: (from_sql(row.get(0)?), Hash32(row.get(1)?)),
                    receipt: row.get(2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The receipts of a lease that were kept for one request, with what has a fault, at most so many.
    pub(crate) fn of_request(
        &self,
        (stack, node): (StackId, NodeId),
        request: RequestId,
        most: usize,
    ) -> rusqlite::Result<Vec<Vec<u8>>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT receipt FROM receipts WHERE request = ?1 AND stack = ?2 AND node = ?3
                 ORDER BY seq, hash LIMIT ?4",
            )?;
            let lease = (stack.0.as_bytes(), node.0.as_bytes());
            let which = params![request.0, lease.0, lease.1, to_sql(most as u64)];
            query.query_map(which, |row| row.get(0))?.collect()
        })
    }

    /// The good receipt of a lease with the highest place below this one.
    pub(crate) fn before(
        &self,
        (stack, node): (StackId, NodeId),
        seq: u64,
    ) -> rusqlite::Result<Option<Vec<u8>>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT receipt FROM receipts WHERE stack = ?1 AND node = ?2 AND fault IS NULL AND seq < ?3
                 ORDER BY seq DESC LIMIT 1",
            )?;
            let place = params![stack.0.as_bytes(), node.0.as_bytes(), to_sql(seq)];
            query.query_row(place, |row| row.get(0)).optional()
        })
    }

    /// The numbers and the hashes of a lease's good receipts after one number and before another, in their order, at most
    /// so many.
    pub(crate) fn hashes(
        &self,
        (stack, node): (StackId, NodeId),
        (after, before): (u64, u64),
        most: usize,
    ) -> rusqlite::Result<Vec<(u64, Hash32)>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT seq, hash FROM receipts WHERE stack = ?1 AND node = ?2 AND seq > ?3 AND seq < ?4
                 AND fault IS NULL ORDER BY seq LIMIT ?5",
            )?;
            let (after, before, most) = (to_sql(after), to_sql(before), to_sql(most as u64));
            let range = params![stack.0.as_bytes(), node.0.as_bytes(), after, before, most];
            let rows = query.query_map(range, |row| {
                let seq: i64 = row.get(0)?;
                Ok((seq.cast_unsigned(), Hash32(row.get(1)?)))
            })?;
            rows.collect()
        })
    }

    /// Whether there is any receipt of a stack.
    pub(crate) fn has_any(&self, stack: StackId) -> rusqlite::Result<bool> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached("SELECT 1 FROM receipts WHERE stack = ?1 LIMIT 1")?;
            query.exists([stack.0.as_bytes()])
        })
    }

    /// Receipts, of one stack or all, latest first.
    pub(crate) fn list(&self, stack: Option<StackId>, most: usize) -> rusqlite::Result<Vec<Row>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(&format!(
                "{ROW} WHERE ?1 IS NULL OR stack = ?1 ORDER BY received_ms DESC, seq DESC LIMIT ?2"
            ))?;
            let stack = stack.map(|stack| stack.0.as_bytes().to_vec());
            let rows = query.query_map(params![stack, to_sql(most as u64)], read_row)?;
            rows.collect()
        })
    }

    /// Whether its node has refused a stack's request.
    pub(crate) fn is_refused(&self, stack: StackId, request: RequestId) -> rusqlite::Result<bool> {
        self.0.ask(|db| {
            let mut query =
                db.prepare_cached("SELECT 1 FROM refused WHERE request = ?1 AND stack = ?2")?;
            query.exists(params![request.0, stack.0.as_bytes()])
        })
    }

    /// The answers of a lease that never came, and what the good receipts for them charge.
    pub(crate) fn never_came(&self, stack: StackId, node: NodeId) -> rusqlite::Result<NeverCame> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(
                "SELECT request, (SELECT units FROM receipts
                     WHERE receipts.request = lost.request AND receipts.stack = lost.stack
                     AND receipts.node = lost.node AND fault IS NULL LIMIT 1)
                 FROM lost WHERE stack = ?1 AND node = ?2",
            )?;
            let rows = query.query_map([stack.0.as_bytes(), node.0.as_bytes()], |row| {
                let units: Option<i64> = row.get(1)?;
                Ok((
                    RequestId(row.get(0)?),
                    units.map(|units| ComputeUnits(from_sql(units))),
                ))
            })?;
            let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(NeverCame::of(rows))
        })
    }

    /// The receipt of a lease's request: a good one, if there is one, else the one with the lowest number.
    pub(crate) fn find(
        &self,
        lease: (StackId, NodeId),
        request: RequestId,
    ) -> rusqlite::Result<Option<Row>> {
        self.0.ask(|db| first(db, lease, request))
    }

    /// The receipt of a request that is known by its id alone: a good one, if there is one.
    pub(crate) fn named(&self, request: RequestId) -> rusqlite::Result<Option<Row>> {
        self.0.ask(|db| {
            let mut query = db.prepare_cached(&format!(
                "{ROW} WHERE request = ?1 ORDER BY fault IS NOT NULL, seq, hash LIMIT 1"
            ))?;
            query.query_row([request.0], read_row).optional()
        })
    }
}
