//! Starting a node.
//!
//! ```text
//! disk      its keys, its journal, what else it keeps
//! probe     whether its engines give the bits that their classes promise
//! place     its place on the ledger, its sockets
//! running   all of it at work, until it stops
//! ```

mod disk;
mod place;
mod probe;
mod running;
mod served_model;

pub use running::RunningNode;
pub use served_model::ServedModel;

use crate::{
    address::Bound,
    admin,
    components::Components,
    concurrency::ConcurrencyLimit,
    confidential::{Renewal, Surroundings},
    config::NodeConfig,
    error::NodeError,
    evidence::EvidenceLog,
    ledger::LedgerLink,
    metrics::Metrics,
    serve,
    tasks::Tasks,
};
use atoma_http::server::{Limits, Server};
use atoma_types::NodeId;
use disk::Disk;
use futures::future::BoxFuture;
use place::Place;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A node: see [`Node::start`].
#[derive(Debug)]
pub struct Node;

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
    let metrics = Arc::new(Metrics::new());
    probe::probe(&engines, &*config.runtime.clock, &metrics).await?;
    let place = Place::take(&config, &disk, &engines).await?;
    let evidence = disk.evidence(&config)?;
    let forward = disk.forward(&config, &place.ledger)?;
    let attest = disk.attest(&config, place.ledger.network())?;
    let clock = config.runtime.clock.clone();
    let us = place.identity(&*clock);
    disk.restore_leases(us.started_at);

    let (duties, heard) = mpsc::unbounded_channel();
    let keeper = disk.keeper(us.node, clock.clone(), duties);
    let tasks = Arc::new(place.tasks);
    let link = Arc::new(LedgerLink::new(place.ledger, disk.key.clone()));
    let stored = evidence.as_ref();
    let renewal = begin_renewal(&config, &disk, stored, us.node, (&tasks, &link)).await?;
    let components = Components {
        us,
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
        metrics,
        forward,
        config,
    };
    let background = components.start_background(place.events, heard, attest, renewal);
    let (public, admin) = serve_on(&components, place.public, place.admin)?;
    tracing::info!(node = %us.node, url = %components.url, admin = %admin.address(), "serving");
    Ok(RunningNode {
        node: us.node,
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

/// The keys of a guest and their evidence, if the node is to be one: there before anybody is served.
async fn begin_renewal(
    config: &NodeConfig,
    disk: &Disk,
    evidence: Option<&Arc<EvidenceLog>>,
    node: NodeId,
    (tasks, link): (&Arc<Tasks>, &Arc<LedgerLink>),
) -> Result<Option<Renewal>, NodeError> {
    let Some(guest) = config.confidential.clone() else {
        return Ok(None);
    };
    let stored = evidence.zip(config.evidence.as_ref());
    let around = Surroundings {
        network: link.ledger.network(),
        node,
        receipt_key: disk.response_keys.present.public_key(),
        tasks: tasks.clone(),
        link: link.clone(),
        walrus: stored.map(|(log, config)| (log.walrus(), config.epochs)),
        runtime: config.runtime.clone(),
    };
    let renewal = Renewal::begin(guest, disk.data_dir.path(), around).await?;
    Ok(Some(renewal))
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
