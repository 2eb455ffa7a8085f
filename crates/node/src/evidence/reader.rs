//! Reading the log, on threads that may block.

use super::error::EvidenceError;
use crate::journal::{ANSWER_PART, PackRow, REQUEST_PART, signed};
use atoma_keys::{AtRestKey, SEAL_BYTES};
use atoma_runtime::Threads;
use atoma_store::Readers;
use atoma_types::{
    Address, ComputeUnits, PublicKey, RequestId, StackId, TimestampMs,
    hash::Hash32,
    history::{LastReceipt, ReceiptTree},
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::{BlobId, ObjectId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// The bytes of bodies, without those that sealing adds.
const BODY_BYTES: &str = "coalesce(sum(length(e.request) + length(e.answer) - 32), 0)";
const _: () = assert!(2 * SEAL_BYTES == 32);

/// Asks the log.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    journal: Arc<Readers>,
    threads: Threads,
}

/// The log as one connection sees it.
#[derive(Debug)]
pub(crate) struct Log<'a>(&'a Connection);

/// A receipt with the request it answers.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its number in the node's log.
    pub id: i64,
    pub header: Signed<RequestHeader>,
    pub receipt: Signed<Receipt>,
}

/// A receipt with its bodies, not stored yet.
#[derive(Debug)]
pub(crate) struct Logged {
    pub exchange: Exchange,
    pub request_key: PublicKey,
    pub open: bool,
    /// Behind its salt, as the answer; both under the node's own key until they are opened.
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
}

impl Logged {
    /// With the bodies as they were sent.
    pub(crate) fn opened(mut self, key: &AtRestKey) -> Result<Self, EvidenceError> {
        let name = self.exchange.receipt.hash();
        let open = |part, body| key.open(name, part, body).ok_or(EvidenceError::OtherKey);
        self.request = open(REQUEST_PART, self.request)?;
        self.answer = open(ANSWER_PART, self.answer)?;
        Ok(self)
    }
}

impl Reader {
    pub(crate) fn new(journal: Arc<Readers>, threads: Threads) -> Self {
        Self { journal, threads }
    }

    /// Runs a question where it may block.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Log<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EvidenceError> {
        let log = self.clone();
        let answer = self.threads.blocking(move || log.now(question)).await;
        Ok(answer.map_err(|_| EvidenceError::Stopped)??)
    }

    /// Runs a question here and now: on threads that may block.
    pub(crate) fn now<T, E: From<rusqlite::Error>>(
        &self,
        question: impl FnOnce(&Log<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.journal.ask(|db| question(&Log(db)))
    }

    /// Bytes of the bodies that aren't stored yet, by whose they are.
    pub(crate) fn backlog(&self) -> Result<Vec<(Address, u64)>, EvidenceError> {
        Ok(self.now(|log| log.raw_bytes(0, i64::MAX))?)
    }
}

impl Exchange {
    /// Whether a unit is one of those that the receipt charges.
    pub(crate) fn covers(&self, unit: ComputeUnits) -> bool {
        !self.begins_after(unit) && unit < self.receipt.message().cumulative_units
    }

    fn begins_after(&self, unit: ComputeUnits) -> bool {
        let receipt = self.receipt.message();
        unit < receipt.cumulative_units.saturating_sub(receipt.units)
    }
}

