//! Starting and stopping.

use crate::{
    accounts::Accounts,
    budget::{BudgetError, Standing},
    concurrency::{ConcurrencyLimit, User},
    config::{ConfigError, GatewayConfig},
    keys::{KeyHash, KeyRing},
    market::Market,
    metrics::Metrics,
    pool::PoolContext,
    serve::{self, Completions, Health, Models},
    servers::{ListenError, Ports},
    watch,
};
use atoma_client::{
    Client, ClientConfig, ClientError, Through,
    watch::{AnswerCheck, WatchPlan, Watched},
};
use atoma_http::server::{BodyRoom, Server};
use atoma_keys::SigningKey;
use atoma_ledger::{
    AfterResume, ConnectError, ExecuteError, IN_FLIGHT, Ledger, LedgerConfig, ReadError,
};
use atoma_store::OpenError;
use axum::Router;
use futures::future::{BoxFuture, join_all};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// Bytes that the bodies of all requests under way may have beyond the first 64 KiB of each: 64 of the longest.
/// With what is free, 1,024 requests at once have 320 MiB of bodies at most.
const LONG_BODIES_BYTES: usize = 256 << 20;

/// The gateway can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration asks for what can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two accounts have the same key.
    #[error("configuration: two API keys have the hash {0}")]
    SameKey(KeyHash),
    /// The folder for the gateway's data can't be made.
    #[error(transparent)]
    DataDir(#[from] OpenError),
    /// The store of what was spent can't be used.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The wallet's stacks and receipts can't be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// There is no ledger to work with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// What an earlier run left on its way can't be finished.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A port can't be taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// A gateway before it runs.
#[derive(Debug)]
pub struct Gateway;

/// A gateway that runs until it is shut down.
#[derive(Debug)]
pub struct RunningGateway {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    close_stacks_on_stop: bool,
    drain_grace: Duration,
    accounts: Accounts,
    market: Arc<Market>,
    stop: CancellationToken,
    servers: Vec<Server>,
    follower: JoinHandle<()>,
    watcher: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Starts a gateway whose wallet is `key`: it pays for stacks and signs requests.
    ///
    /// # Errors
    ///
    /// If the configuration can't be, data folder or ports can't be used, or the ledger can't be
    /// read: see [`StartError`].
    pub fn start(
        config: GatewayConfig,
        key: Arc<SigningKey>,
    ) -> BoxFuture<'static, Result<RunningGateway, StartError>> {
        Self::start_checking(config, key, None)
    }

    /// The same where somebody looks at answers, beside the gateway itself, which knows their bytes alone. It counts
    /// where settlements are watched.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_checking(
        config: GatewayConfig,
        key: Arc<SigningKey>,
        check: Option<Arc<dyn AnswerCheck>>,
    ) -> BoxFuture<'static, Result<RunningGateway, StartError>> {
        Box::pin(start(config, key, check))
    }
}

async fn start(
    config: GatewayConfig,
    key: Arc<SigningKey>,
    check: Option<Arc<dyn AnswerCheck>>,
) -> Result<RunningGateway, StartError> {
    config.check()?;
    let config = Arc::new(config);
    // a port that is taken is said before anything slow is done
    let ports = Ports::bind(&config).await?;
    make_data_dir(&config)?;
    let accounts = Accounts::open(&config)?;
    let keys = accounts.key_ring(&config).map_err(StartError::SameKey)?;
    let metrics = Arc::new(Metrics::new());
    let (client, ledger) = connect(&config, key).await?;
    let watched = config.watch_settlements.then(|| client.clone());
    let plan = WatchPlan {
        max_bonds: config.max_bonds,
        check,
        ..Watched::Remembered.into()
    };
    let market = Arc::new(Market::new(PoolContext {
        client,
        account: Arc::clone(accounts.stacks()),
        budgets: Arc::clone(accounts.budgets()),
        metrics: Arc::clone(&metrics),
        purchases: config.purchases.clone(),
        exclusive: config.client_dir.is_none(),
        reach: config.reach(),
        started: Instant::now(),
    }));
    // first the events, then the state: nothing falls between
    let events = ledger.subscribe().await?;
    market.refresh(&ledger, &config).await?;
    let (address, admin_address) = (ports.public(), ports.admin());

    let stop = CancellationToken::new();
    let routes = routes(&config, keys, &market, &metrics, &stop)?;
    let connections = Arc::clone(&metrics.connections);
    let watcher = watched.map(|client| {
        let watching = watch::follow(client, plan, Arc::clone(&metrics), stop.clone());
        tokio::spawn(watching)
    });
    let admin_routes = serve::admin_routes(metrics, &config.runtime);
    let close_stacks_on_stop = config.close_stacks_on_stop;
    let drain_grace = config.limits.drain_grace();
    let servers = ports.serve(&config.limits, routes, admin_routes, connections)?;
    let follow = Arc::clone(&market).follow(ledger, config, events, stop.clone());
    tracing::info!(%address, "the gateway listens");
    Ok(RunningGateway {
        address,
        admin_address,
        close_stacks_on_stop,
        drain_grace,
        accounts,
        market,
        stop,
        servers,
        follower: tokio::spawn(follow),
        watcher,
    })
}

