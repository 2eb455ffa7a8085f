//! Starting and stopping.

use crate::{
    budget::{Account, Amount, Book, BookError, Standing},
    config::{ConfigError, GatewayConfig},
    keys::{KeyHash, KeyRing},
    listen,
    market::Market,
    metrics::Metrics,
    pool::PoolParts,
    serve,
};
use atoma_client::{Client, ClientConfig, ClientError};
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, LedgerConfig, LedgerError};
use atoma_types::refusal::{Refusal, RefusalCode};
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Under this name the book keeps what was put into stacks. Keys' names have a prefix.
const STACKS_ACCOUNT: &str = "stacks";
const KEY_PREFIX: &str = "key/";
/// The operator's port needs few connections.
const ADMIN_CONNECTIONS: usize = 64;

/// The gateway can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// What the file says can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two accounts have the same key.
    #[error("configuration: two API keys have the hash {0}")]
    SameKey(KeyHash),
    /// The folder for its data.
    #[error("cannot use the data folder: {0}")]
    DataDir(io::Error),
    /// What was spent.
    #[error(transparent)]
    Book(#[from] BookError),
    /// Wallet, stacks and receipts.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The port.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

/// Whoever holds a key.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) account: Arc<Account>,
    places: Option<Arc<Semaphore>>,
}

/// A request's place among those under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    _all: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.metrics.in_flight.dec();
    }
}

/// What every request sees.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<GatewayConfig>,
    pub(crate) keys: KeyRing<User>,
    pub(crate) market: Arc<Market>,
    pub(crate) metrics: Arc<Metrics>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Shared {
    /// A place for a request of this user, or 429.
    pub(crate) fn enter(self: &Arc<Self>, user: &User) -> Result<Place, Refusal> {
        let refused = |message: &str| Refusal::new(RefusalCode::Overloaded, message);
        let own = match &user.places {
            None => None,
            Some(places) => Some(
                Arc::clone(places)
                    .try_acquire_owned()
                    .map_err(|_| refused("this key has as many requests under way as it may"))?,
            ),
        };
        let all = Arc::clone(&self.places).try_acquire_owned();
        let all = all.map_err(|_| refused("the gateway is at its limit: try again in a moment"))?;
        self.metrics.in_flight.inc();
        Ok(Place {
            shared: Arc::clone(self),
            _all: all,
            _own: own,
        })
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.is_cancelled()
    }
}

/// A gateway before it runs.
#[derive(Debug)]
pub struct Gateway;

/// A gateway that runs until it is shut down.
#[derive(Debug)]
pub struct RunningGateway {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    shared: Arc<Shared>,
    book: Arc<Book>,
    stop: CancellationToken,
    servers: Vec<JoinHandle<()>>,
    follower: JoinHandle<()>,
}

