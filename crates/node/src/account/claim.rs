//! What the node takes to the ledger.

use super::{Account, lane::SignedRequest};
use atoma_types::{
    ComputeUnits,
    hash::Hash32,
    message::{Receipt, Signed},
};
use std::sync::Arc;

/// What `settle` takes to the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// How many units are claimed.
    pub units: ComputeUnits,
    /// The highest header of each lane, lanes rising.
    pub vouchers: Vec<SignedRequest>,
    /// The last receipt; none if nothing was served.
    pub last: Option<Arc<Signed<Receipt>>>,
    /// Root over the records of all receipts.
    pub root: Hash32,
    /// How many receipts there are.
    pub count: u64,
}

impl Account {
    /// From here on nothing can be committed.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// What the node may claim; `None` while a receipt isn't signed. Vouchers are shown only where
    /// something was served.
    pub(crate) fn claim(&self) -> Option<Claim> {
        if self.receipts.count() != self.seq {
            return None;
        }
        let lanes = self.lanes.values().filter(|_| self.seq > 0);
        Some(Claim {
            units: ComputeUnits(self.committed),
            vouchers: lanes.map(|lane| lane.voucher.clone()).collect(),
            last: self.last.clone(),
            root: self.receipts.root(),
            count: self.seq,
        })
    }
}
