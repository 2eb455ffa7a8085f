//! All of a local Walrus, running: storage nodes, their registry on a ledger, epochs by the clock,
//! publisher and aggregator on one port.

use crate::{LedgerRegistry, WalrusLocalnetError};
use atoma_http::server::Server;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::WithCauses;
use atoma_walrus::{
    http::{self, HttpOptions},
    store::{Maintenance, Store, StoreOptions},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// How often a store collects what has expired and repairs what is broken.
const MAINTENANCE: Duration = Duration::from_secs(60);
/// Pause after an epoch that could not be ended.
const RETRY: Duration = Duration::from_secs(1);
/// How long requests under way may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// How a local Walrus is to run: its folder, nodes and ledger.
#[derive(Debug)]
pub struct LocalWalrusConfig {
    /// The storage nodes. With `epoch_length` epochs end by the clock, else by
    /// [`LedgerRegistry::advance_epoch`].
    pub store: StoreOptions,
    /// Where blobs are registered.
    pub ledger: Ledger,
    /// Holds the ledger's `OperatorCap`, and pays gas.
    pub operator: SigningKey,
    /// Where publisher and aggregator listen.
    pub listen: SocketAddr,
    /// What the HTTP API takes at most.
    pub http: HttpOptions,
}

impl LocalWalrusConfig {
    /// Ten storage nodes in a folder, on any free port of loopback, on the ledger's runtime.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, ledger: Ledger, operator: SigningKey) -> Self {
        Self {
            store: StoreOptions {
                runtime: ledger.runtime().clone(),
                ..StoreOptions::new(folder)
            },
            ledger,
            operator,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            http: HttpOptions::default(),
        }
    }
}

/// A local Walrus that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct LocalWalrus {
    store: Store,
    registry: Arc<LedgerRegistry>,
    address: SocketAddr,
    shards: u16,
    server: Option<Server>,
    epochs: Option<JoinHandle<()>>,
    maintenance: Option<Maintenance>,
}

impl LocalWalrus {
    /// Starts it: when this returns, the ledger knows the storage nodes and the port answers.
    ///
    /// # Errors
    /// If the key isn't the operator's, or ledger, folder or port can't be used.
    pub async fn start(config: LocalWalrusConfig) -> Result<Self, WalrusLocalnetError> {
        let LocalWalrusConfig {
            store,
            ledger,
            operator,
            listen,
            http,
        } = config;
        let (epoch_length, shards) = (store.epoch_length, store.shards);
        let unusable = |source| WalrusLocalnetError::Listen {
            address: listen,
            source,
        };
        let listener = store
            .runtime
            .sockets
            .listen(listen)
            .await
            .map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let registry = LedgerRegistry::open(ledger, operator, &store.folder).await?;
        let registry = Arc::new(registry);
        let store = Store::open_with(store, registry.clone()).await?;
        registry.name_committee(store.committee()).await?;
        let server = http::serve(listener, store.clone(), http).map_err(unusable)?;
        let epochs = epoch_length.map(|length| tokio::spawn(keep_time(registry.clone(), length)));
        tracing::info!(%address, "a local Walrus runs");
        Ok(Self {
            maintenance: Some(store.maintain(MAINTENANCE)),
            store,
            registry,
            address,
            shards,
            server: Some(server),
            epochs,
        })
    }

    /// The URL of publisher and aggregator, which are one server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Shards of its blobs: ids depend on it.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.shards
    }

    /// The store with its storage nodes, for tests and repair.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The registry that keeps blobs as objects on the ledger.
    #[must_use]
    pub fn registry(&self) -> &LedgerRegistry {
        &self.registry
    }

    /// Stops it; requests under way may finish. The folder can be opened again afterwards.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.close(GRACE).await;
        }
        if let Some(maintenance) = self.maintenance.take() {
            maintenance.stop().await;
        }
    }
}

impl Drop for LocalWalrus {
    fn drop(&mut self) {
        if let Some(epochs) = &self.epochs {
            epochs.abort();
        }
    }
}

/// Ends each epoch when it has lasted so long by the ledger's clock. The first one lasts from now on.
async fn keep_time(registry: Arc<LedgerRegistry>, length: Duration) {
    let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut began = None;
    loop {
        match until_end(&registry, &mut began, length).await {
            Ok(0) => {
                if let Err(error) = registry.advance_epoch().await {
                    tracing::warn!(error = %WithCauses(&error), "the epoch can't be ended yet");
                    sleep(RETRY).await;
                }
            }
            Ok(left) => sleep(Duration::from_millis(left)).await,
            Err(error) => {
                tracing::warn!(error = %WithCauses(&error), "the ledger's epoch can't be read");
                sleep(RETRY).await;
            }
        }
    }
}

/// Milliseconds until the epoch is over.
async fn until_end(
    registry: &LedgerRegistry,
    began: &mut Option<u64>,
    length: u64,
) -> Result<u64, WalrusLocalnetError> {
    let ledger = registry.ledger();
    let now = ledger.clock().await?.0;
    let start = match ledger.walrus_system().await?.epoch_start_ms.0 {
        0 => *began.get_or_insert(now),
        start => start,
    };
    Ok(start.saturating_add(length).saturating_sub(now))
}
