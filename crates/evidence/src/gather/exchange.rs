//! The two signed messages of a request, from wherever they come.

use crate::{
    check::{Gap, Item},
    pack::Record,
};
use atoma_types::{
    NodeId, StackId,
    message::{Receipt, RequestHeader, Signed},
};
use bytes::Bytes;

/// A signed request and its receipt, as far as they are known.
pub(super) struct Exchange {
    pub(super) header: Item<Signed<RequestHeader>>,
    pub(super) receipt: Item<Signed<Receipt>>,
}

impl Exchange {
    /// The lease that the request is of: its stack and node.
    pub(super) fn lease(&self) -> Option<(StackId, NodeId)> {
        let of_header =
            |header: &Signed<RequestHeader>| (header.message().stack, header.message().node);
        let of_receipt =
            |receipt: &Signed<Receipt>| (receipt.message().stack, receipt.message().node);
        let lease = self.header.as_ref().ok().map(of_header);
        lease.or_else(|| self.receipt.as_ref().ok().map(of_receipt))
    }

    /// Takes what is missing from a record.
    pub(super) fn fill(&mut self, record: &Bytes) {
        if let Err(Gap::Absent(_)) = self.header {
            self.header = header_of(record);
        }
        if let Err(Gap::Absent(_)) = self.receipt {
            self.receipt = receipt_in(record);
        }
    }
}

/// The signed request in a record.
fn header_of(record: &Bytes) -> Item<Signed<RequestHeader>> {
    let (record, _) = Record::from_bytes(record).map_err(Gap::absent)?;
    record.signed_request().map_err(Gap::broken)
}

/// The receipt in a record.
fn receipt_in(record: &Bytes) -> Item<Signed<Receipt>> {
    let (record, _) = Record::from_bytes(record).map_err(Gap::absent)?;
    receipt_of(&record)
}

pub(super) fn receipt_of(record: &Record) -> Item<Signed<Receipt>> {
    let receipt = record.signed_receipt().map_err(Gap::broken)?;
    receipt.ok_or_else(|| Gap::absent("the record is of a request alone"))
}
