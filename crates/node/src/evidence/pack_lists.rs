//! What a settlement names: the pack with all records that its last receipt binds, or a list of their packs. A node that has lost
//! its log finds them by it. A list is stored in the background, for that takes a minute on Mainnet; until then
//! nothing is settled of the lease.

use super::{error::EvidenceError, log::EvidenceLog, pack::PackStore};
use crate::identity::Identity;
use atoma_evidence::pack::PackList;
use atoma_runtime::Backoff;
use atoma_runtime::WithCauses;
use atoma_types::{BlobId, StackId};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio_util::task::AbortOnDropHandle;

/// After a failure a list rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long: Walrus may be away for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a settlement names whose last receipt binds `range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedPacks {
    /// The receipts after the first number up to the second: all that the blob leads to.
    pub range: (u64, u64),
    /// None if some record is in no pack: it is from before evidence was kept.
    pub blob: Option<BlobId>,
}

/// Finds or makes what settlements name.
#[derive(Debug)]
pub(crate) struct PackLists {
    store: PackStore,
    us: Identity,
    /// Dropped with this: then nothing is stored any more.
    made: Arc<Mutex<AllMade>>,
}

/// At most one for each lease.
type AllMade = BTreeMap<StackId, Made>;

#[derive(Debug)]
enum Made {
    UnderWay { _task: AbortOnDropHandle<()> },
    Stored(NamedPacks),
}

impl PackLists {
    pub(crate) fn new(store: PackStore, us: Identity) -> Self {
        Self {
            store,
            us,
            made: Arc::default(),
        }
    }

    /// Where evidence is kept.
    pub(crate) fn log(&self) -> &EvidenceLog {
        &self.store.log
    }

    /// What a settlement names that binds a lease's receipts after the first number: of those up to the second, which
    /// are all stored, as many as it can be had for. `None` while it is being stored.
    pub(crate) async fn name(
        &self,
        stack: StackId,
        range: (u64, u64),
    ) -> Result<Option<NamedPacks>, EvidenceError> {
        match self.made.lock().get(&stack) {
            Some(Made::UnderWay { .. }) => return Ok(None),
            Some(Made::Stored(named)) if named.range.0 == range.0 && named.range.1 <= range.1 => {
                return Ok(Some(*named));
            }
            // of an earlier settlement
            Some(Made::Stored(_)) | None => {}
        }
        let reader = &self.store.log.reader;
        let packs = reader.ask(move |log| log.packs_of(stack, range, PackList::MAX_PACKS));
        let Some((packs, last)) = packs.await? else {
            return Ok(Some(NamedPacks { range, blob: None }));
        };
        let range = (range.0, last);
        if let [blob] = packs[..] {
            let blob = Some(blob);
            return Ok(Some(NamedPacks { range, blob }));
        }
        let list = PackList {
            network: self.us.network,
            node: self.us.node,
            stack,
            range,
            packs,
        };
        // what is stored at once waits for the lock, and so comes after this
        let mut made = self.made.lock();
        let task = keep(self.store.clone(), list, Arc::downgrade(&self.made));
        let task = AbortOnDropHandle::new(tokio::spawn(task));
        made.insert(stack, Made::UnderWay { _task: task });
        Ok(None)
    }

    /// The lease was settled, or is to be named anew.
    pub(crate) fn forget(&self, stack: StackId) {
        self.made.lock().remove(&stack);
    }

    /// Forgets leases that are no more.
    pub(crate) fn retain(&self, is_there: impl Fn(StackId) -> bool) {
        self.made.lock().retain(|stack, _| is_there(*stack));
    }
}

/// Stores a list, however long that takes.
async fn keep(store: PackStore, list: PackList, made: Weak<Mutex<AllMade>>) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let (stack, range) = (list.stack, list.range);
    let blob = loop {
        match stored(&store, &list).await {
            Ok(blob) => break blob,
            Err(error) => {
                store.metrics.evidence_errors.inc();
                tracing::warn!(error = %WithCauses(&error), %stack, "a list of packs is not stored yet");
            }
        }
        tokio::time::sleep(backoff.failed()).await;
    };
    tracing::info!(%blob, packs = list.packs.len(), %stack, "a list of packs is stored");
    if let Some(made) = made.upgrade() {
        let blob = Some(blob);
        // this drops the handle of this very task, which is about to end
        made.lock()
            .insert(stack, Made::Stored(NamedPacks { range, blob }));
    }
}

async fn stored(store: &PackStore, list: &PackList) -> Result<BlobId, EvidenceError> {
    store.store_list(list.to_bytes()?).await
}
