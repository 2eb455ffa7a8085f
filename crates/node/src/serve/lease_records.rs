//! The records of a lease, for the owner of its stack alone: so that a user can have what was lost on the way, what other
//! programs asked for, and what its node would rather not show. Signing ends where a node doesn't.

use super::{
    leases::LeaseRoutes,
    respond::{ok, refuse},
};
use crate::journal::Journal;
use atoma_runtime::{Threads, WithCauses};
use atoma_types::{
    StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json as object;
use std::sync::Arc;
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

/// Which ones are asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// Those with higher numbers than this.
    #[serde(default)]
    after: u64,
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
    async fn after(&self, stack: StackId, seq: u64) -> Result<Vec<Vec<u8>>, Refusal> {
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

/// Records of a lease as text, those after a number in order.
pub(super) async fn records(
    State(state): State<Arc<LeaseRoutes>>,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let not_a_stack = |_| Refusal::new(RefusalCode::NotFound, "not a stack id");
        let stack: StackId = id.parse().map_err(not_a_stack)?;
        state.asked_for(stack, &headers)?;
        let no_number = |_| Refusal::new(RefusalCode::InvalidBody, "`after` is a number");
        let Query(asked) = asked.map_err(no_number)?;
        state.records.after(stack, asked.after).await
    };
    match found.await {
        Ok(records) => {
            let records = records.iter().map(|record| BASE64_STANDARD.encode(record));
            ok(&object!({ "records": records.collect::<Vec<_>>() }))
        }
        Err(refusal) => refuse(&refusal),
    }
}
