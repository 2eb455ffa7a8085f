//! Calling the package: what programs have executed, and what became of it.

use crate::{BuildError, ExecuteError, Executed, Ledger, ReadError, build::Work, outcome::outcome};
use atoma_keys::SigningKey;
use atoma_types::{Address, ObjectId, chain::Call};
use futures::future::BoxFuture;
use sui_sdk_types::Digest;

impl Ledger {
    /// Executes calls of the package as one transaction of the key's address, in order, all or
    /// none. What it would abort with is found by simulation and costs nothing.
    ///
    /// # Errors
    /// If the package aborts, the wallet's coins or the gas budget don't reach, the ledger refuses, or the
    /// outcome can't be learnt.
    pub fn execute<'a>(
        &'a self,
        key: &'a SigningKey,
        calls: Vec<Call>,
    ) -> BoxFuture<'a, Result<Executed, ExecuteError>> {
        Box::pin(async move { self.execute_and_give(key, calls, &[]).await })
    }

    /// As [`Self::execute`], and gives objects of the key's address to others in the same
    /// transaction, after the calls.
    ///
    /// # Errors
    /// If the package aborts, the wallet's coins or the gas budget don't reach, the ledger refuses, or the
    /// outcome can't be learnt.
    pub fn execute_and_give<'a>(
        &'a self,
        key: &'a SigningKey,
        calls: Vec<Call>,
        gifts: &'a [(ObjectId, Address)],
    ) -> BoxFuture<'a, Result<Executed, ExecuteError>> {
        Box::pin(async move {
            if calls.is_empty() && gifts.is_empty() {
                return Err(BuildError::NothingToDo.into());
            }
            let work = Work::Calls {
                deployment: &self.deployment,
                calls: &calls,
                gifts,
            };
            self.run(key, &work).await
        })
    }

    /// A transaction that was executed, by its digest.
    ///
    /// # Errors
    /// If it failed, there is no such transaction, or nobody answers.
    pub fn transaction(&self, digest: Digest) -> BoxFuture<'_, Result<Executed, ExecuteError>> {
        Box::pin(async move {
            match self.look_up(digest).await {
                Ok(Some(executed)) => outcome(Some(&self.deployment), digest, &executed),
                Ok(None) => Err(ReadError::NotFound {
                    what: "transaction",
                    id: digest.to_string(),
                }
                .into()),
                Err(status) => Err(self.refused(&status).into()),
            }
        })
    }
}
