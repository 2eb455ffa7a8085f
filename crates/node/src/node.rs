//! Starting a node and stopping it.

use crate::{
    account::Phase,
    address::{Bound, public_url},
    admin,
    concurrency::ConcurrencyLimit,
    config::NodeConfig,
    data_dir::DataDir,
    error::NodeError,
    evidence::{EvidenceError, EvidenceLog},
    identity::Identity,
    journal::{Change, DOUBT, DOUBT_BEGINS, Doubt, Journal, JournalError, NODE, Opened, Restored},
    leases::Leases,
    ledger::{self, LeaseKeeper, LedgerLink, Registration, Signals},
    metrics::Metrics,
    parts::Parts,
    serve, signer,
};
use atoma_engine::Engine;
use atoma_http::server::{Limits, Server};
use atoma_keys::{AtRestKey, SigningKey};
use atoma_ledger::{Ledger, LedgerConfig};
use atoma_runtime::Threads;
use atoma_store::WriterThread;
use atoma_types::{NetworkId, NodeId, TimestampMs};
use futures::future::BoxFuture;
use std::{fmt, path::Path, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
use tokio_util::task::AbortOnDropHandle;

/// Name in the journal's table of small texts.
const NETWORK: &str = "network";
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
    drain_grace: Duration,
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
    let data_dir = DataDir::open(&config.data_dir)?;
    let key = config.key.load()?;
    let response_key = Arc::new(signer::open(
        &data_dir.response_key(),
        &*config.runtime.random,
    )?);

    // what was served before
    let leases = Arc::new(Leases::new());
    let Opened {
        journal,
        thread: journal_thread,
        restored,
        path: journal_path,
        doubt,
    } = open_journal(&config, &response_key, &leases)?;

    // the ledger, and our place there
    let ledger = connect(&config).await?;
    check_network(&journal_path, &restored, ledger.network())?;
    let public = Bound::to(&config.runtime.net, config.listen).await?;
    let admin = Bound::to(&config.runtime.net, config.admin_listen).await?;
    let url = public_url(&config, public.address)?;
    let joined = join(
        &ledger,
        &key,
        &response_key,
        &config,
        &restored,
        &url,
        &engines,
    )
    .await?;
    let Registration {
        node,
        tasks,
        found,
        events,
    } = joined;
    // a node that was registered and whose journal knows nothing of it has lost one
    let lost = (found && !restored.meta.contains_key(NODE)).then_some(Doubt::Gone);
    let doubt = doubt_from(&ledger, &journal, &restored, doubt.or(lost)).await?;
    let resumed = ledger::resume(&ledger, &restored.meta);
    let events = resumed.or(events).unwrap_or_else(|| ledger.events(None));
    let network = ledger.network();
    remember(&journal, node, network).await?;

    // the parts
    let at_rest = AtRestKey::of(&response_key);
    let evidence = open_evidence(&config, &data_dir, &journal, at_rest)?;
    let clock = config.runtime.clock.clone();
    let (started_at, started) = (clock.now(), clock.instant());
    for lease in restored.leases {
        leases.restore(lease, started_at);
    }
    if let Doubts::New(_) = doubt {
        settle_all(&leases, &journal).await?;
    }
    let (demands, heard) = mpsc::unbounded_channel();
    let keeper = LeaseKeeper {
        node,
        leases: leases.clone(),
        journal: journal.clone(),
        clock: clock.clone(),
        doubt: doubt.before(),
        signals: Signals {
            settle_now: Arc::new(Notify::new()),
            demands,
            evidence: evidence.clone(),
        },
    };
    let parts = Parts {
        us: Identity {
            network,
            node,
            started_at,
            started,
        },
        url,
        response_key,
        clock,
        leases,
        journal,
        evidence,
        tasks: Arc::new(tasks),
        link: Arc::new(LedgerLink::new(ledger, key)),
        keeper: Arc::new(keeper),
        concurrency: Arc::new(ConcurrencyLimit::new(config.requests.max_concurrent)),
        metrics: Arc::new(Metrics::new()),
        config,
    };

    // what runs in the background, and the servers
    let background = parts.start_background(events, heard);
    let readiness = parts.readiness();
    let (limits, counters) = (
        parts.config.limits.clone(),
        parts.metrics.connections.clone(),
    );
    let router = serve::router(parts.public_state(&readiness));
    let public = public.serve(router, limits, counters)?;
    let router = admin::router(parts.operator(), readiness);
    let admin = admin.serve(router, Limits::for_operator(), Arc::default())?;
    tracing::info!(%node, url = %parts.url, admin = %admin.address(), "serving");
    Ok(RunningNode {
        node,
        url: parts.url,
        concurrency: parts.concurrency,
        drain_grace: parts.config.limits.drain_grace(),
        public,
        admin,
        background,
        journal: parts.journal,
        journal_thread,
        threads: parts.config.runtime.threads,
        data_dir,
    })
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
    node.public.close(node.drain_grace).await;
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
    Ok(Ledger::open(ledger).await?)
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
    key: &SigningKey,
    response_key: &SigningKey,
    config: &NodeConfig,
    restored: &Restored,
    url: &str,
    engines: &[ServedModel],
) -> Result<Registration, NodeError> {
    let remembered = || restored.meta.get(NODE)?.parse().ok();
    let known = config.node.or_else(remembered);
    let engines: Vec<_> = engines
        .iter()
        .map(|served| (served.model.clone(), served.engine.clone()))
        .collect();
    let response_key = response_key.public_key();
    let joined = ledger::register(ledger, key, response_key, config, known, url, &engines);
    Ok(joined.await?)
}

