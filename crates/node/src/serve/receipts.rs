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
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct Receipts {
    journal: Journal,
    /// Where evidence is kept; none without a Walrus.
    evidence: Option<Arc<EvidenceLog>>,
    /// Where the journal is read.
    threads: Threads,
    /// Places of questions that wait for the disk.
    waiting: Semaphore,
}

/// So long a question for a receipt waits for the disk before it is told to ask again.
const DISK_TIME: Duration = Duration::from_secs(10);

/// So many questions at once wait for the disk; others are told to ask again. Each has an operation in the journal's
/// queue, anyone may ask, and while the disk hangs none is taken out. Where it doesn't, a wait is a few milliseconds.
const MOST_WAITING: usize = 64;

impl Receipts {
    /// All of a node's.
    pub(crate) fn new(
        journal: Journal,
        evidence: Option<Arc<EvidenceLog>>,
        threads: Threads,
    ) -> Self {
        Self {
            journal,
            evidence,
            threads,
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

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
        let later = || {
            let message = "receipts wait for the disk: ask again";
            Refusal::new(RefusalCode::Unavailable, message)
        };
        let _place = self.waiting.try_acquire().map_err(|_| later())?;
        // whatever was sent before this is on the disk once it is
        let before = tokio::time::timeout(DISK_TIME, self.journal.change(Vec::new()).durable());
        match before.await {
            Ok(Ok(())) => self.find(id).await,
            _ => Err(later()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_keys::SigningKey;
    use atoma_runtime::SystemRandom;

    #[tokio::test]
    async fn no_more_than_so_many_questions_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let key = Arc::new(SigningKey::from_seed(&[7; 32]));
        let opened = Journal::open(folder.path(), key, |_| {}, &SystemRandom, Threads::Real);
        let receipts = Receipts::new(opened.unwrap().journal, None, Threads::Real);
        let id = RequestId([1; 16]);
        assert!(receipts.find_for_certain(id).await.unwrap().is_none());

        let places = receipts.waiting.try_acquire_many(MOST_WAITING as u32);
        let refused = receipts.find_for_certain(id).await.unwrap_err();
        assert_eq!(
            refused.code,
            RefusalCode::Unavailable,
            "not that there is none"
        );
        drop(places);
        assert!(receipts.find_for_certain(id).await.unwrap().is_none());
    }
}
