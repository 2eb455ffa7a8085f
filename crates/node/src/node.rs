//! Starting a node and stopping it.

use crate::{
    address::{Bound, public_url},
    admin,
    concurrency::ConcurrencyLimit,
    config::NodeConfig,
    data_dir::DataDir,
    error::NodeError,
    evidence::{EvidenceError, EvidenceLog},
    identity::Identity,
    journal::{Change, Journal, JournalError, Opened, Restored},
    leases::Leases,
    ledger::{self, LeaseKeeper, LedgerLink, Registration, Signals},
    metrics::Metrics,
    parts::Parts,
    serve, signer,
};
use atoma_engine::Engine;
use atoma_http::server::{Limits, Server};
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, LedgerConfig};
use atoma_runtime::Threads;
use atoma_store::WriterThread;
use atoma_types::{NetworkId, NodeId};
use futures::future::BoxFuture;
use std::{fmt, path::Path, sync::Arc, time::Duration};
use tokio::sync::{Notify, mpsc};
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
        events,
    } = joined;
    let resumed = ledger::resume(&ledger, &restored.meta);
    let events = resumed.or(events).unwrap_or_else(|| ledger.events(None));
    let network = ledger.network();
    remember(&journal, node, network).await?;

    // the parts
    let evidence = open_evidence(&config, &data_dir, &journal)?;
    let clock = config.runtime.clock.clone();
    let started_at = clock.now();
    for lease in restored.leases {
        leases.restore(lease, started_at);
    }
    let (demands, heard) = mpsc::unbounded_channel();
    let keeper = LeaseKeeper {
        node,
        leases: leases.clone(),
        journal: journal.clone(),
        clock: clock.clone(),
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
    Journal::open(&config.data_dir, response_key.clone(), on_signed, threads)
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
) -> Result<Option<Arc<EvidenceLog>>, EvidenceError> {
    let Some(evidence) = config.evidence.clone() else {
        tracing::warn!("no evidence is kept: whoever demands a record from this node wins");
        return Ok(None);
    };
    let max_body = config.limits.max_body_bytes;
    let runtime = config.runtime.clone();
    let (folder, readers) = (data_dir.path(), journal.readers());
    let log = EvidenceLog::open(evidence, folder, readers, max_body, runtime)?;
    Ok(Some(Arc::new(log)))
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}
