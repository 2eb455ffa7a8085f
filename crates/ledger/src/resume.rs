//! Finishing what an earlier run of the program left on its way.

use crate::{
    Connection, ExecuteError,
    in_flight::InFlight,
    wallet::{Parties, Pending},
};
use futures::future::BoxFuture;
use std::{io, path::Path, sync::Arc};
use sui_sdk_types::Digest;

/// What programs call the folder of their transactions on their way, in the folder of their data.
pub const IN_FLIGHT: &str = "in-flight";

/// What became of a transaction that an earlier run of the program left on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// It was executed, then or now.
    Executed(Digest),
    /// It was not executed, and never will be: its coins are used otherwise, or its last epoch is over.
    GivenUp(Digest),
}

/// What a program does about an earlier transaction that has been executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterResume {
    /// Goes on: it reads the ledger anew before it decides what to do.
    GoOn,
    /// Refuses the wallet's next work once, by [`ExecuteError::Resumed`]: whoever gave it may mean the very thing
    /// that has been done.
    StopOnce,
}

impl Connection {
    /// Keeps every transaction on disk in this folder, from before it is sent until its outcome is known, and
    /// finishes those that a run of a program left there that lives no more. A connection has one such folder;
    /// programs may share it.
    ///
    /// # Errors
    /// If the folder can't be read, or the outcome of an earlier transaction can't be learnt now: then nothing
    /// should be submitted, and this be called again later.
    pub fn keep_in_flight<'a>(
        &'a self,
        folder: &'a Path,
        after: AfterResume,
    ) -> BoxFuture<'a, Result<Vec<Resumed>, ExecuteError>> {
        Box::pin(async move {
            if self.inner.in_flight.lock().is_some() {
                return Ok(Vec::new());
            }
            let folder = folder.join(self.network().to_string());
            let opened = {
                let folder = folder.clone();
                let open = move || {
                    let kept = InFlight::new(folder);
                    let left = kept.take_over()?;
                    Ok((Arc::new(kept), left))
                };
                self.inner.runtime.threads.blocking(open).await
            };
            let opened: io::Result<_> = opened.map_err(io::Error::other).flatten();
            let unusable = |source| ExecuteError::InFlight {
                path: folder.clone(),
                source,
            };
            let (kept, left) = opened.map_err(unusable)?;
            *self.inner.in_flight.lock() = Some(kept);
            let mut resumed = Vec::with_capacity(left.len());
            for (digest, signed) in left {
                let parties = Parties {
                    sender: signed.transaction.sender,
                    gas_owner: signed.transaction.gas_payment.owner,
                };
                let mut wallets = self.wallets(parties).await;
                wallets.begin(&Pending {
                    digest,
                    signed: Arc::new(signed),
                    resumed: true,
                });
                let became = match self.settle_pending(&mut wallets).await {
                    Ok(_) => Resumed::Executed(digest),
                    Err(ExecuteError::Rejected(status)) => {
                        tracing::warn!(%digest, %status, "an earlier transaction will never be executed");
                        Resumed::GivenUp(digest)
                    }
                    Err(error) => {
                        // it keeps nothing, so that another call takes over what is left
                        *self.inner.in_flight.lock() = None;
                        return Err(error);
                    }
                };
                if became == Resumed::Executed(digest) {
                    tracing::warn!(%digest, "an earlier transaction is executed");
                    if after == AfterResume::StopOnce {
                        wallets.sender().resumed = Some(digest);
                    }
                }
                resumed.push(became);
            }
            Ok(resumed)
        })
    }

    /// Puts a transaction on disk before it is sent, where that is wanted.
    pub(crate) async fn keep(&self, pending: &Pending) -> Result<(), ExecuteError> {
        let Some(kept) = self.inner.in_flight.lock().clone() else {
            return Ok(());
        };
        let path = kept.folder().to_owned();
        let (digest, signed) = (pending.digest, Arc::clone(&pending.signed));
        let keep = move || kept.keep(digest, &signed);
        let done = self.inner.runtime.threads.blocking(keep).await;
        let done = done.map_err(io::Error::other).flatten();
        done.map_err(|source| ExecuteError::InFlight { path, source })
    }

    /// Takes a transaction off the disk: its outcome is known.
    pub(crate) async fn forget(&self, digest: Digest) {
        let Some(kept) = self.inner.in_flight.lock().clone() else {
            return;
        };
        let forget = move || kept.forget(digest);
        let done = self.inner.runtime.threads.blocking(forget).await;
        if let Err(error) = done.map_err(io::Error::other).flatten() {
            // the next run looks for it once more, and finds it
            tracing::warn!(%digest, %error, "cannot remove a finished transaction's file");
        }
    }
}
