//! Starting a node and stopping it.

use crate::{
    address::{Bound, public_url},
    admin,
    attest::{Memory, Remembered},
    components::{Components, Forward},
    concurrency::ConcurrencyLimit,
    confidential::{Renewal, Surroundings},
    config::NodeConfig,
    data_dir::DataDir,
    error::NodeError,
    evidence::{EvidenceError, EvidenceLog},
    forward::Forwarder,
    identity::Identity,
    journal::{Change, DOUBT, DOUBT_BEGINS, Doubt, Journal, JournalError, NODE, Opened, Restored},
    leases::Leases,
    ledger::{self, LeaseKeeper, LedgerLink, Registration, Signals},
    metrics::Metrics,
    serve,
    signer::ResponseKeys,
    tasks::Tasks,
};
use atoma_client::{Client, ClientConfig, NodeReach};
use atoma_engine::Engine;
use atoma_http::server::{Limits, Server};
use atoma_keys::{AtRestKey, SigningKey};
use atoma_ledger::{AfterResume, EventStream, IN_FLIGHT, Ledger, LedgerConfig};
use atoma_runtime::Threads;
use atoma_store::WriterThread;
use atoma_types::{DurationMs, NetworkId, NodeId, TimestampMs};
use futures::future::BoxFuture;
use std::{fmt, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, timeout},
};
use tokio_util::{sync::DropGuard, task::AbortOnDropHandle};

/// Name in the journal's table of small texts.
const NETWORK: &str = "network";
/// A user's clock may be ahead by so much, the skew that is allowed: so long after its start a node that has
/// forgotten what it served takes nothing that may have been signed before.
const UNKNOWN_HISTORY: DurationMs = DurationMs(30_000);
/// Where the client is kept that passes requests on.
const FORWARD: &str = "forward";
/// The operator's port closes at once; nothing runs there for long.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// A model and the engine that serves it.
#[derive(Clone)]
pub struct ServedModel {
    /// The name, as tasks have it.
    pub model: String,
    /// The engine that computes the answers for this model.
    pub engine: Arc<dyn Engine>,
}

/// A node: see [`Node::start`].
#[derive(Debug)]
pub struct Node;

/// A node that serves. Dropping it stops it at once; [`RunningNode::drain_and_stop`] does so
/// gracefully.
#[derive(Debug)]
pub struct RunningNode {
    node: NodeId,
    url: String,
    concurrency: Arc<ConcurrencyLimit>,
    forwarder: Option<Arc<Forwarder>>,
    drain_grace: Duration,
    /// Ends what outlives its connection.
    stopper: DropGuard,
    public: Server,
    admin: Server,
    background: Vec<AbortOnDropHandle<()>>,
    journal: Journal,
    journal_thread: WriterThread,
    threads: Threads,
    /// Held for as long as the node lives.
    data_dir: DataDir,
}

impl Node {
    /// Opens the journal, joins the network as configured, and serves `engines`.
    ///
    /// # Errors
    /// If a file, an address or the ledger can't be used, or the node can't join as configured.
    pub fn start(
        config: NodeConfig,
        engines: Vec<ServedModel>,
    ) -> BoxFuture<'static, Result<RunningNode, NodeError>> {
        Box::pin(start(config, engines))
    }
}

