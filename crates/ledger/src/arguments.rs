//! What a transaction said: calls are public, and some of what they hold is in no event.

use crate::{Connection, ReadError, malformed::MalformedAnswer, mask::mask};
use futures::future::BoxFuture;
use sui_rpc::proto::sui::rpc::v2::GetTransactionRequest;
use sui_sdk_types::{Digest, Input, Transaction, TransactionKind};

impl Connection {
    /// The byte strings among the plain arguments of an executed transaction, in order: what its calls were given
    /// as `vector<u8>`, and whatever else can be read so. Nothing for a transaction of the ledger's own.
    ///
    /// # Errors
    /// If nobody answers, the transaction isn't known there, or it can't be read.
    pub fn byte_arguments(
        &self,
        transaction: Digest,
    ) -> BoxFuture<'_, Result<Vec<Vec<u8>>, ReadError>> {
        Box::pin(async move {
            let request = GetTransactionRequest::new(&transaction);
            let request = request.with_read_mask(mask(&["transaction.bcs"]));
            let mut client = self.inner.client.clone();
            let answer = client.ledger_client().get_transaction(request).await;
            let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
            let found = answer.transaction.and_then(|found| found.transaction);
            let bytes = found.and_then(|found| found.bcs);
            let bytes = bytes.ok_or(MalformedAnswer::Missing("transaction's bytes"))?;
            let transaction: Transaction =
                bcs::from_bytes(bytes.value()).map_err(MalformedAnswer::Transaction)?;
            let TransactionKind::ProgrammableTransaction(program) = transaction.kind else {
                return Ok(Vec::new());
            };
            let strings = program.inputs.iter().filter_map(|input| match input {
                Input::Pure(bytes) => bcs::from_bytes(bytes).ok(),
                _ => None,
            });
            Ok(strings.collect())
        })
    }
}
