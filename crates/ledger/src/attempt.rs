//! Attempts at one piece of work: what comes of each, and how many there may be.

use crate::{BuildError, ExecuteError, coin::Coin};
use atoma_runtime::{Backoff, WithCauses};
use atoma_types::Address;
use std::time::Duration;
use sui_rpc::proto::sui::rpc::v2::ExecutedTransaction;
use sui_sdk_types::Digest;

/// Transactions built for one piece of work, where another process moved this wallet's coins, or the ledger gave up for
/// congestion.
const MAX_BUILDS: u32 = 5;
/// Merges before a payment at most, of a thousand coins each.
const MAX_MERGES: u32 = 64;
/// Pauses between two tries: the first, and the longest.
pub(crate) const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(3));

/// What came of one attempt.
#[derive(Debug)]
pub(crate) enum Attempt {
    Done(Box<ExecutedTransaction>, Digest),
    /// The inputs had changed: build it again.
    Stale(ExecuteError),
    /// Refused although nothing is known to have changed. It takes from an address balance, of which a full node may
    /// have told an old word: build it again.
    Doubtful(ExecuteError),
    /// The ledger was too busy with an object: build it again, and offer more.
    Congested(ExecuteError),
    /// Nothing was submitted: these coins must be merged first.
    Scattered(Vec<Coin>),
}

/// The attempts at one piece of work so far.
#[derive(Debug)]
pub(crate) struct Tries {
    made: u32,
    merged: u32,
    /// How often the ledger gave up for congestion.
    pub(crate) congested: u64,
    in_doubt: bool,
    backoff: Backoff,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self {
            made: 0,
            merged: 0,
            congested: 0,
            in_doubt: false,
            backoff: BACKOFF,
        }
    }

    /// One more merge before a payment.
    pub(crate) fn merge(&mut self) -> Result<(), ExecuteError> {
        if self.merged == MAX_MERGES {
            let merges = MAX_MERGES;
            return Err(BuildError::Scattered { merges }.into());
        }
        self.merged += 1;
        Ok(())
    }

    /// After an attempt that did nothing: how long to wait before the next one, or that there is none.
    pub(crate) fn again(
        &mut self,
        failed: Attempt,
        sender: Address,
    ) -> Result<Duration, ExecuteError> {
        let reason = match failed {
            Attempt::Congested(reason) => {
                self.congested += 1;
                reason
            }
            Attempt::Doubtful(reason) => {
                self.in_doubt = true;
                reason
            }
            Attempt::Stale(reason) => reason,
            Attempt::Done(..) | Attempt::Scattered(_) => {
                unreachable!("what is done is not tried again, and a merge needs no merge")
            }
        };
        self.made += 1;
        if self.made < MAX_BUILDS {
            tracing::debug!(%sender, reason = %WithCauses(&reason), "building the transaction again");
            return Ok(self.backoff.failed());
        }
        Err(if self.congested > 0 || self.in_doubt {
            reason
        } else {
            ExecuteError::CoinsInUse {
                owner: sender,
                attempts: MAX_BUILDS,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> ExecuteError {
        ExecuteError::Rejected(tonic::Status::unavailable("busy").into())
    }

    #[test]
    fn work_is_built_five_times_and_the_last_reason_told() {
        let mut tries = Tries::new();
        let again: Vec<_> = (0..MAX_BUILDS)
            .map(|_| tries.again(Attempt::Congested(busy()), Address::ZERO))
            .collect();
        let pauses = again[..4].iter().map(|pause| *pause.as_ref().unwrap());
        let pauses: Vec<_> = pauses.map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400]);
        assert!(matches!(&again[4], Err(ExecuteError::Rejected(why)) if why.to_string() == "busy"));
        assert_eq!(tries.congested, u64::from(MAX_BUILDS));

        let mut tries = Tries::new();
        let last = (0..MAX_BUILDS).map(|_| tries.again(Attempt::Stale(busy()), Address::ZERO));
        let last = last.last().unwrap().unwrap_err().to_string();
        assert!(last.contains("another program"), "{last}");
    }
}
