//! One ticket, from the blob that the ledger names to the place of each of its records.

use crate::{evidence::error::EvidenceError, metrics::Metrics};
use atoma_evidence::pack::{Named, Pack, PackError, TicketKey, TicketRecords, TicketSearch};
use atoma_runtime::Backoff;
use atoma_runtime::{Threads, WithCauses};
use atoma_types::{BlobId, NetworkId, hash::Hash32};
use atoma_walrus::client::WalrusClient;
use bytes::Bytes;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// After a failure reading rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long: answer windows are hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// All records of a ticket.
#[derive(Debug)]
pub(crate) struct Found {
    /// Which they are, by number and by unit.
    pub records: TicketRecords,
    /// The packs that have them, each with its root.
    pub packs: Vec<(BlobId, Hash32)>,
}

/// How tickets are read.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub network: NetworkId,
    pub client: WalrusClient,
    pub threads: Threads,
    pub metrics: Arc<Metrics>,
}

/// A blob in memory, and the place that it takes there.
struct Held<'a> {
    bytes: Bytes,
    _place: Option<SemaphorePermit<'a>>,
}

impl Search {
    /// Reads a ticket, however long Walrus can't be reached. `None` if its packs don't have the records that were
    /// settled: then nothing will change that.
    pub(super) async fn run(
        self,
        key: TicketKey,
        blob: BlobId,
        places: &Semaphore,
    ) -> Option<Found> {
        let (stack, ticket) = (key.stack, key.last.seq);
        tracing::warn!(
            %stack, ticket, %blob,
            "a record must be shown that this node's own log lacks: its ticket is read back from Walrus"
        );
        let search = Arc::new(Mutex::new(TicketSearch::new(key)));
        let mut packs = Vec::new();
        let (named, mut held) = self.packs(&key, blob, places).await;
        for blob in named {
            if search.lock().is_complete() {
                break;
            }
            let root = self.take(&search, blob, held.take(), places).await;
            packs.push((blob, root));
        }
        match Arc::into_inner(search)?.into_inner().finish() {
            Ok(records) => {
                self.metrics.tickets_read_back.inc();
                tracing::warn!(%stack, ticket, packs = packs.len(), "a ticket is read back");
                Some(Found { records, packs })
            }
            Err(error) => {
                self.metrics.read_back_errors.inc();
                let error = WithCauses(&error).to_string();
                tracing::error!(error, %stack, ticket, "the ticket's packs don't have what was settled");
                None
            }
        }
    }

    /// The packs that the ledger's blob leads to, and the blob itself if it is the only one.
    async fn packs<'a>(
        &self,
        key: &TicketKey,
        blob: BlobId,
        places: &'a Semaphore,
    ) -> (Vec<BlobId>, Option<Held<'a>>) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            match self.named(key, blob, places).await {
                Ok(named) => return named,
                Err(error) => self.rest(&error, blob, &mut backoff).await,
            }
        }
    }

    async fn named<'a>(
        &self,
        key: &TicketKey,
        blob: BlobId,
        places: &'a Semaphore,
    ) -> Result<(Vec<BlobId>, Option<Held<'a>>), EvidenceError> {
        let held = self.read(blob, places).await?;
        let bytes = held.bytes.clone();
        let named = self.threads.blocking(move || Named::from_bytes(bytes));
        match named.await.map_err(|_| EvidenceError::Stopped)?? {
            Named::Pack(_) => Ok((vec![blob], Some(held))),
            Named::List(list) => {
                if (list.network, list.stack) != (self.network, key.stack) {
                    return Err(PackError::Format("the list of packs is another lease's").into());
                }
                Ok((list.packs, None))
            }
        }
    }

    /// Finds what a pack has of the ticket; the pack's root.
    async fn take(
        &self,
        search: &Arc<Mutex<TicketSearch>>,
        blob: BlobId,
        mut held: Option<Held<'_>>,
        places: &Semaphore,
    ) -> Hash32 {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let read = match held.take() {
                Some(held) => Ok(held),
                None => self.read(blob, places).await,
            };
            let taken = match read {
                Ok(held) => self.taken(search, held).await,
                Err(error) => Err(error),
            };
            match taken {
                Ok(root) => return root,
                Err(error) => self.rest(&error, blob, &mut backoff).await,
            }
        }
    }

    async fn taken(
        &self,
        search: &Arc<Mutex<TicketSearch>>,
        held: Held<'_>,
    ) -> Result<Hash32, EvidenceError> {
        let (search, bytes) = (Arc::clone(search), held.bytes.clone());
        let taken = self.threads.blocking(move || {
            let pack = Pack::from_bytes(bytes)?;
            search.lock().take(&pack)?;
            Ok::<_, PackError>(pack.catalog().root())
        });
        Ok(taken.await.map_err(|_| EvidenceError::Stopped)??)
    }

    async fn read<'a>(
        &self,
        blob: BlobId,
        places: &'a Semaphore,
    ) -> Result<Held<'a>, EvidenceError> {
        // nobody closes it
        let place = places.acquire().await.ok();
        let bytes = self.client.read(blob).await?;
        Ok(Held {
            bytes,
            _place: place,
        })
    }

    async fn rest(&self, error: &EvidenceError, blob: BlobId, backoff: &mut Backoff) {
        self.metrics.read_back_errors.inc();
        tracing::warn!(error = %WithCauses(error), %blob, "a pack can't be read back yet");
        tokio::time::sleep(backoff.failed()).await;
    }
}
