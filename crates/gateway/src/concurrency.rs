//! How many requests run at once: in all, and for one key.

use crate::{budget::Account, metrics::Metrics};
use atoma_types::refusal::{Refusal, RefusalCode};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What belongs to an API key: the account that its requests are paid from, and its own limit.
#[derive(Debug)]
pub(crate) struct User {
    account: Arc<Account>,
    limit: Option<Arc<Semaphore>>,
}

/// Limits the requests under way.
#[derive(Debug)]
pub(crate) struct ConcurrencyLimit {
    all: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// Counts a request as under way until it is dropped.
#[derive(Debug)]
pub(crate) struct ConcurrencyPermit {
    metrics: Arc<Metrics>,
    _all: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl User {
    /// At most `most` requests of this user run at once; as many as the gateway takes if absent.
    pub(crate) fn new(account: Arc<Account>, most: Option<usize>) -> Self {
        Self {
            account,
            limit: most.map(|most| Arc::new(Semaphore::new(most))),
        }
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl ConcurrencyLimit {
    pub(crate) fn new(most: usize, metrics: Arc<Metrics>) -> Self {
        Self {
            all: Arc::new(Semaphore::new(most)),
            metrics,
        }
    }

    /// Lets a request of this user in, or refuses it with 429. Nobody waits: an SDK tries again.
    pub(crate) fn admit(&self, user: &User) -> Result<ConcurrencyPermit, Refusal> {
        let refused = |message: &str| Refusal::new(RefusalCode::Overloaded, message);
        let own = match &user.limit {
            None => None,
            Some(limit) => Some(
                Arc::clone(limit)
                    .try_acquire_owned()
                    .map_err(|_| refused("this key has as many requests under way as it may"))?,
            ),
        };
        let all = Arc::clone(&self.all).try_acquire_owned();
        let all = all.map_err(|_| refused("the gateway is at its limit: try again in a moment"))?;
        self.metrics.in_flight.inc();
        Ok(ConcurrencyPermit {
            metrics: Arc::clone(&self.metrics),
            _all: all,
            _own: own,
        })
    }
}

impl Drop for ConcurrencyPermit {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}
