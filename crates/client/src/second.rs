//! Second records: whether the keys on the ledger signed them.

use crate::{Client, ClientError};
use atoma_evidence::{
    receipt::ReceiptError,
    second::{SecondError, SecondRecord},
};
use futures::future::BoxFuture;

impl Client {
    /// Whether a second record is what it says: its header signed by the request key of the stack that it names,
    /// its receipt by the key of the node's lease on it. One read of the ledger.
    ///
    /// A first node that shows a forged one is liable for its own receipt all the same; who wants to know who
    /// computed the answer looks here.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked or knows no such stack, or a signature isn't by its key.
    pub fn check_second<'a>(
        &'a self,
        record: &'a SecondRecord,
    ) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(async move {
            let stack = self.ledger().stack(record.stack()).await?;
            let lease = stack.lease(record.node());
            let verdict = match lease {
                Some(lease) => record.verify(&stack.request_key, &lease.key),
                None => Err(SecondError::Signature),
            };
            verdict.map_err(|reason| ClientError::Receipt {
                node: record.node(),
                reason: ReceiptError::Second(reason),
            })
        })
    }
}
