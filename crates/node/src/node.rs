//! Starting a node and stopping it.

use crate::{
    admin,
    admission::Identity,
    concurrency::ConcurrencyLimit,
    config::{KeySource, MAX_CLOCK_SKEW_MS, NodeConfig},
    evidence::{self, Demands, EvidenceError, EvidenceLog, Packer},
    journal::{Change, Journal, JournalError, JournalThread, RestoredLease},
    lease::Lease,
    leases::Leases,
    ledger::{self, LedgerSide, RegisterError, Registration},
    metrics::Metrics,
    serve,
    shared::Shared,
    signer::{self, SignerError},
};
use atoma_engine::Engine;
use atoma_http::server::{Limits, Server, ZeroLimit};
use atoma_keys::{Keystore, KeystoreError, SecretKeyError, SigningKey};
use atoma_ledger::{Ledger, LedgerConfig, LedgerError};
use atoma_types::{DurationMs, NodeId, TimestampMs, message::MAX_REQUEST_LIFETIME};
use std::{
    fmt,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::AbortOnDropHandle;

/// Names in the journal's table of small texts.
const NODE: &str = "node";
const NETWORK: &str = "network";
/// The operator's port closes at once; nothing runs there for long.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// A model and the engine that serves it.
#[derive(Clone)]
pub struct ServedModel {
    /// The name, as tasks have it.
    pub model: String,
    /// The engine.
    pub engine: Arc<dyn Engine>,
}

/// A node can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Under the configured limits nothing could be served.
    #[error(transparent)]
    Limits(#[from] ZeroLimit),
    /// The data directory can't be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process uses the data directory: two would sign different receipts with one number.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// The wallet's key can't be read.
    #[error("cannot read the key in {path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SecretKeyError,
    },
    /// The keystore can't be read.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The keystore doesn't have the key.
    #[error("{0} does not hold the configured key")]
    NoKey(PathBuf),
    /// The response key can't be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Evidence can't be kept as configured.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The ledger can't be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The node can't join as configured.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// An address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Users couldn't find the node.
    #[error("set `public_url`: {0} is not an address that users can reach")]
    NoUrl(SocketAddr),
}

/// A node.
#[derive(Debug)]
pub struct Node;

/// A node that serves. Dropping it stops it at once; [`RunningNode::drain_and_stop`] does so
/// gracefully.
#[derive(Debug)]
pub struct RunningNode {
    shared: Arc<Shared>,
    public: Server,
    admin: Server,
    background: Vec<AbortOnDropHandle<()>>,
    journal: JournalThread,
    /// Held for as long as the node lives.
    lock: File,
}

impl Node {
    /// Opens the journal, joins the network as configured, and serves.
    pub async fn start(
        config: NodeConfig,
        engines: Vec<ServedModel>,
    ) -> Result<RunningNode, NodeError> {
        config.limits.check()?;
        let directory = config.data_dir.clone();
        let runtime = config.runtime.clone();
        let lock = prepare(&directory)?;
        let key = load_key(&config.key)?;
        let signer = Arc::new(signer::open(
            &directory.join("response.key"),
            &*runtime.random,
        )?);
        let leases = Arc::new(Leases::new());
        let on_signed = {
            let leases = leases.clone();
            move |signed| leases.signed(signed)
        };
        let journal_path = directory.join("journal.sqlite");
        let (journal, journal_thread, restored) =
            Journal::open(&journal_path, signer.clone(), on_signed)?;

        let ledger = LedgerConfig {
            url: config.ledger.clone(),
            deployment: config.deployment.clone(),
            faucet: None,
            runtime: runtime.clone(),
        };
        let ledger = Ledger::open(ledger).await?;
        let network = ledger.network();
        check_network(
            &journal_path,
            restored.meta.get(NETWORK),
            &network.to_string(),
        )?;
        let (public_listener, public_address) = listen(config.listen).await?;
        let (admin_listener, admin_address) = listen(config.admin_listen).await?;
        let url = public_url(&config, public_address)?;

        let known = config
            .node
            .or_else(|| restored.meta.get(NODE)?.parse().ok());
        let resumed = ledger::resume(&ledger, &restored.meta);
        let engines: Vec<_> = engines.into_iter().map(|e| (e.model, e.engine)).collect();
        let registration = ledger::register(
            &ledger,
            &key,
            signer.public_key(),
            &config,
            known,
            &url,
            &engines,
        );
        let Registration {
            node,
            tasks,
            events,
        } = registration.await?;
        let names = [(NODE, node.to_string()), (NETWORK, network.to_string())];
        let names = names.map(|(name, value)| Change::Meta(name, value));
        journal.change(names.to_vec()).durable().await?;
        let events = resumed.or(events).unwrap_or_else(|| ledger.events(None));

        let evidence = open_evidence(&config, &directory, &journal_path)?;
        let clock = Arc::clone(&runtime.clock);
        let started_at = clock.now();
        for lease in restored.leases {
            restore(&leases, lease, started_at);
        }
        let shared = Arc::new(Shared {
            identity: Identity {
                network,
                node,
                started_at,
            },
            url,
            concurrency: ConcurrencyLimit::new(config.requests.max_concurrent),
            limits: config.limits,
            requests: config.requests,
            settlement: config.settlement,
            clock,
            runtime,
            leases,
            journal,
            tasks,
            signer,
            metrics: Metrics::new(),
            ledger: LedgerSide::new(ledger, key),
            evidence: evidence.clone(),
            demands: Demands::default(),
            settle_now: Notify::new(),
        });
        let mut background = vec![
            AbortOnDropHandle::new(tokio::spawn(ledger::follow(shared.clone(), events))),
            AbortOnDropHandle::new(tokio::spawn(ledger::settle(shared.clone()))),
        ];
        if let Some(log) = evidence {
            let packer = Packer::new(shared.clone(), log.clone());
            let answer = evidence::answer(shared.clone(), log);
            background.push(AbortOnDropHandle::new(tokio::spawn(packer.run())));
            background.push(AbortOnDropHandle::new(tokio::spawn(answer)));
        }
        let router = serve::router(shared.clone());
        let (limits, counters) = (shared.limits.clone(), shared.metrics.connections.clone());
        let public =
            Server::start(public_listener, router, limits, counters).map_err(|source| {
                NodeError::Listen {
                    address: public_address,
                    source,
                }
            })?;
        let router = admin::router(shared.clone());
        let admin = Server::start(
            admin_listener,
            router,
            Limits::for_operator(),
            Arc::default(),
        )
        .map_err(|source| NodeError::Listen {
            address: admin_address,
            source,
        })?;
        tracing::info!(%node, url = %shared.url, admin = %admin_address, "serving");
        Ok(RunningNode {
            shared,
            public,
            admin,
            background,
            journal: journal_thread,
            lock,
        })
    }
}