async fn start(config: NodeConfig, engines: Vec<ServedModel>) -> Result<RunningNode, NodeError> {
    config.limits.check()?;
    let mut disk = Disk::open(&config)?;
    let place = Place::take(&config, &disk, &engines).await?;
    let evidence = disk.evidence(&config)?;
    let forward = disk.forward(&config, &place.ledger)?;
    let attest = disk.attest(&config, place.ledger.network())?;
    let clock = config.runtime.clock.clone();
    let (started_at, started) = (clock.now(), clock.instant());
    disk.restore_leases(started_at);

    let (duties, heard) = mpsc::unbounded_channel();
    let keeper = LeaseKeeper {
        node: place.node,
        response_key: disk.response_keys.present.public_key(),
        leases: disk.leases.clone(),
        journal: disk.opened.journal.clone(),
        clock: clock.clone(),
        signals: Signals {
            settle_now: Arc::new(Notify::new()),
            duties,
        },
    };
    let (tasks, link) = (
        Arc::new(place.tasks),
        Arc::new(LedgerLink::new(place.ledger, disk.key)),
    );
    let renewal = match config.confidential.clone() {
        Some(guest) => {
            let stored = evidence.as_ref().zip(config.evidence.as_ref());
            let around = Surroundings {
                network: link.ledger.network(),
                node: place.node,
                receipt_key: disk.response_keys.present.public_key(),
                tasks: tasks.clone(),
                link: link.clone(),
                walrus: stored.map(|(log, config)| (log.walrus(), config.epochs)),
                runtime: config.runtime.clone(),
            };
            Some(Renewal::begin(guest, disk.data_dir.path(), around).await?)
        }
        None => None,
    };
    let components = Components {
        us: Identity {
            network: link.ledger.network(),
            node: place.node,
            started_at,
            started,
            hold: if place.doubtful {
                UNKNOWN_HISTORY
            } else {
                DurationMs(0)
            },
        },
        url: place.url,
        response_keys: disk.response_keys,
        clock,
        leases: disk.leases,
        journal: disk.opened.journal,
        evidence,
        tasks,
        link,
        guest: renewal.as_ref().map(|renewal| renewal.guest.clone()),
        keeper: Arc::new(keeper),
        concurrency: Arc::new(ConcurrencyLimit::new(config.requests.max_concurrent)),
        metrics: Arc::new(Metrics::new()),
        forward,
        config,
    };
    let background = components.start_background(place.events, heard, attest, renewal);
    let (public, admin) = serve_on(&components, place.public, place.admin)?;
    tracing::info!(node = %place.node, url = %components.url, admin = %admin.address(), "serving");
    Ok(RunningNode {
        node: place.node,
        url: components.url,
        stopper: components.concurrency.stopper(),
        forwarder: components.forward.map(|forward| forward.forwarder),
        concurrency: components.concurrency,
        drain_grace: components.config.limits.drain_grace(),
        public,
        admin,
        background,
        journal: components.journal,
        journal_thread: disk.opened.thread,
        threads: components.config.runtime.threads,
        data_dir: disk.data_dir,
    })
}

/// What the node finds on this machine: its keys, and what it served before.
struct Disk {
    data_dir: DataDir,
    key: Arc<SigningKey>,
    response_keys: Arc<ResponseKeys>,
    /// Empty until the node has its place on the ledger.
    leases: Arc<Leases>,
    opened: Opened,
}

impl Disk {
    fn open(config: &NodeConfig) -> Result<Self, NodeError> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let key = config.key.load()?;
        let random = &*config.runtime.random;
        let (path, folder) = (data_dir.response_key(), data_dir.response_keys());
        let response_keys = ResponseKeys::open(&path, &folder, random)?;
        let leases = Arc::new(Leases::new());
        let opened = open_journal(config, &response_keys.present, &leases)?;
        Ok(Self {
            data_dir,
            key,
            response_keys: Arc::new(response_keys),
            leases,
            opened,
        })
    }

    fn evidence(&self, config: &NodeConfig) -> Result<Option<Arc<EvidenceLog>>, EvidenceError> {
        let Some(evidence) = config.evidence.clone() else {
            tracing::warn!("no evidence is kept: whoever demands a record from this node wins");
            return Ok(None);
        };
        let max_body = config.limits.max_body_bytes;
        let runtime = config.runtime.clone();
        let at_rest = AtRestKey::of(&self.response_keys.present);
        let (folder, readers) = (self.data_dir.path(), self.opened.journal.readers());
        let log = EvidenceLog::open(evidence, folder, readers, max_body, at_rest, runtime)?;
        Ok(Some(Arc::new(log)))
    }

    /// The client that passes requests on, in a folder of its own, with the node's wallet.
    fn forward(&self, config: &NodeConfig, ledger: &Ledger) -> Result<Option<Forward>, NodeError> {
        let Some(forward) = &config.forward else {
            return Ok(None);
        };
        let client = ClientConfig {
            data_dir: Some(self.data_dir.path().join(FORWARD)),
            reach: match forward.local_nodes {
                true => NodeReach::Anywhere,
                false => NodeReach::Public,
            },
            ..ClientConfig::default()
        };
        Ok(Some(Forward {
            client: Client::with_ledger(ledger.clone(), self.key.clone(), client)?,
            forwarder: Arc::new(Forwarder::new(forward.clone())),
        }))
    }

    /// What the attester remembers, if there is to be one.
    fn attest(
        &self,
        config: &NodeConfig,
        network: NetworkId,
    ) -> Result<Option<(Memory, Remembered)>, NodeError> {
        if config.attest.is_none() {
            return Ok(None);
        }
        if config.evidence.is_none() {
            return Err(NodeError::AttestWithoutEvidence);
        }
        let threads = config.runtime.threads;
        Ok(Some(Memory::open(self.data_dir.path(), network, threads)?))
    }

    /// Takes up the leases that the journal has.
    fn restore_leases(&mut self, now: TimestampMs) {
        for lease in std::mem::take(&mut self.opened.restored.leases) {
            self.leases.restore(lease, now);
        }
    }
}

