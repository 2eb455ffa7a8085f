//! The receipts that were kept: the user's proof of what was asked, answered and charged.

use crate::{
    ClientError,
    store::{
        Bond, Kept, Row, Store, Suspect, Writes, Wrong, all_kept, flush, keep_bond, keep_wrong,
    },
};
use atoma_evidence::second::SecondRecord;
use atoma_types::{
    ComputeUnits, NodeId, RequestId, StackId, TimestampMs,
    hash::Hash32,
    message::{Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{cmp::Reverse, path::Path, sync::Arc};

/// A list shows at most this many.
const MAX_LISTED: usize = 10_000;

/// The receipts that a client has kept, good ones and proofs of fraud alike.
#[derive(Clone, Debug)]
pub struct Receipts {
    kept: Vec<Arc<Kept>>,
    /// Absent where nobody here writes.
    writes: Option<Writes>,
}

/// One kept receipt with the header that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReceipt {
    /// The stack that paid.
    pub stack: StackId,
    /// The node that signed it.
    pub node: NodeId,
    /// The id of the request that it answers.
    pub request_id: RequestId,
    /// The lane that paid.
    pub lane: u16,
    /// Its place in the lease's chain.
    pub seq: u64,
    /// The units that it charges.
    pub units: ComputeUnits,
    /// When it arrived, by this machine's clock.
    pub received: TimestampMs,
    /// The header's text form.
    pub header: String,
    /// The receipt's text form.
    pub receipt: String,
    /// The text of the record of the node that computed the answer, where the request was passed on.
    pub second: Option<String>,
    /// What is wrong with it: such a receipt is kept as evidence and counts for nothing.
    pub fault: Option<String>,
}

impl Receipts {
    pub(crate) fn of(store: &Store) -> Self {
        Self {
            kept: vec![Arc::clone(store.kept())],
            writes: Some(store.writes().clone()),
        }
    }

    /// Opens the receipts of all networks in a data folder, without a ledger. Programs that write to
    /// it may run; a folder that isn't there has none.
    ///
    /// # Errors
    ///
    /// If a file can't be read, or a newer version has written it.
    pub fn open(folder: &Path) -> Result<Self, ClientError> {
        let kept = all_kept(folder)?.into_iter();
        Ok(Self {
            kept: kept.map(|(_, kept)| Arc::new(kept)).collect(),
            writes: None,
        })
    }

    /// Whether no client has ever kept anything in the folder.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The latest receipts, of one stack or all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn list(&self, stack: Option<StackId>) -> Result<Vec<KeptReceipt>, ClientError> {
        let mut rows = Vec::new();
        for kept in &self.kept {
            rows.append(&mut kept.list(stack, MAX_LISTED)?);
        }
        // of each network they are in order already
        rows.sort_by_key(|row| Reverse(row.received));
        rows.truncate(MAX_LISTED);
        Ok(rows.into_iter().map(KeptReceipt::from).collect())
    }

    /// Whether any receipt of a stack is kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn has_any(&self, stack: StackId) -> Result<bool, ClientError> {
        for kept in &self.kept {
            if kept.has_any(stack)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The receipt of a request of this wallet, whichever stack paid for it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn show(&self, request: RequestId) -> Result<Option<KeptReceipt>, ClientError> {
        for kept in &self.kept {
            if let Some(row) = kept.named(request)? {
                return Ok(Some(row.into()));
            }
        }
        Ok(None)
    }

    /// The kept receipts of the same lease up to `span` places away.
    pub(crate) fn kept_around(
        &self,
        receipt: &Receipt,
        span: u64,
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        let of = receipt.seq;
        let places = (of.saturating_sub(span), of, of.saturating_add(span));
        self.kept_between((receipt.stack, receipt.node), places)
    }

    /// The kept receipts under a number of a lease: more than one where a node signed two.
    pub(crate) fn kept_at(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        self.kept_between((stack, node), (seq, seq, seq))
    }

    /// What is kept of a lease after one number and before another, in order, at most so many.
    pub(crate) fn between(
        &self,
        lease: (StackId, NodeId),
        places: (u64, u64),
        most: usize,
    ) -> Result<Vec<KeptReceipt>, ClientError> {
        for kept in &self.kept {
            let rows = kept.rows(lease, places, most)?;
            // a stack is of one network
            if !rows.is_empty() {
                return Ok(rows.into_iter().map(KeptReceipt::from).collect());
            }
        }
        Ok(Vec::new())
    }

    /// The kept receipt of a lease with the highest number below this one.
    pub(crate) fn kept_before(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
    ) -> Result<Option<Signed<Receipt>>, ClientError> {
        for kept in &self.kept {
            if let Some(bytes) = kept.before((stack, node), seq)? {
                return Ok(Signed::from_bytes(bytes).ok());
            }
        }
        Ok(None)
    }

    /// The good ones that are kept under a number of a lease.
    pub(crate) fn good_at(
        &self,
        lease: (StackId, NodeId),
        seq: u64,
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        // no receipt has the number 0, whatever is wrong with it
        self.kept_between(lease, (seq, 0, seq))
    }

    /// The receipts of a lease after a number and a hash that may be one of two for their request, at most so many.
    pub(crate) fn suspects(
        &self,
        lease: (StackId, NodeId),
        after: (u64, Hash32),
        most: usize,
    ) -> Result<Vec<Suspect>, ClientError> {
        for kept in &self.kept {
            let suspects = kept.suspects(lease, after, most)?;
            // a stack is of one network
            if !suspects.is_empty() {
                return Ok(suspects);
            }
        }
        Ok(Vec::new())
    }

    /// All receipts of a lease that were kept for one request, at most so many.
    pub(crate) fn of_request(
        &self,
        lease: (StackId, NodeId),
        request: RequestId,
        most: usize,
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        let mut bytes = Vec::new();
        for kept in &self.kept {
            bytes.append(&mut kept.of_request(lease, request, most)?);
        }
        let read = |bytes| Signed::from_bytes(bytes).ok();
        Ok(bytes.into_iter().filter_map(read).collect())
    }

    fn kept_between(
        &self,
        lease: (StackId, NodeId),
        places: (u64, u64, u64),
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        let mut bytes = Vec::new();
        for kept in &self.kept {
            bytes.append(&mut kept.around(lease, places)?);
        }
        // one that can't be read was kept as evidence against its node, and links to nothing
        let read = |bytes| Signed::from_bytes(bytes).ok();
        Ok(bytes.into_iter().filter_map(read).collect())
    }

    /// The answers of a lease that were found wrong.
    pub(crate) fn wrongs(&self, stack: StackId, node: NodeId) -> Result<Vec<Wrong>, ClientError> {
        let mut wrongs = Vec::new();
        for kept in &self.kept {
            wrongs.append(&mut kept.wrongs(stack, node)?);
        }
        Ok(wrongs)
    }

    /// The bonds of all challenges that programs of this folder have brought.
    pub(crate) fn bonds(&self) -> Result<Vec<Bond>, ClientError> {
        let mut bonds = Vec::new();
        for kept in &self.kept {
            bonds.append(&mut kept.bonds()?);
        }
        Ok(bonds)
    }

    /// Writes down that an answer is wrong, before anything is done about it.
    pub(crate) async fn keep_wrong(&self, wrong: Wrong) -> Result<(), ClientError> {
        match &self.writes {
            Some(writes) => keep_wrong(writes, wrong).await,
            None => Ok(()),
        }
    }

    /// Whether anything is written down here.
    pub(crate) fn are_kept(&self) -> bool {
        self.writes.is_some()
    }

    /// Writes a bond down, before it is staked and when it is over; or forgets one that was not staked.
    pub(crate) async fn keep_bond(&self, bond: Bond, staked: bool) -> Result<(), ClientError> {
        match &self.writes {
            Some(writes) => keep_bond(writes, bond, staked).await,
            None => Ok(()),
        }
    }

    /// Waits until all receipts so far are on the disk.
    ///
    /// # Errors
    /// If they cannot be written.
    pub async fn flush(&self) -> Result<(), ClientError> {
        match &self.writes {
            Some(writes) => flush(writes).await,
            None => Ok(()),
        }
    }
}

impl KeptReceipt {
    /// The receipt, decoded.
    ///
    /// # Errors
    ///
    /// If the kept bytes are no receipt.
    pub fn signed(&self) -> Result<Signed<Receipt>, ClientError> {
        Signed::from_text(&self.receipt).map_err(|e| ClientError::Damaged(e.into()))
    }

    /// The second record, decoded.
    ///
    /// # Errors
    ///
    /// If the kept bytes are no record.
    pub fn second_record(&self) -> Result<Option<SecondRecord>, ClientError> {
        let read = |text: &String| SecondRecord::from_text(text);
        let read = self.second.as_ref().map(read).transpose();
        read.map_err(|e| ClientError::Damaged(e.into()))
    }

    /// The request's header, decoded.
    ///
    /// # Errors
    ///
    /// If the kept bytes are no header.
    pub fn signed_header(&self) -> Result<Signed<RequestHeader>, ClientError> {
        Signed::from_text(&self.header).map_err(|e| ClientError::Damaged(e.into()))
    }
}

impl From<Row> for KeptReceipt {
    fn from(row: Row) -> Self {
        Self {
            stack: row.key.stack,
            node: row.key.node,
            request_id: row.request,
            lane: row.key.lane,
            seq: row.seq,
            units: row.units,
            received: row.received,
            header: BASE64_STANDARD.encode(row.header),
            receipt: BASE64_STANDARD.encode(row.receipt),
            second: row.second.map(|record| BASE64_STANDARD.encode(record)),
            fault: row.fault,
        }
    }
}
