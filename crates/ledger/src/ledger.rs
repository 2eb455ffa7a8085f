//! A ledger: a connection with the deployment that is meant on it.

use crate::{
    ConnectError, Connection, ConnectionConfig, GasOptions, WrongNetwork,
    connection::{Inner, network_of},
};
use atoma_runtime::Runtime;
use atoma_types::{NetworkId, chain::Deployment};
use futures::future::BoxFuture;
use std::{fmt, ops::Deref, sync::Arc};

/// How to reach a ledger, and where the package stands on it.
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

/// A ledger on which the package stands. Clones share the connection and everything it remembers.
///
/// It can do all that a [`Connection`] can, by dereferencing: most programs have a ledger and never need to know
/// which questions would do without the package.
#[derive(Clone)]
pub struct Ledger {
    connection: Connection,
    pub(crate) deployment: Arc<Deployment>,
}

impl Ledger {
    /// Connects to a ledger whose deployment is localnet's.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn connect(url: impl Into<String>) -> BoxFuture<'static, Result<Self, ConnectError>> {
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
    ) -> BoxFuture<'static, Result<Self, ConnectError>> {
        Self::open(LedgerConfig {
            url: url.into(),
            deployment: Some(deployment),
            faucet: None,
            runtime: Runtime::default(),
        })
    }

    /// Connects as configured, and checks that the ledger is the one meant.
    ///
    /// # Errors
    /// If nobody answers, the ledger is another one, or the package isn't found on it.
    pub fn open(config: LedgerConfig) -> BoxFuture<'static, Result<Self, ConnectError>> {
        Box::pin(async move {
            let LedgerConfig {
                url,
                deployment,
                faucet,
                runtime,
            } = config;
            let inner = Inner::new(ConnectionConfig {
                url,
                faucet,
                runtime,
            })?;
            let network = network_of(&inner.service_info().await?)?;
            let deployment = match deployment {
                Some(deployment) => {
                    check_network(network, &deployment)?;
                    deployment
                }
                None => inner.find_localnets(network).await?,
            };
            let connection = Connection::over(inner, deployment.surroundings());
            Ok(Self::bound(connection, deployment))
        })
    }

    /// The deployment is for the connection's network. Money and Walrus are those that it was made with, whatever
    /// the connection takes for them.
    fn bound(connection: Connection, deployment: Deployment) -> Self {
        Self {
            connection: Connection {
                surroundings: Arc::new(deployment.surroundings()),
                ..connection
            },
            deployment: Arc::new(deployment),
        }
    }

    /// The same ledger, paying otherwise.
    #[must_use]
    pub fn with_gas(&self, options: GasOptions) -> Self {
        Self {
            connection: self.connection.with_gas(options),
            deployment: Arc::clone(&self.deployment),
        }
    }

    /// Where the package stands.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The ledger without the package.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Connection {
    /// The ledger on which the package stands as given.
    ///
    /// # Errors
    /// If the deployment is for another network.
    pub fn bind(&self, deployment: Deployment) -> Result<Ledger, WrongNetwork> {
        check_network(self.network(), &deployment)?;
        Ok(Ledger::bound(self.clone(), deployment))
    }
}

impl Deref for Ledger {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("url", &self.url())
            .field("deployment", &self.deployment)
            .finish_non_exhaustive()
    }
}

/// A deployment is for one network.
fn check_network(found: NetworkId, deployment: &Deployment) -> Result<(), WrongNetwork> {
    if deployment.network == found {
        return Ok(());
    }
    Err(WrongNetwork {
        found,
        expected: deployment.network,
    })
}