/// The node's place on the ledger, and where it listens.
struct Place {
    ledger: Ledger,
    node: NodeId,
    tasks: Tasks,
    /// What happens there from where the journal ends.
    events: EventStream,
    /// The journal may have forgotten requests that were served lately.
    doubtful: bool,
    url: String,
    public: Bound,
    admin: Bound,
}

impl Place {
    /// Joins as configured, and has the journal remember where.
    async fn take(
        config: &NodeConfig,
        disk: &Disk,
        engines: &[ServedModel],
    ) -> Result<Self, NodeError> {
        let Opened {
            journal,
            restored,
            path,
            doubt,
            ..
        } = &disk.opened;
        let ledger = connect(config).await?;
        check_network(path, restored, ledger.network())?;
        let public = Bound::to(&config.runtime.sockets, config.listen).await?;
        let admin = Bound::to(&config.runtime.sockets, config.admin_listen).await?;
        let url = public_url(config, public.address)?;
        let joined = join(&ledger, config, disk, &url, engines).await?;
        // a node that was registered and whose journal knows nothing of it has lost one
        let lost = (joined.found && !restored.meta.contains_key(NODE)).then_some(Doubt::Gone);
        let doubtful = doubt_from(journal, restored, doubt.or(lost)).await?;
        let resumed = ledger::resume(&ledger, &restored.meta);
        let events = resumed.or(joined.events);
        let events = events.unwrap_or_else(|| ledger.events(None));
        remember(journal, joined.node, ledger.network()).await?;
        Ok(Self {
            ledger,
            node: joined.node,
            tasks: joined.tasks,
            events,
            doubtful,
            url,
            public,
            admin,
        })
    }
}

/// Starts the users' server and the operator's.
fn serve_on(
    components: &Components,
    public: Bound,
    admin: Bound,
) -> Result<(Server, Server), NodeError> {
    let readiness = components.readiness();
    let router = serve::router(components.public_state(&readiness));
    let counters = components.metrics.connections.clone();
    let public = public.serve(router, components.config.limits.clone(), counters)?;
    let router = admin::router(components.operator(), readiness);
    let admin = admin.serve(router, Limits::for_operator(), Arc::default())?;
    Ok((public, admin))
}

impl RunningNode {
    /// Where users reach it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Where the operator reaches it.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin.address())
    }

    /// Its id on the ledger.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node
    }

    /// Refuses new requests, lets those that run end within the grace, makes everything durable
    /// and stops. Leases stay as they are: the node goes on with them when it starts again.
    pub fn drain_and_stop(self) -> BoxFuture<'static, ()> {
        Box::pin(stop(self))
    }
}

