//! What a node finds on its machine when it starts.

use crate::{
    attest::{Memory, Remembered},
    components::Forward,
    config::NodeConfig,
    data_dir::DataDir,
    error::NodeError,
    evidence::{EvidenceError, EvidenceLog},
    forward::Forwarder,
    journal::{Journal, JournalError, Opened},
    leases::Leases,
    ledger::{LeaseKeeper, Signals},
    signer::ResponseKeys,
};
use atoma_client::{Client, ClientConfig, NodeReach};
use atoma_keys::{AtRestKey, SigningKey};
use atoma_ledger::Ledger;
use atoma_runtime::SharedClock;
use atoma_types::{NetworkId, NodeId, StackId, TimestampMs};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Where the client is kept that passes requests on.
const FORWARD: &str = "forward";

/// What the node finds on this machine: its keys, and what it served before.
pub(super) struct Disk {
    pub(super) data_dir: DataDir,
    pub(super) key: Arc<SigningKey>,
    pub(super) response_keys: Arc<ResponseKeys>,
    /// Empty until the node has its place on the ledger.
    pub(super) leases: Arc<Leases>,
    pub(super) opened: Opened,
}

impl Disk {
    /// Takes the data directory, and opens what is in it.
    pub(super) fn open(config: &NodeConfig) -> Result<Self, NodeError> {
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

    /// What is kept of requests for whoever demands it, if there is to be anything.
    pub(super) fn evidence(
        &self,
        config: &NodeConfig,
    ) -> Result<Option<Arc<EvidenceLog>>, EvidenceError> {
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
    pub(super) fn forward(
        &self,
        config: &NodeConfig,
        ledger: &Ledger,
    ) -> Result<Option<Forward>, NodeError> {
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
    pub(super) fn attest(
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
    pub(super) fn restore_leases(&mut self, now: TimestampMs) {
        for lease in std::mem::take(&mut self.opened.restored.leases) {
            self.leases.restore(lease, now);
        }
    }

    /// Who answers for the leases from now on; `duties` hears of what must be shown.
    pub(super) fn keeper(
        &self,
        node: NodeId,
        clock: SharedClock,
        duties: mpsc::UnboundedSender<StackId>,
    ) -> LeaseKeeper {
        LeaseKeeper {
            node,
            response_key: self.response_keys.present.public_key(),
            leases: self.leases.clone(),
            journal: self.opened.journal.clone(),
            clock,
            signals: Signals {
                settle_now: Arc::new(Notify::new()),
                duties,
            },
        }
    }
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