impl RunningNode {
    /// Where users reach it.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Where the operator reaches it.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin.address())
    }

    /// Its id on the ledger.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.shared.identity.node
    }

    /// Refuses new requests, lets those that run end within the grace, makes everything durable
    /// and stops. Leases stay as they are: the node goes on with them when it starts again.
    pub async fn drain_and_stop(self) {
        let Self {
            shared,
            public,
            admin,
            background,
            journal,
            lock,
        } = self;
        shared.concurrency.drain();
        public.close(shared.limits.drain_grace()).await;
        // dropped connections have settled their requests by now; nothing else holds a place
        shared.concurrency.idle().await;
        for task in background {
            task.abort();
            // aborted on purpose
            let _ = task.await;
        }
        admin.close(ADMIN_GRACE).await;
        shared.journal.close();
        drop(shared);
        // the writer ends by itself; waiting for it must not hold up the runtime
        let _ = tokio::task::spawn_blocking(move || journal.join()).await;
        drop(lock);
        tracing::info!("stopped");
    }
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

fn open_evidence(
    config: &NodeConfig,
    directory: &Path,
    journal: &Path,
) -> Result<Option<Arc<EvidenceLog>>, EvidenceError> {
    let Some(evidence) = config.evidence.clone() else {
        tracing::warn!("no evidence is kept: whoever demands a record from this node wins");
        return Ok(None);
    };
    let max_body = config.limits.max_body_bytes;
    let runtime = config.runtime.clone();
    let log = EvidenceLog::open(evidence, directory, journal, max_body, runtime)?;
    Ok(Some(Arc::new(log)))
}

/// Creates the data directory and takes its lock, which the system gives back even after kill -9.
fn prepare(directory: &Path) -> Result<File, NodeError> {
    let path = directory.join("lock");
    let io = |source| NodeError::Io {
        path: path.clone(),
        source,
    };
    fs::create_dir_all(directory).map_err(io)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(NodeError::InUse(directory.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(io(source)),
    }
}

impl KeySource {
    /// Reads the key.
    pub fn load(&self) -> Result<Arc<SigningKey>, NodeError> {
        load_key(self)
    }
}

fn load_key(source: &KeySource) -> Result<Arc<SigningKey>, NodeError> {
    match source {
        KeySource::Given(key) => Ok(key.clone()),
        KeySource::File(path) => {
            let io = |source| NodeError::Io {
                path: path.clone(),
                source,
            };
            let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(io)?);
            let key = SigningKey::from_suiprivkey(text.trim());
            let key = key.map_err(|source| NodeError::Key {
                path: path.clone(),
                source,
            })?;
            Ok(Arc::new(key))
        }
        KeySource::Keystore { path, address } => {
            let keystore = Keystore::open(path)?;
            let key = match address {
                Some(address) => keystore.get(address),
                None => keystore.keys().first(),
            };
            let key = key.ok_or_else(|| NodeError::NoKey(path.clone()))?;
            Ok(Arc::new(SigningKey::from_seed(&key.to_seed())))
        }
    }
}

fn check_network(path: &Path, found: Option<&String>, expected: &str) -> Result<(), JournalError> {
    match found {
        Some(found) if found != expected => Err(JournalError::Foreign {
            path: path.to_owned(),
            reason: format!("is of network {found}; the ledger is {expected}"),
        }),
        _ => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), NodeError> {
    let error = |source| NodeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

fn public_url(config: &NodeConfig, bound: SocketAddr) -> Result<String, NodeError> {
    match &config.public_url {
        Some(url) => Ok(url.trim_end_matches('/').to_owned()),
        None if bound.ip().is_unspecified() => Err(NodeError::NoUrl(bound)),
        None => Ok(format!("http://{bound}")),
    }
}

/// Puts a lease back, with the ids of all requests whose headers may still be alive: none of them
/// is served twice, even if a user's clock was ahead of ours.
fn restore(leases: &Leases, restored: RestoredLease, now: TimestampMs) {
    let RestoredLease {
        record,
        mut account,
        recent,
    } = restored;
    let lifetime = MAX_REQUEST_LIFETIME.0 + MAX_CLOCK_SKEW_MS;
    let until = now.saturating_add(DurationMs(lifetime));
    for (id, finished) in recent {
        if finished.saturating_add(DurationMs(lifetime)) >= now {
            account.restore_seen(id, until, now);
        }
    }
    account.touch(now);
    match Lease::with(&record, account) {
        Ok(lease) => {
            leases.insert(lease);
        }
        // it was valid when it was recorded
        Err(error) => tracing::error!(%error, stack = %record.stack, "cannot restore a lease"),
    }
}
