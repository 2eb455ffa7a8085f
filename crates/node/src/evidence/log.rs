//! The log as the serving path and the packer see it: who has how much of its room, and who waits.

use super::{cache::Caches, error::EvidenceError, reader::Reader, room::LogRoom};
use crate::{config::EvidenceConfig, journal::PackRow};
use atoma_evidence::pack::ClosingPolicy;
use atoma_keys::AtRestKey;
use atoma_runtime::{Runtime, WithCauses};
use atoma_store::Readers;
use atoma_types::{
    Address, RequestId, StackId,
    message::{Receipt, Signed},
    refusal::{Refusal, RefusalCode},
};
use atoma_walrus::client::{ClientConfig, SharedSecret, WalrusClient};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// Folder of the packs under the data directory.
const FOLDER: &str = "packs";
/// Beside bodies a request's blob has a header, a statement and seals: well below this.
const BESIDE_BODY: u64 = 64 << 10;
/// Beside bodies a pack of one record has a head, a statement, two seals for two parties each, an index entry: less than
/// this.
const BESIDE_BODIES: u64 = 4 << 10;
/// Smaller packs would hold no record.
const MIN_PACK: u64 = 2 * BESIDE_BODIES;
/// An immediate request waits so long for its blob, and afterwards for its own storage: Mainnet
/// takes 20 to 75 seconds to store one.
pub(super) const IMMEDIATE_TIMEOUT: Duration = Duration::from_secs(120);

/// The log as the serving path sees it: a room with a bound.
#[derive(Debug)]
pub(crate) struct EvidenceLog {
    pub(super) config: EvidenceConfig,
    pub(super) folder: PathBuf,
    pub(super) client: WalrusClient,
    /// Reads users' blobs, which are small.
    pub(super) requests: WalrusClient,
    pub(super) policy: ClosingPolicy,
    pub(super) reader: Reader,
    /// Seals bodies in the journal.
    pub(super) at_rest: Arc<AtRestKey>,
    pub(super) runtime: Runtime,
    pub(super) caches: Caches,
    /// Of bodies that Walrus doesn't have yet.
    pub(super) room: LogRoom,
    /// Packs are closed early up to this receipt.
    pub(super) flush_to: AtomicI64,
    pub(super) wake: Notify,
    /// An epoch of Walrus has ended: stored packs are to be looked at.
    pub(super) epoch_ended: AtomicBool,
    /// Counts stored packs, for those who wait for one.
    pub(super) stored: watch::Sender<u64>,
}

impl EvidenceLog {
    /// Opens what the journal and the packs' folder hold.
    pub(crate) fn open(
        config: EvidenceConfig,
        data_dir: &Path,
        journal: Arc<Readers>,
        max_body: usize,
        at_rest: AtRestKey,
        runtime: Runtime,
    ) -> Result<Self, EvidenceError> {
        let folder = data_dir.join(FOLDER);
        atoma_store::create_folder(&folder)?;
        let settings = client_config(&config, &runtime)?;
        let requests = ClientConfig {
            max_blob: max_body as u64 + BESIDE_BODY,
            ..settings.clone()
        };
        let client = WalrusClient::new(settings)?;
        let reader = Reader::new(journal, runtime.threads);
        let mut policy = ClosingPolicy::new(client.params());
        policy.full = policy.full.min(config.max_pack_bytes.max(MIN_PACK));
        policy.good = policy.good.min(policy.full);
        if let Some(patience) = config.patience_ms.map(atoma_types::DurationMs) {
            policy.while_free = patience;
            policy.patience = policy.patience.min(patience);
            policy.when_good = policy.when_good.min(patience);
        }
        Ok(Self {
            requests: WalrusClient::new(requests)?,
            policy,
            at_rest: Arc::new(at_rest),
            room: LogRoom::with(&reader.backlog()?),
            reader,
            runtime,
            config,
            folder,
            client,
            caches: Caches::default(),
            flush_to: AtomicI64::new(0),
            wake: Notify::new(),
            epoch_ended: AtomicBool::new(false),
            stored: watch::Sender::new(0),
        })
    }

    /// Reads packs, others' too.
    pub(crate) fn walrus(&self) -> WalrusClient {
        self.client.clone()
    }

    /// Whether more may be taken in.
    pub(crate) fn check_room(&self) -> Result<(), Refusal> {
        self.room.check(self.config.max_backlog_bytes)
    }

    /// Whether more of this wallet may.
    pub(crate) fn check_share(&self, owner: Address) -> Result<(), Refusal> {
        self.room.check_share(owner, self.config.max_backlog_bytes)
    }