fn make_data_dir(config: &GatewayConfig) -> Result<(), StartError> {
    Ok(atoma_store::create_folder(&config.data_dir)?)
}

/// The wallet's client, over its own connection to the ledger.
async fn connect(
    config: &GatewayConfig,
    key: Arc<SigningKey>,
) -> Result<(Client, Ledger), StartError> {
    let ledger = Ledger::open(LedgerConfig {
        url: config.ledger.clone(),
        deployment: config.deployment.clone(),
        faucet: None,
        runtime: config.runtime.clone(),
    })
    .await?;
    // before anything is bought by what the ledger says
    let folder = config.data_dir.join(IN_FLIGHT);
    ledger.keep_in_flight(&folder, AfterResume::GoOn).await?;
    let client_config = ClientConfig {
        data_dir: Some(match &config.client_dir {
            Some(folder) => folder.clone(),
            None => config.data_dir.join("client"),
        }),
        reach: config.reach(),
        confidential: config.confidential.clone(),
        ..ClientConfig::default()
    };
    let client = Client::with_ledger(ledger.clone(), key, client_config)?;
    Ok((client, ledger))
}

/// The public routes, each with what it needs.
fn routes(
    config: &GatewayConfig,
    keys: KeyRing<User>,
    market: &Arc<Market>,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) -> Result<Router, StartError> {
    let keys = Arc::new(keys);
    let through = config.through.as_ref();
    let through = through.map(|(url, key)| Through::new(market.client(), url, key.clone()));
    let requests = config.requests.clone();
    let completions = Completions {
        keys: Arc::clone(&keys),
        limit: ConcurrencyLimit::new(requests.max_concurrent, Arc::clone(metrics)),
        market: Arc::clone(market),
        metrics: Arc::clone(metrics),
        limits: config.limits.clone(),
        room: BodyRoom::new(LONG_BODIES_BYTES),
        requests,
        own_use: config.own_use,
        through: through.transpose()?,
        no_forward: config.no_forward,
    };
    let models = Models {
        keys,
        market: Arc::clone(market),
    };
    let health = Health {
        market: Arc::clone(market),
        stop: stop.clone(),
    };
    Ok(serve::routes(completions, models, health, &config.runtime))
}

impl RunningGateway {
    /// Where users connect; OpenAI's base URL is this and `/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the operator reads metrics, if the configuration names a port for it.
    #[must_use]
    pub fn admin_url(&self) -> Option<String> {
        self.admin_address
            .map(|address| format!("http://{address}"))
    }

    /// How the keys' accounts stand, in the configuration's order.
    #[must_use]
    pub fn accounts(&self) -> Vec<Standing> {
        self.accounts.of_keys()
    }

    /// What is put into stacks, of what may be.
    #[must_use]
    pub fn stacks_account(&self) -> Standing {
        self.accounts.stacks().standing()
    }

    /// Lets requests under way end, closes the stacks if the configuration says so, and stores
    /// what was spent.
    pub fn shutdown(self) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.stop.cancel();
            let grace = self.drain_grace;
            join_all(self.servers.into_iter().map(|server| server.close(grace))).await;
            let _ = self.follower.await;
            if let Some(watcher) = self.watcher {
                let _ = watcher.await;
            }
            for pool in self.market.pools() {
                pool.stop(self.close_stacks_on_stop).await;
            }
            self.market.flush().await;
            self.accounts.budgets().flush().await;
        })
    }
}
