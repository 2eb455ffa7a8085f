//! Connecting: where the ledger is, which network it is, and where our package stands on it.

use crate::{
    GasOptions, LedgerError, localnet,
    status::{failure, unreachable},
    transport,
    wallet::Wallet,
};
use atoma_runtime::Runtime;
use atoma_types::{
    Address, NetworkId, ObjectId,
    chain::{Deployment, WalrusDeployment},
};
use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use std::{collections::HashMap, fmt, sync::Arc};
use sui_rpc::{Client, proto::sui::rpc::v2 as proto};
use sui_sdk_types::{Digest, TypeTag};
use tokio::time::Instant;
use tonic::Status;

/// How to reach a ledger.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// The gRPC endpoint, `http(s)://host:port`.
    pub url: String,
    /// Where the package stands; looked up at localnet's own place if absent.
    pub deployment: Option<Deployment>,
    /// Where test money comes from; the endpoint itself if absent.
    pub faucet: Option<String>,
    /// What it runs on, and with it those who are given the ledger: the machine, but for simulations.
    pub runtime: Runtime,
}

/// A connection to a ledger. Clones share it and everything it remembers.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) inner: Arc<Inner>,
    pub(crate) gas: Arc<GasOptions>,
}

pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) faucet: String,
    pub(crate) deployment: Deployment,
    /// Initial versions of shared objects, which never change.
    pub(crate) shared: RwLock<HashMap<ObjectId, u64>>,
    /// One lock per wallet: two transactions at once would spend the same coin.
    pub(crate) wallets: Mutex<HashMap<Address, Arc<tokio::sync::Mutex<Wallet>>>>,
    pub(crate) gas_price: Mutex<Option<(Instant, u64)>>,
    pub(crate) runtime: Runtime,
}

impl Ledger {
    /// Connects to a ledger whose deployment is localnet's.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn connect(url: impl Into<String>) -> BoxFuture<'static, Result<Self, LedgerError>> {
        Self::open(LedgerConfig {
            url: url.into(),
            deployment: None,
            faucet: None,
            runtime: Runtime::default(),
        })
    }

    /// Connects to a ledger where the package stands as given.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn connect_with(
        url: impl Into<String>,
        deployment: Deployment,
    ) -> BoxFuture<'static, Result<Self, LedgerError>> {
        Self::open(LedgerConfig {
            url: url.into(),
            deployment: Some(deployment),
            faucet: None,
            runtime: Runtime::default(),
        })
    }

    /// Connects to a ledger where the package need not stand yet: to look at it, or to publish. `usdc` is
    /// the money there; calls of the package fail.
    pub async fn unbound(
        url: impl Into<String>,
        faucet: Option<String>,
        usdc: TypeTag,
    ) -> Result<Self, LedgerError> {
        let runtime = Runtime::default();
        let (client, url) = connect(&url.into(), &runtime)?;
        let nowhere = ObjectId::ZERO;
        let deployment = Deployment {
            network: network(&client, &url).await?,
            package: nowhere,
            original_package: nowhere,
            db: nowhere,
            usdc,
            walrus: WalrusDeployment {
                package: nowhere,
                original_package: nowhere,
                system: nowhere,
            },
        };
        Ok(Self::over(client, url, deployment, faucet, runtime))
    }

    /// Connects to a localnet on which the package need not stand yet: where it will stand, money and Walrus are
    /// the same on each. `None` if the ledger says that it is something else.
    pub async fn unpublished_localnet(
        url: impl Into<String>,
        faucet: Option<String>,
    ) -> Result<Option<Self>, LedgerError> {
        let runtime = Runtime::default();
        let (client, url) = connect(&url.into(), &runtime)?;
        let info = service_info(&client, &url).await?;
        if !localnet::is_one(info.chain()) {
            return Ok(None);
        }
        let deployment = Deployment::localnet(network_of(&info)?);
        Ok(Some(Self::over(client, url, deployment, faucet, runtime)))
    }

    /// The same connection with the package elsewhere, on the same network.
    #[must_use]
    pub fn with_deployment(&self, deployment: Deployment) -> Self {
        let Inner {
            client,
            url,
            faucet,
            runtime,
            ..
        } = &*self.inner;
        let faucet = Some(faucet.clone());
        let (client, url) = (client.clone(), url.clone());
        let bound = Self::over(client, url, deployment, faucet, runtime.clone());
        Self {
            gas: Arc::clone(&self.gas),
            ..bound
        }
    }

    /// The same connection, paying otherwise.
    #[must_use]
    pub fn with_gas(&self, options: GasOptions) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            gas: Arc::new(options),
        }
    }

    fn over(
        client: Client,
        url: String,
        deployment: Deployment,
        faucet: Option<String>,
        runtime: Runtime,
    ) -> Self {
        let inner = Inner {
            client,
            faucet: faucet.unwrap_or_else(|| url.clone()),
            url,
            deployment,
            shared: RwLock::default(),
            wallets: Mutex::default(),
            gas_price: Mutex::default(),
            runtime,
        };
        Self {
            inner: Arc::new(inner),
            gas: Arc::default(),
        }
    }

    /// Connects as configured, and checks that the ledger is the one meant.
    ///
    /// # Errors
    /// If nobody answers, the ledger is another one, or the package isn't found on it.
    pub fn open(config: LedgerConfig) -> BoxFuture<'static, Result<Self, LedgerError>> {
        Box::pin(async move {
            let (client, url) = connect(&config.url, &config.runtime)?;
            let network = network(&client, &url).await?;
            let deployment = match config.deployment {
                Some(deployment) if deployment.network == network => deployment,
                Some(deployment) => {
                    return Err(LedgerError::WrongNetwork {
                        found: network.to_string(),
                        expected: deployment.network.to_string(),
                    });
                }
                None => localnet::find(&client, &url, network).await?,
            };
            Ok(Self::over(
                client,
                url,
                deployment,
                config.faucet,
                config.runtime,
            ))
        })
    }

    /// Where the package stands.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.inner.deployment
    }

    /// Which ledger it is.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.inner.deployment.network
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
    pub(crate) fn refused(&self, status: &Status) -> LedgerError {
        failure(&self.inner.url, status)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("url", &self.inner.url)
            .field("deployment", &self.inner.deployment)
            .finish_non_exhaustive()
    }
}

fn connect(url: &str, runtime: &Runtime) -> Result<(Client, String), LedgerError> {
    let url = url.trim_end_matches('/').to_owned();
    let client = transport::client(&url, &runtime.net)?;
    Ok((client, url))
}

async fn service_info(
    client: &Client,
    url: &str,
) -> Result<proto::GetServiceInfoResponse, LedgerError> {
    let mut client = client.clone();
    let answer = client
        .ledger_client()
        .get_service_info(proto::GetServiceInfoRequest::default())
        .await;
    let info = answer.map_err(|status| unreachable(url, &status))?;
    Ok(info.into_inner())
}

async fn network(client: &Client, url: &str) -> Result<NetworkId, LedgerError> {
    network_of(&service_info(client, url).await?)
}

fn network_of(info: &proto::GetServiceInfoResponse) -> Result<NetworkId, LedgerError> {
    let digest: Digest = info
        .chain_id()
        .parse()
        .map_err(|e| LedgerError::Malformed(format!("chain id `{}`: {e}", info.chain_id())))?;
    Ok(NetworkId(digest.into_inner()))
}
