//! Tickets whose records this node's own log lacks, read back from Walrus: its disk was lost, or an old copy of it was
//! put back. The ledger has the ticket's last receipt and the blob that leads to its packs; what is found is what that
//! receipt binds, so nobody is believed.
//!
//! A ticket is read once, however many of its records are asked for, in a task of its own that goes on where Walrus
//! failed it, for as long as something of the ticket must be shown. Of what is read a place and two hashes are kept
//! for each record; the records themselves are fetched again when they are shown.

mod shelf;
mod ticket;

use super::log::EvidenceLog;
use crate::{identity::Identity, metrics::Metrics};
use atoma_evidence::pack::{PackError, Place, Record, RemotePack, TicketKey};
use atoma_types::{BlobId, StackId, merkle::Proof};
use parking_lot::Mutex;
pub(super) use shelf::TicketName;
use shelf::{Shelf, Slot, State};
use std::{collections::BTreeSet, sync::Arc};
use ticket::{Found, Search};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::AbortOnDropHandle;

/// Packs in memory at once, each of 256 MiB at most and 10 MiB as nodes write them.
const PACKS_AT_ONCE: usize = 2;

/// What is known of a ticket's records.
#[derive(Debug)]
pub(crate) enum Known {
    /// They are being read, or wait for others.
    Reading,
    /// What the ledger's blob leads to are not the records that were settled.
    Lacking,
    /// A record of it, with its path to the ticket's last receipt and its place in the pack that has it.
    Record {
        record: Box<Record>,
        path: Proof,
        place: Place,
    },
}

/// Reads tickets back.
#[derive(Debug)]
pub(crate) struct ReadBack {
    search: Search,
    places: Arc<Semaphore>,
    shelf: Mutex<Shelf<Arc<Found>>>,
    /// Hears of a stack once its ticket is read.
    done: mpsc::UnboundedSender<StackId>,
}

impl ReadBack {
    pub(crate) fn new(
        log: &EvidenceLog,
        us: Identity,
        metrics: &Arc<Metrics>,
        done: &mpsc::UnboundedSender<StackId>,
    ) -> Self {
        Self {
            search: Search {
                network: us.network,
                client: log.client.clone(),
                threads: log.runtime.threads,
                metrics: Arc::clone(metrics),
            },
            places: Arc::new(Semaphore::new(PACKS_AT_ONCE)),
            shelf: Mutex::default(),
            done: done.clone(),
        }
    }

    /// Of these tickets something must be shown; nothing more is read for others.
    pub(crate) fn want(&self, wanted: BTreeSet<TicketName>) {
        self.shelf.lock().want(wanted);
    }

    /// The record of a ticket that `which` names by its `seq`; begins to read the ticket if that hasn't begun.
    pub(crate) async fn record(
        &self,
        key: TicketKey,
        blob: BlobId,
        which: impl FnOnce(&Found) -> Option<u64>,
    ) -> Result<Known, PackError> {
        let name = (key.stack, key.last.seq);
        let begin = |slot: Slot<Arc<Found>>| {
            let (search, places) = (self.search.clone(), Arc::clone(&self.places));
            let done = self.done.clone();
            let read = async move {
                let found = search.run(key, blob, &places).await.map(Arc::new);
                // only this task fills it
                let _ = slot.set(found);
                let _ = done.send(key.stack);
            };
            AbortOnDropHandle::new(tokio::spawn(read))
        };
        let records = key.last.seq.saturating_sub(key.last.base);
        let state = self.shelf.lock().get(name, records, begin);
        let found = match state {
            State::Waiting => return Ok(Known::Reading),
            State::Done(None) => return Ok(Known::Lacking),
            State::Done(Some(found)) => found,
        };
        let Some((at, path)) = which(&found).and_then(|seq| found.records.find(seq)) else {
            return Ok(Known::Lacking);
        };
        let Some(&(pack, root)) = found.packs.get(at.pack as usize) else {
            return Ok(Known::Lacking);
        };
        let remote = RemotePack::open(self.search.client.clone(), pack, root).await?;
        let record = Box::new(remote.record(at.place as usize).await?);
        let place = Place {
            blob: pack,
            range: remote.catalog().entry(at.place as usize)?.range(),
        };
        Ok(Known::Record {
            record,
            path,
            place,
        })
    }
}