impl Log<'_> {
    /// The first record after `after` that isn't stored, and when it came.
    pub(crate) fn first_after(&self, after: i64) -> rusqlite::Result<Option<(i64, TimestampMs)>> {
        let mut query = self.0.prepare_cached(
            "SELECT e.id, r.finished_ms FROM evidence e JOIN receipts r ON r.id = e.id
             WHERE e.id > ?1 ORDER BY e.id LIMIT 1",
        )?;
        let first = query.query_row([after], |row| {
            let at: i64 = row.get(1)?;
            Ok((row.get(0)?, TimestampMs(at.cast_unsigned())))
        });
        first.optional()
    }

    /// Shows `each` the records after `after` in order, until it has enough or a number is missing.
    pub(crate) fn each_after<E: From<rusqlite::Error>>(
        &self,
        after: i64,
        mut each: impl FnMut(Logged) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut query = self.0.prepare_cached(
            "SELECT r.id, r.header, r.header_signature, r.bytes, r.signature, l.request_key,
                 e.open, e.request, e.answer
             FROM evidence e JOIN receipts r ON r.id = e.id JOIN leases l ON l.stack = r.stack
             WHERE e.id > ?1 ORDER BY e.id",
        )?;
        let mut rows = query.query([after])?;
        let mut expected = None;
        while let Some(row) = rows.next()? {
            let exchange = exchange(row)?;
            let id = exchange.id;
            if expected.is_some_and(|expected| expected != id) {
                break;
            }
            expected = Some(id + 1);
            let more = each(Logged {
                exchange,
                request_key: PublicKey(row.get(5)?),
                open: row.get(6)?,
                request: row.get(7)?,
                answer: row.get(8)?,
            })?;
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// The first receipt of a stack's request.
    pub(crate) fn by_request(
        &self,
        stack: StackId,
        id: RequestId,
    ) -> rusqlite::Result<Option<Exchange>> {
        let mut query = self.0.prepare_cached(
            "SELECT id, header, header_signature, bytes, signature FROM receipts
             WHERE request_id = ?1 AND stack = ?2 ORDER BY id LIMIT 1",
        )?;
        let which = params![&id.0[..], stack.0.as_bytes()];
        query.query_row(which, exchange).optional()
    }

    /// A receipt by its place in its lease.
    pub(crate) fn by_seq(&self, stack: StackId, seq: u64) -> rusqlite::Result<Option<Exchange>> {
        let mut query = self.0.prepare_cached(
            "SELECT id, header, header_signature, bytes, signature FROM receipts
             WHERE stack = ?1 AND seq = ?2",
        )?;
        let params = params![stack.0.as_bytes(), seq.cast_signed()];
        query.query_row(params, exchange).optional()
    }

    /// The record of a lease that covers a unit, if it charges any.
    pub(crate) fn by_unit(
        &self,
        stack: StackId,
        unit: ComputeUnits,
        (from_seq, to_seq): (u64, u64),
    ) -> rusqlite::Result<Option<Exchange>> {
        // sums rise with places, so halving finds it
        let (mut low, mut high) = (from_seq, to_seq);
        while low < high {
            let middle = low + (high - low) / 2 + 1;
            match self.by_seq(stack, middle)? {
                Some(found) if found.begins_after(unit) => high = middle - 1,
                Some(found) if found.covers(unit) => return Ok(Some(found)),
                Some(_) => low = middle,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The first receipt of a lease whose bodies aren't stored: its number in the log, and in the lease.
    pub(crate) fn first_unstored(&self, stack: StackId) -> rusqlite::Result<Option<(i64, u64)>> {
        let mut query = self.0.prepare_cached(
            "SELECT e.id, r.seq FROM evidence e JOIN receipts r ON r.id = e.id
             WHERE r.stack = ?1 ORDER BY e.id LIMIT 1",
        )?;
        let found = query.query_row([stack.0.as_bytes()], |row| {
            let seq: i64 = row.get(1)?;
            Ok((row.get(0)?, seq.cast_unsigned()))
        });
        found.optional()
    }

    /// The number in the log of the last receipt of a lease.
    pub(crate) fn last_of(&self, stack: StackId) -> rusqlite::Result<Option<i64>> {
        let mut query = self
            .0
            .prepare_cached("SELECT max(id) FROM receipts WHERE stack = ?1")?;
        query.query_row([stack.0.as_bytes()], |row| row.get(0))
    }

    /// The receipts of the ticket that claims one: those after the first number up to the second.
    pub(crate) fn ticket_of(
        &self,
        stack: StackId,
        seq: u64,
    ) -> rusqlite::Result<Option<(u64, u64)>> {
        let mut query = self.0.prepare_cached(
            "SELECT from_seq, to_seq FROM tickets WHERE stack = ?1 AND from_seq < ?2 AND to_seq >= ?2",
        )?;
        let params = params![stack.0.as_bytes(), seq.cast_signed()];
        let found = query.query_row(params, |row| {
            let (from, to): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((from.cast_unsigned(), to.cast_unsigned()))
        });
        found.optional()
    }

    /// The receipts that one binds, and itself; `None` if some of them aren't here.
    pub(crate) fn tree(&self, stack: StackId, last: u64) -> rusqlite::Result<Option<ReceiptTree>> {
        let Some(of) = self.by_seq(stack, last)? else {
            return Ok(None);
        };
        let bound = LastReceipt::of(&of.receipt);
        let mut query = self.0.prepare_cached(
            "SELECT bytes FROM receipts WHERE stack = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
        )?;
        let (base, last) = (bound.base.cast_signed(), last.cast_signed());
        let rows = query.query_map(params![stack.0.as_bytes(), base, last], |row| {
            Ok(Hash32::of(row.get_ref(0)?.as_blob()?))
        })?;
        let hashes = rows.collect::<Result<Vec<_>, _>>()?;
        let tree = ReceiptTree::new(bound.base, hashes);
        Ok(tree.filter(|tree| tree.last() == bound))
    }

    /// The stored pack that has a receipt.
    pub(crate) fn pack_of(&self, id: i64) -> rusqlite::Result<Option<PackRow>> {
        let mut query = self.0.prepare_cached(
            "SELECT first, last, blob, root, object, end_epoch, released FROM packs
             WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
        )?;
        let row = query.query_row([id], pack_row).optional()?;
        Ok(row.filter(|row| row.last >= id))
    }

    /// The packs that have a lease's receipts after the first number up to the second, at most so many, and the last
    /// receipt in them. `None` if one of the receipts is in no stored pack.
    pub(crate) fn packs_of(
        &self,
        stack: StackId,
        (from_seq, to_seq): (u64, u64),
        most: usize,
    ) -> rusqlite::Result<Option<(Vec<BlobId>, u64)>> {
        let mut query = self.0.prepare_cached(
            "SELECT id, seq FROM receipts WHERE stack = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
        )?;
        let (from, to) = (from_seq.cast_signed(), to_seq.cast_signed());
        let mut rows = query.query(params![stack.0.as_bytes(), from, to])?;
        let (mut packs, mut last, mut in_pack) = (Vec::new(), from_seq, 0);
        while let Some(row) = rows.next()? {
            let (id, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
            // numbers in the log rise with those in the lease
            if id > in_pack {
                if packs.len() == most {
                    break;
                }
                let Some(pack) = self.pack_of(id)? else {
                    return Ok(None);
                };
                in_pack = pack.last;
                packs.push(pack.blob);
            }
            last = seq.cast_unsigned();
        }
        Ok((!packs.is_empty()).then_some((packs, last)))
    }

    /// The packs that open leases may still need.
    pub(crate) fn kept_packs(&self) -> rusqlite::Result<Vec<PackRow>> {
        let mut query = self.0.prepare_cached(
            "SELECT first, last, blob, root, object, end_epoch, released FROM packs
             WHERE released = 0 ORDER BY first",
        )?;
        query.query_map([], pack_row)?.collect()
    }

    /// Whether a lease with a receipt in a pack isn't over.
    pub(crate) fn is_needed(&self, pack: &PackRow) -> rusqlite::Result<bool> {
        // the pack's receipts first: a lease may have many more than the pack
        let mut query = self.0.prepare_cached(
            "SELECT 1 FROM receipts r CROSS JOIN leases l ON l.stack = r.stack
             WHERE r.id BETWEEN ?1 AND ?2 AND l.phase < 2 LIMIT 1",
        )?;
        query.exists([pack.first, pack.last])
    }

    /// Bytes of the bodies of some records in the log, by whose they are.
    pub(crate) fn raw_bytes(&self, first: i64, last: i64) -> rusqlite::Result<Vec<(Address, u64)>> {
        let mut query = self.0.prepare_cached(&format!(
            "SELECT l.owner, {BODY_BYTES} FROM evidence e
             JOIN receipts r ON r.id = e.id JOIN leases l ON l.stack = r.stack
             WHERE e.id BETWEEN ?1 AND ?2 GROUP BY l.owner ORDER BY l.owner"
        ))?;
        let rows = query.query_map([first, last], |row| {
            let (owner, bytes): ([u8; 32], i64) = (row.get(0)?, row.get(1)?);
            Ok((Address::new(owner), bytes.cast_unsigned()))
        })?;
        rows.collect()
    }
}

/// Columns: id, header, its signature, receipt, its signature.
fn exchange(row: &Row<'_>) -> rusqlite::Result<Exchange> {
    Ok(Exchange {
        id: row.get(0)?,
        header: signed(row, 1)?,
        receipt: signed(row, 3)?,
    })
}

fn pack_row(row: &Row<'_>) -> rusqlite::Result<PackRow> {
    let object: Option<[u8; 32]> = row.get(4)?;
    Ok(PackRow {
        first: row.get(0)?,
        last: row.get(1)?,
        blob: BlobId(row.get(2)?),
        root: Hash32(row.get(3)?),
        object: object.map(ObjectId::new),
        end_epoch: row.get(5)?,
        released: row.get(6)?,
    })
}
