//! What the node can show for a request.

use super::respond::{ok, refuse};
use crate::{
    evidence::EvidenceLog,
    journal::{Found, Journal},
};
use atoma_evidence::second::{SecondRecord, joined_text};
use atoma_runtime::{Threads, WithCauses};
use atoma_types::{
    RequestId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::json as object;
use std::{sync::Arc, time::Duration};

#[derive(Debug)]
pub(crate) struct Receipts {
    pub journal: Journal,
    /// Where evidence is kept; none without a Walrus.
    pub evidence: Option<Arc<EvidenceLog>>,
    /// Where the journal is read.
    pub threads: Threads,
}

/// So long a question for a receipt waits for the disk before it is told to ask again.
const DISK_TIME: Duration = Duration::from_secs(10);

impl Receipts {
    async fn find(&self, id: RequestId) -> Result<Option<Found>, Refusal> {
        let journal = self.journal.clone();
        let found = self.threads.blocking(move || journal.find(id)).await;
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        found.map_err(|_| internal())?.map_err(|_| internal())
    }

    /// The receipt of a request. There is none only where none is on its way to the disk, either: users take a node that
    /// has none, and runs no such request, at its word.
    async fn find_for_certain(&self, id: RequestId) -> Result<Option<Found>, Refusal> {
        if let Some(found) = self.find(id).await? {
            return Ok(Some(found));
        }
        // whatever was sent before this is on the disk once it is
        let before = tokio::time::timeout(DISK_TIME, self.journal.change(Vec::new()).durable());
        if !matches!(before.await, Ok(Ok(()))) {
            let message = "receipts wait for the disk: ask again";
            return Err(Refusal::new(RefusalCode::Unavailable, message));
        }
        self.find(id).await
    }
}

/// A receipt by its request's id: whoever knows the id (16 random bytes) may have it. Behind it stands the second
/// record, as beside an answer.
pub(super) async fn receipt(State(kept): State<Arc<Receipts>>, Path(id): Path<String>) -> Response {
    let found = async {
        let id: RequestId = id
            .parse()
            .map_err(|_| Refusal::new(RefusalCode::NotFound, "not a request id"))?;
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        let found = kept.find_for_certain(id).await?;
        let none = || Refusal::new(RefusalCode::NotFound, "no receipt of this request");
        let Found { receipt, second } = found.ok_or_else(none)?;
        let second = second.as_deref().map(SecondRecord::from_bytes);
        let second = second.transpose().map_err(|_| internal())?;
        Ok((receipt, second))
    };
    match found.await {
        Ok((receipt, second)) => ok(&object!({
            "request_id": receipt.message().request_id.to_string(),
            "receipt": joined_text(&receipt.to_text(), second.as_ref()),
        })),
        Err(refusal) => refuse(&refusal),
    }
}

/// All that the node can show for a receipt: where its record is stored, and its place in what was
/// settled. Open to whoever knows the id, like the receipt.
pub(super) async fn proof(State(kept): State<Arc<Receipts>>, Path(id): Path<String>) -> Response {
    let found = async {
        let id: RequestId = id
            .parse()
            .map_err(|_| Refusal::new(RefusalCode::NotFound, "not a request id"))?;
        let Some(evidence) = &kept.evidence else {
            let message = "this node keeps no evidence: it has no Walrus";
            return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
        };
        let proof = evidence.prove(id).await.map_err(|error| {
            tracing::warn!(error = %WithCauses(&error), "a proof can't be given");
            Refusal::new(
                RefusalCode::EvidenceUnavailable,
                "the proof can't be given now",
            )
        })?;
        proof.ok_or_else(|| Refusal::new(RefusalCode::NotFound, "no receipt of this request"))
    };
    match found.await {
        Ok(proof) => ok(&proof),
        Err(refusal) => refuse(&refusal),
    }
}
