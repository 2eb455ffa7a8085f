//! A connection: where a ledger is, which network it is, and what the package finds there. It needs no
//! package: whoever publishes one has a connection and nothing else.

use crate::{
    GasOptions, ReadError,
    epoch::Terms,
    in_flight::InFlight,
    malformed::parse,
    status::{failure, unreachable},
    transport,
    wallet::Wallet,
};
use atoma_runtime::Runtime;
use atoma_types::{Address, NetworkId, ObjectId, chain::Surroundings};
use parking_lot::{Mutex, RwLock};
use std::{collections::HashMap, fmt, sync::Arc};
use sui_rpc::{Client, proto::sui::rpc::v2 as proto};
use sui_sdk_types::Digest;
use tokio::time::Instant;
use tonic::Status;

/// How to reach a ledger.
#[derive(Clone, Debug)]
pub struct ConnectionConfig {
    /// The gRPC endpoint, `http(s)://host:port`.
    pub url: String,
    /// Where test money comes from; the endpoint itself if absent.
    pub faucet: Option<String>,
    /// What it runs on, and with it those who are given the connection: the machine, but for simulations.
    pub runtime: Runtime,
}

/// A ledger that one can ask and pay on, whether or not the package stands there. Clones share it and
/// everything it remembers.
#[derive(Clone)]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) gas: Arc<GasOptions>,
}

pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) faucet: String,
    /// Initial versions of shared objects, which never change.
    pub(crate) shared: RwLock<HashMap<ObjectId, u64>>,
    /// One lock per wallet: two transactions at once would spend the same coin.
    pub(crate) wallets: Mutex<HashMap<Address, Arc<tokio::sync::Mutex<Wallet>>>>,
    pub(crate) terms: Mutex<Option<(Instant, Terms)>>,
    pub(crate) runtime: Runtime,
    /// Where transactions are kept while their outcome isn't known.
    pub(crate) in_flight: Mutex<Option<Arc<InFlight>>>,
}

impl Connection {
    pub(crate) fn over(inner: Inner, surroundings: Surroundings) -> Self {
        Self {
            inner: Arc::new(inner),
            surroundings: Arc::new(surroundings),
            gas: Arc::default(),
        }
    }

    /// The same connection, paying otherwise.
    #[must_use]
    pub fn with_gas(&self, options: GasOptions) -> Self {
        Self {
            gas: Arc::new(options),
            ..self.clone()
        }
    }

    /// What the package finds here.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Which ledger it is.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.surroundings.network
    }

    /// The URL of the ledger that this is connected to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// What it runs on: who uses a ledger runs on the same.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    /// Sui's own client, for what this one doesn't cover.
    #[must_use]
    pub fn rpc(&self) -> Client {
        self.inner.client.clone()
    }

    /// The meaning of a failed question.
    pub(crate) fn refused(&self, status: &Status) -> ReadError {
        self.inner.refused(status)
    }
}

impl Inner {
    /// Nothing is asked of the ledger yet.
    pub(crate) fn new(config: ConnectionConfig) -> Result<Self, ReadError> {
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(Self {
            client: transport::client(&url, &config.runtime.sockets)?,
            faucet: config.faucet.unwrap_or_else(|| url.clone()),
            url,
            shared: RwLock::default(),
            wallets: Mutex::default(),
            terms: Mutex::default(),
            runtime: config.runtime,
            in_flight: Mutex::default(),
        })
    }

    pub(crate) fn refused(&self, status: &Status) -> ReadError {
        failure(&self.url, status)
    }

    /// What the ledger answers first of all: where it doesn't, nobody is there.
    pub(crate) async fn service_info(&self) -> Result<proto::GetServiceInfoResponse, ReadError> {
        let mut client = self.client.clone();
        let answer = client
            .ledger_client()
            .get_service_info(proto::GetServiceInfoRequest::default())
            .await;
        let info = answer.map_err(|status| unreachable(&self.url, &status))?;
        Ok(info.into_inner())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("url", &self.inner.url)
            .field("surroundings", &self.surroundings)
            .finish_non_exhaustive()
    }
}

/// Which network a ledger says that it is.
pub(crate) fn network_of(info: &proto::GetServiceInfoResponse) -> Result<NetworkId, ReadError> {
    let digest: Digest = parse("chain id", info.chain_id())?;
    Ok(NetworkId(digest.into_inner()))
}