/// Since when the journal may have forgotten something.
#[derive(Clone, Copy, Debug)]
enum Doubts {
    None,
    /// Since an earlier start.
    Old(TimestampMs),
    /// Since this one.
    New(TimestampMs),
}

impl Doubts {
    /// Stacks from before this are in doubt.
    fn before(self) -> Option<TimestampMs> {
        match self {
            Self::None => None,
            Self::Old(before) | Self::New(before) => Some(before),
        }
    }
}

/// What the journal can't be trusted with, and from now on remembers of that.
async fn doubt_from(
    ledger: &Ledger,
    journal: &Journal,
    restored: &Restored,
    doubt: Option<Doubt>,
) -> Result<Doubts, NodeError> {
    let known = restored.meta.get(DOUBT).map(String::as_str);
    if doubt.is_none() && known != Some(DOUBT_BEGINS) {
        let before = known.and_then(|known| known.parse().ok());
        return Ok(before.map_or(Doubts::None, |before| Doubts::Old(TimestampMs(before))));
    }
    let now = ledger.clock().await?;
    let change = Change::Meta(DOUBT, now.0.to_string());
    journal
        .change(vec![change])
        .durable()
        .await
        .map_err(JournalError::from)?;
    let reason = doubt.map(|doubt| doubt.to_string()).unwrap_or_default();
    tracing::error!(
        reason,
        "the journal is not the one that this node last wrote: no stack that was bought before now is \
         served, and those that the journal has are settled; if it is in another place, stop the node and \
         see docs/operators.md"
    );
    Ok(Doubts::New(now))
}

/// Takes no more requests on the leases that there are, so that they are settled for what the journal has.
async fn settle_all(leases: &Leases, journal: &Journal) -> Result<(), JournalError> {
    for lease in leases.all() {
        let ack = lease.save(journal, Vec::new(), |account| {
            account.advance(Phase::Settling);
        });
        ack.durable().await?;
    }
    Ok(())
}

/// Who we are, for the next start.
async fn remember(journal: &Journal, node: NodeId, network: NetworkId) -> Result<(), JournalError> {
    let names = [(NODE, node.to_string()), (NETWORK, network.to_string())];
    let names = names.map(|(name, value)| Change::Meta(name, value));
    Ok(journal.change(names.to_vec()).durable().await?)
}

fn open_evidence(
    config: &NodeConfig,
    data_dir: &DataDir,
    journal: &Journal,
    at_rest: AtRestKey,
) -> Result<Option<Arc<EvidenceLog>>, EvidenceError> {
    let Some(evidence) = config.evidence.clone() else {
        tracing::warn!("no evidence is kept: whoever demands a record from this node wins");
        return Ok(None);
    };
    let max_body = config.limits.max_body_bytes;
    let runtime = config.runtime.clone();
    let (folder, readers) = (data_dir.path(), journal.readers());
    let log = EvidenceLog::open(evidence, folder, readers, max_body, at_rest, runtime)?;
    Ok(Some(Arc::new(log)))
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
