//! What the node can show for a request.

use super::respond::{ok, refuse};
use crate::{
    evidence::EvidenceLog,
    journal::{Found, Journal},
};
use atoma_evidence::second::{SecondRecord, joined_text};
use atoma_runtime::{Threads, WithCauses};
use atoma_types::{
    RequestId, StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
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

    async fn find(&self, (stack, id): Which) -> Result<Option<Found>, Refusal> {
        let journal = self.journal.clone();
        let found = self.threads.blocking(move || journal.find(stack, id)).await;
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        found.map_err(|_| internal())?.map_err(|_| internal())
    }

    /// The receipt of a request. There is none only where none is on its way to the disk, either: users take a node that
    /// has none, and runs no such request, at its word.
    async fn find_for_certain(&self, which: Which) -> Result<Option<Found>, Refusal> {
        if let Some(found) = self.find(which).await? {
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
            Ok(Ok(())) => self.find(which).await,
            _ => Err(later()),
        }
    }
}

/// The stack that a question is about, and its request.
type Which = (StackId, RequestId);

/// Whose request it is. Ids are chosen by those who sign: a node may have receipts of several stacks for one.
#[derive(Deserialize)]
pub(super) struct Of {
    stack: StackId,
}

/// What a question names.
fn which(id: &str, of: Result<Query<Of>, QueryRejection>) -> Result<Which, Refusal> {
    let no_id = |_| Refusal::new(RefusalCode::NotFound, "not a request id");
    let id = id.parse().map_err(no_id)?;
    let no_stack = |_| {
        Refusal::new(
            RefusalCode::InvalidBody,
            "`stack` names the request's stack",
        )
    };
    let Query(of) = of.map_err(no_stack)?;
    Ok((of.stack, id))
}

/// A receipt by its stack and its request's id: whoever knows the id (16 random bytes) may have it. Behind it stands the
/// second record, as beside an answer.
pub(super) async fn receipt(
    State(kept): State<Arc<Receipts>>,
    Path(id): Path<String>,
    of: Result<Query<Of>, QueryRejection>,
) -> Response {
    let found = async {
        let which = which(&id, of)?;
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        let found = kept.find_for_certain(which).await?;
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
pub(super) async fn proof(
    State(kept): State<Arc<Receipts>>,
    Path(id): Path<String>,
    of: Result<Query<Of>, QueryRejection>,
) -> Response {
    let found = async {
        let (stack, id) = which(&id, of)?;
        let Some(evidence) = &kept.evidence else {
            let message = "this node keeps no evidence: it has no Walrus";
            return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
        };
        let proof = evidence.prove(stack, id).await.map_err(|error| {
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
    use atoma_types::Address;

    #[tokio::test]
    async fn no_more_than_so_many_questions_wait_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let key = Arc::new(SigningKey::from_seed(&[7; 32]));
        let opened = Journal::open(folder.path(), key, |_| {}, &SystemRandom, Threads::Real);
        let receipts = Receipts::new(opened.unwrap().journal, None, Threads::Real);
        let which = (StackId(Address::new([1; 32])), RequestId([1; 16]));
        assert!(receipts.find_for_certain(which).await.unwrap().is_none());

        let places = receipts.waiting.try_acquire_many(MOST_WAITING as u32);
        let refused = receipts.find_for_certain(which).await.unwrap_err();
        assert_eq!(
            refused.code,
            RefusalCode::Unavailable,
            "not that there is none"
        );
        drop(places);
        assert!(receipts.find_for_certain(which).await.unwrap().is_none());
    }
}