    /// Whether a record with bodies of so many bytes, both together, fits into a pack: an attester that finds none
    /// convicts the node.
    pub(crate) fn check_record(&self, bodies: u64) -> Result<(), Refusal> {
        let room = self.policy.full.saturating_sub(BESIDE_BODIES);
        if bodies <= room {
            return Ok(());
        }
        let message = format!(
            "question and answer may have {bodies} bytes together, and evidence of this task has room for {room}: \
             ask for fewer tokens, with fewer alternatives to each"
        );
        Err(Refusal::new(RefusalCode::EvidenceTooLong, message))
    }

    /// Counts bodies of a wallet's request on their way into the log.
    pub(crate) fn taken(&self, owner: Address, bytes: u64) {
        let before = self.room.take(owner, bytes);
        // a full pack needn't wait for the packer's next look
        if before / self.policy.full != (before + bytes) / self.policy.full {
            self.wake.notify_one();
        }
    }

    /// Bytes of bodies that Walrus doesn't have yet.
    pub(crate) fn backlog(&self) -> u64 {
        self.room.taken()
    }

    /// Has everything up to a receipt stored without waiting for company.
    pub(crate) fn flush(&self, to: i64) {
        self.flush_to.fetch_max(to, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// The ledger says that an epoch of Walrus has ended.
    pub(crate) fn epoch_ended(&self) {
        self.epoch_ended.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Up to which receipt of a lease Walrus has all, at most up to `seq`; what it lacks is stored without
    /// waiting for company. `None` if it has none.
    pub(crate) async fn stored_up_to(
        &self,
        stack: StackId,
        seq: u64,
    ) -> Result<Option<u64>, EvidenceError> {
        let first = self
            .reader
            .ask(move |log| log.first_unstored(stack))
            .await?;
        let stored = match first {
            Some((_, first)) if first <= seq => first - 1,
            _ => return Ok(Some(seq)),
        };
        if let Some(last) = self.reader.ask(move |log| log.last_of(stack)).await? {
            self.flush(last);
        }
        Ok((stored > 0).then_some(stored))
    }

    /// A receipt of a lease by its number.
    pub(crate) async fn receipt(
        &self,
        stack: StackId,
        seq: u64,
    ) -> Result<Option<Arc<Signed<Receipt>>>, EvidenceError> {
        let found = self.reader.ask(move |log| log.by_seq(stack, seq)).await?;
        Ok(found.map(|exchange| Arc::new(exchange.receipt)))
    }

    /// Waits until the pack with a receipt is stored. `None` if it isn't in time, or can't be.
    pub(crate) async fn await_stored(&self, id: i64, timeout: Duration) -> Option<PackRow> {
        let deadline = Instant::now() + timeout;
        let mut stored = self.stored.subscribe();
        loop {
            stored.mark_unchanged();
            match self.reader.ask(move |db| db.pack_of(id)).await {
                Ok(Some(row)) => return Some(row),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = %WithCauses(&error), "the evidence log can't be read");
                }
            }
            let changed = tokio::time::timeout_at(deadline, stored.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return None;
            }
        }
    }

    /// `immediate` mode: has a request's record stored before its receipt leaves. Whatever becomes
    /// of it, the answer is paid for, so the receipt follows in any case.
    pub(crate) async fn store_now(&self, stack: StackId, request: RequestId) {
        let found = self
            .reader
            .ask(move |db| db.by_request(stack, request))
            .await;
        let Ok(Some(row)) = found else {
            return;
        };
        self.flush(row.id);
        if self.await_stored(row.id, IMMEDIATE_TIMEOUT).await.is_none() {
            tracing::warn!(%request, "an immediate request's evidence was not stored in time");
        }
    }
}

fn client_config(
    config: &EvidenceConfig,
    runtime: &Runtime,
) -> Result<ClientConfig, EvidenceError> {
    let url = |text: &String| text.parse().map_err(|_| EvidenceError::Url(text.clone()));
    let mut aggregators = Vec::with_capacity(config.aggregators.len());
    for text in &config.aggregators {
        aggregators.push(url(text)?);
    }
    let Some(first) = aggregators.first().cloned() else {
        return Err(EvidenceError::Url(String::new()));
    };
    let mut client = ClientConfig::new(Some(url(&config.publisher)?), first, config.shards);
    client.aggregators = aggregators;
    client.runtime = runtime.clone();
    if let Some(path) = &config.publisher_secret {
        let secret = std::fs::read(path).map_err(|source| EvidenceError::Secret {
            path: path.clone(),
            source,
        })?;
        client.tokens = Some(Arc::new(SharedSecret::new(secret, runtime.clone())));
    }
    Ok(client)
}
