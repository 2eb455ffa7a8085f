//! The receipts that were kept: the user's proof of what was asked, answered and charged.

use crate::{
    ClientError,
    store::{Row, Store},
};
use atoma_types::{
    ComputeUnits, NodeId, RequestId, StackId, TimestampMs,
    message::{Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{path::Path, sync::Arc};

/// A list shows at most this many.
const MAX_LISTED: usize = 10_000;

/// The receipts that a client has kept, good ones and proofs of fraud alike.
#[derive(Clone, Debug)]
pub struct Receipts {
    store: Arc<Store>,
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
    /// What is wrong with it: such a receipt is kept as evidence and counts for nothing.
    pub fault: Option<String>,
}

impl Receipts {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Opens the receipts of a data folder that no program uses, without a ledger.
    pub fn open(folder: &Path) -> Result<Self, ClientError> {
        Store::open(Some(folder)).map(Self::new)
    }

    /// The latest receipts, of one stack or all.
    pub fn list(&self, stack: Option<StackId>) -> Result<Vec<KeptReceipt>, ClientError> {
        let rows = self.store.list(stack, MAX_LISTED)?;
        Ok(rows.into_iter().map(KeptReceipt::from).collect())
    }

    /// The receipt of a request.
    pub fn show(&self, request: RequestId) -> Result<Option<KeptReceipt>, ClientError> {
        Ok(self.store.find(request)?.map(KeptReceipt::from))
    }

    /// The kept receipts of the same lease up to `span` places away.
    pub(crate) fn kept_around(
        &self,
        receipt: &Receipt,
        span: u64,
    ) -> Result<Vec<Signed<Receipt>>, ClientError> {
        let of = receipt.seq;
        let places = (of.saturating_sub(span), of, of.saturating_add(span));
        let kept = self.store.around((receipt.stack, receipt.node), places)?;
        // one that can't be read was kept as evidence against its node, and links to nothing
        let read = |bytes| Signed::from_bytes(bytes).ok();
        Ok(kept.into_iter().filter_map(read).collect())
    }

    /// Waits until all receipts so far are on the disk.
    pub async fn flush(&self) -> Result<(), ClientError> {
        self.store.flush().await
    }
}

impl KeptReceipt {
    /// The receipt, decoded.
    ///
    /// # Errors
    ///
    /// If the kept bytes are no receipt.
    pub fn signed(&self) -> Result<Signed<Receipt>, ClientError> {
        Signed::from_text(&self.receipt).map_err(|e| ClientError::Store(e.to_string()))
    }

    /// The request's header, decoded.
    ///
    /// # Errors
    ///
    /// If the kept bytes are no header.
    pub fn signed_header(&self) -> Result<Signed<RequestHeader>, ClientError> {
        Signed::from_text(&self.header).map_err(|e| ClientError::Store(e.to_string()))
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
            fault: row.fault,
        }
    }
}
