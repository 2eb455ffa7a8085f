//! Reading the records of a lease, a page at a time.

use crate::journal::Journal;
use atoma_runtime::{Threads, WithCauses};
use atoma_types::{
    StackId,
    refusal::{Refusal, RefusalCode},
};
use tokio::sync::Semaphore;

/// Records of one answer: read in a few milliseconds, some 300 KiB of text.
const RECORDS_PER_PAGE: usize = 256;
/// Bytes of the records of one answer, whatever is in them; the first one always goes.
const PAGE_BYTES: usize = 512 << 10;
/// Answers that are read at once: further ones wait, so that users who read all they have leave the disk to requests.
const PAGES_AT_ONCE: usize = 4;

/// Reads the records of leases.
#[derive(Debug)]
pub(crate) struct LeaseRecords {
    journal: Journal,
    threads: Threads,
    turns: Semaphore,
}

impl LeaseRecords {
    pub(crate) fn new(journal: Journal, threads: Threads) -> Self {
        Self {
            journal,
            threads,
            turns: Semaphore::new(PAGES_AT_ONCE),
        }
    }

    /// The records of a lease with higher numbers than one, in order, as far as they go into one answer.
    pub(super) async fn after(&self, stack: StackId, seq: u64) -> Result<Vec<Vec<u8>>, Refusal> {
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        let _turn = self.turns.acquire().await.map_err(|_| internal())?;
        let journal = self.journal.clone();
        let read = move || journal.records_after(stack, seq, RECORDS_PER_PAGE, PAGE_BYTES);
        let read = self.threads.blocking(read).await;
        read.map_err(|_| internal())?.map_err(|error| {
            tracing::error!(error = %WithCauses(&error), "records cannot be read");
            internal()
        })
    }
}