impl Gateway {
    /// Starts a gateway whose wallet is `key`: it pays for stacks and signs requests.
    pub async fn start(
        config: GatewayConfig,
        key: Arc<SigningKey>,
    ) -> Result<RunningGateway, StartError> {
        config.check()?;
        let config = Arc::new(config);
        std::fs::create_dir_all(&config.data_dir).map_err(StartError::DataDir)?;
        let book = Arc::new(open_book(&config)?);
        let (stacks, users) = book.accounts().split_at(1);
        let keys = key_ring(&config, users)?;

        let ledger = LedgerConfig {
            url: config.ledger.clone(),
            deployment: config.deployment.clone(),
            faucet: None,
        };
        let ledger = Ledger::open(ledger).await.map_err(ClientError::from)?;
        let client = Client::with_ledger(
            ledger.clone(),
            key,
            ClientConfig {
                data_dir: Some(config.data_dir.join("client")),
                ..ClientConfig::default()
            },
        )?;
        let metrics = Arc::new(Metrics::new());
        let market = Arc::new(Market::new(PoolParts {
            client,
            account: Arc::clone(&stacks[0]),
            book: Arc::clone(&book),
            metrics: Arc::clone(&metrics),
            started: Instant::now(),
        }));
        // first the events, then the state: nothing falls between
        let events = ledger.subscribe().await?;
        market.refresh(&ledger, &config).await?;

        let listener = bind(config.listen).await?;
        let admin_listener = match config.admin_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            keys,
            market: Arc::clone(&market),
            metrics,
            places: Arc::new(Semaphore::new(config.limits.max_concurrent)),
            stop: stop.clone(),
            config: Arc::clone(&config),
        });
        let follower = market.follow(ledger, Arc::clone(&config), events, stop.clone());
        let follower = tokio::spawn(follower);

        let limits = &config.limits;
        let drain = Duration::from(limits.drain_timeout);
        let address = listener.address;
        let routes = serve::routes(Arc::clone(&shared));
        let server = listen::serve(
            listener.socket,
            routes,
            limits.max_connections,
            stop.clone(),
            drain,
        );
        let mut servers = vec![tokio::spawn(server)];
        let admin_address = admin_listener.as_ref().map(|listener| listener.address);
        if let Some(listener) = admin_listener {
            let routes = serve::admin_routes(Arc::clone(&shared));
            let server = listen::serve(
                listener.socket,
                routes,
                ADMIN_CONNECTIONS,
                stop.clone(),
                drain,
            );
            servers.push(tokio::spawn(server));
        }
        tracing::info!(%address, "the gateway listens");
        Ok(RunningGateway {
            address,
            admin_address,
            shared,
            book,
            stop,
            servers,
            follower,
        })
    }
}

impl RunningGateway {
    /// Where users connect; OpenAI's base URL is this and `/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where metrics are.
    #[must_use]
    pub fn admin_url(&self) -> Option<String> {
        self.admin_address
            .map(|address| format!("http://{address}"))
    }

    /// How the keys' accounts stand, in the configuration's order.
    #[must_use]
    pub fn accounts(&self) -> Vec<Standing> {
        let standing = |account: &Arc<Account>| {
            let mut standing = account.standing();
            if let Some(name) = standing.name.strip_prefix(KEY_PREFIX) {
                standing.name = name.to_owned();
            }
            standing
        };
        self.book.accounts()[1..].iter().map(standing).collect()
    }

    /// What is put into stacks, of what may be.
    #[must_use]
    pub fn stacks_account(&self) -> Standing {
        self.book.accounts()[0].standing()
    }

    /// Lets requests under way end, closes the stacks if the configuration says so, and stores
    /// what was spent.
    pub async fn shutdown(self) {
        self.stop.cancel();
        for server in self.servers {
            // a server that panicked has nothing left to wait for
            let _ = server.await;
        }
        let _ = self.follower.await;
        for pool in self.shared.market.pools() {
            pool.stop(self.shared.config.close_stacks_on_stop).await;
        }
        self.book.flush().await;
    }
}

fn open_book(config: &GatewayConfig) -> Result<Book, BookError> {
    let keys = config.api_keys.iter().map(|key| {
        let name = format!("{KEY_PREFIX}{}", key.name);
        (name, Amount::from(key.budget))
    });
    let stacks = (STACKS_ACCOUNT.to_owned(), Amount::from(config.budget));
    let accounts: Vec<_> = [stacks].into_iter().chain(keys).collect();
    Book::open(&config.data_dir.join("budget.db"), &accounts)
}

fn key_ring(config: &GatewayConfig, users: &[Arc<Account>]) -> Result<KeyRing<User>, StartError> {
    let keys = config.api_keys.iter().zip(users).map(|(key, account)| {
        let user = User {
            account: Arc::clone(account),
            places: key
                .max_concurrent
                .map(|most| Arc::new(Semaphore::new(most))),
        };
        (key.hash, user)
    });
    KeyRing::new(keys).map_err(StartError::SameKey)
}

struct Bound {
    socket: TcpListener,
    address: SocketAddr,
}

async fn bind(address: SocketAddr) -> Result<Bound, StartError> {
    let failed = |source| StartError::Listen { address, source };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Bound { socket, address })
}
