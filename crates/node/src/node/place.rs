//! A node's place on the ledger, and where it listens.

use super::{disk::Disk, served_model::ServedModel};
use crate::{
    address::{Bound, public_url},
    config::NodeConfig,
    error::NodeError,
    identity::Identity,
    journal::{Change, DOUBT, DOUBT_BEGINS, Doubt, Journal, JournalError, NODE, Opened, Restored},
    ledger::{self, Registration},
    tasks::Tasks,
};
use atoma_ledger::{AfterResume, EventStart, IN_FLIGHT, Ledger, LedgerConfig, Listener};
use atoma_runtime::Clock;
use atoma_types::{DurationMs, NetworkId, NodeId};
use std::path::Path;

/// Name in the journal's table of small texts.
const NETWORK: &str = "network";
/// A user's clock may be ahead by so much, the skew that is allowed: so long after its start a node that has
/// forgotten what it served takes nothing that may have been signed before.
const UNKNOWN_HISTORY: DurationMs = DurationMs(30_000);

/// The node's place on the ledger, and where it listens.
pub(super) struct Place {
    pub(super) ledger: Ledger,
    pub(super) node: NodeId,
    pub(super) tasks: Tasks,
    /// What happens there from where the journal ends.
    pub(super) events: Listener,
    /// The journal may have forgotten requests that were served lately.
    doubtful: bool,
    pub(super) url: String,
    pub(super) public: Bound,
    pub(super) admin: Bound,
}

impl Place {
    /// Joins as configured, and has the journal remember where.
    pub(super) async fn take(
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
        let events = events.unwrap_or_else(|| ledger::listen(&ledger, EventStart::Beginning));
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

    /// Who the node is from its start on.
    pub(super) fn identity(&self, clock: &dyn Clock) -> Identity {
        Identity {
            network: self.ledger.network(),
            node: self.node,
            started_at: clock.now(),
            started: clock.instant(),
            hold: match self.doubtful {
                true => UNKNOWN_HISTORY,
                false => DurationMs(0),
            },
        }
    }
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