async fn stop(node: RunningNode) {
    node.concurrency.drain();
    let begun = Instant::now();
    let passes_on = |forwarder: &Arc<Forwarder>| forwarder.config().draining;
    if !node.concurrency.is_retired() && node.forwarder.as_ref().is_some_and(passes_on) {
        // until the last answer of our own is complete, who comes finds another node behind the door
        let _ = timeout(node.drain_grace, node.concurrency.idle()).await;
    }
    let left = node.drain_grace.saturating_sub(begun.elapsed());
    node.public.close(left).await;
    drop(node.stopper);
    // what was passed on waits a moment for the other node's receipt
    if let Some(forwarder) = node.forwarder {
        forwarder.tracker.close();
        forwarder.tracker.wait().await;
    }
    // dropped connections have settled their requests by now; nothing else holds a place
    node.concurrency.idle().await;
    for task in node.background {
        task.abort();
        // aborted on purpose
        let _ = task.await;
    }
    node.admin.close(ADMIN_GRACE).await;
    node.journal.close();
    // the writer ends by itself; waiting for it must not hold up the runtime
    let _ = node
        .threads
        .blocking(move || node.journal_thread.join())
        .await;
    drop(node.data_dir);
    tracing::info!("stopped");
}

fn open_journal(
    config: &NodeConfig,
    response_key: &Arc<SigningKey>,
    leases: &Arc<Leases>,
) -> Result<Opened, JournalError> {
    let leases = leases.clone();
    let on_signed = move |signed| leases.signed(signed);
    let threads = config.runtime.threads;
    let random = &*config.runtime.random;
    Journal::open(
        &config.data_dir,
        response_key.clone(),
        on_signed,
        random,
        threads,
    )
}

async fn connect(config: &NodeConfig) -> Result<Ledger, NodeError> {
    let ledger = LedgerConfig {
        url: config.ledger.clone(),
        deployment: config.deployment.clone(),
        runtime: config.runtime.clone(),
        faucet: None,
    };
    let ledger = Ledger::open(ledger).await?;
    // before anything is decided by what the ledger says
    let folder = config.data_dir.join(IN_FLIGHT);
    ledger.keep_in_flight(&folder, AfterResume::GoOn).await?;
    Ok(ledger)
}

fn check_network(path: &Path, restored: &Restored, network: NetworkId) -> Result<(), JournalError> {
    match restored.meta.get(NETWORK) {
        Some(found) if *found != network.to_string() => Err(JournalError::OtherNetwork {
            path: path.to_owned(),
            found: found.clone(),
            expected: network,
        }),
        _ => Ok(()),
    }
}

async fn join(
    ledger: &Ledger,
    config: &NodeConfig,
    disk: &Disk,
    url: &str,
    engines: &[ServedModel],
) -> Result<Registration, NodeError> {
    let remembered = || disk.opened.restored.meta.get(NODE)?.parse().ok();
    let known = config.node.or_else(remembered);
    let engines: Vec<_> = engines
        .iter()
        .map(|served| (served.model.clone(), served.engine.clone()))
        .collect();
    let response_key = disk.response_keys.present.public_key();
    let joined = ledger::register(
        ledger,
        &disk.key,
        response_key,
        config,
        known,
        url,
        &engines,
    );
    Ok(joined.await?)
}

/// Whether the journal may have forgotten something that was served lately.
async fn doubt_from(
    journal: &Journal,
    restored: &Restored,
    doubt: Option<Doubt>,
) -> Result<bool, NodeError> {
    let begun = restored.meta.get(DOUBT).map(String::as_str) == Some(DOUBT_BEGINS);
    if doubt.is_none() && !begun {
        return Ok(false);
    }
    let change = Change::Meta(DOUBT, String::new());
    journal
        .change(vec![change])
        .durable()
        .await
        .map_err(JournalError::from)?;
    let reason = doubt.map(|doubt| doubt.to_string()).unwrap_or_default();
    tracing::error!(
        reason,
        "the journal is not the one that this node last wrote: leases go on from what the ledger says, what \
         was served since is lost, and no request that was signed before now is served"
    );
    Ok(true)
}

/// Who we are, for the next start.
async fn remember(journal: &Journal, node: NodeId, network: NetworkId) -> Result<(), JournalError> {
    let names = [(NODE, node.to_string()), (NETWORK, network.to_string())];
    let names = names.map(|(name, value)| Change::Meta(name, value));
    Ok(journal.change(names.to_vec()).durable().await?)
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
