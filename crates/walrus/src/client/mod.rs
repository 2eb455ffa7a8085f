//! A client of publishers and aggregators that trusts neither.
//!
//! The id of everything that is stored is computed here and compared with what the publisher says;
//! what is stored is read back through an aggregator; whatever is read is encoded again and must
//! give the id that was asked for. Blobs are stored permanently unless asked otherwise.
//!
//! A write that may have happened (a timeout, a broken connection, most failures of the server) is
//! looked up before it is sent again, so that nothing is paid for twice: a publisher that finds
//! the blob certified for long enough says so and stores nothing. Transient failures are tried
//! again after growing pauses; several aggregators are tried in turn.

mod bad_config;
mod config;
mod error;
mod http;
mod quilt;
mod read;
mod retry;
mod store;

pub use bad_config::BadConfig;
pub use config::{ClientConfig, SharedSecret, Timeouts, TokenSource};
pub use error::{ClientError, Lie};
pub use quilt::StoredQuilt;
pub use store::{StoreRequest, Stored};

use crate::coding::Params;
use futures::future::BoxFuture;
use std::sync::Arc;

/// An answer to come. Boxed, so that it is compiled here and not by everyone who waits for it.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, ClientError>>;

/// The client. Clones share connections.
#[derive(Clone, Debug)]
pub struct WalrusClient {
    config: Arc<ClientConfig>,
    params: Params,
    http: http::Http,
}

impl WalrusClient {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// If there's no aggregator, or the number of shards isn't one.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        if config.aggregators.is_empty() {
            return Err(BadConfig::NoAggregator.into());
        }
        Ok(Self {
            params: Params::new(usize::from(config.shards))?,
            http: http::Http::new()?,
            config: Arc::new(config),
        })
    }

    /// How many shards blobs are coded for: ids depend on it.
    #[must_use]
    pub fn params(&self) -> Params {
        self.params
    }
}
