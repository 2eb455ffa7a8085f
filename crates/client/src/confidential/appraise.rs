//! Asking a node for its evidence, and holding it against a policy.

use super::{
    AttestationFault,
    attested::{Attested, Confidential, Word},
};
use crate::{Client, ClientError, NodeInfo};
use atoma_channel::VerifiedKeyset;
use atoma_http::client::AnswerLimits;
use atoma_runtime::WithCauses;
use atoma_tee::{
    Appraisal, Bundle, Policy, Roots, appraise::Expected, limits::MAX_BUNDLE_BYTES, octets::Octets,
};
use atoma_types::{NodeId, TaskId, TimestampMs, hash::Hash32};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// Evidence is asked for once in a keyset's life; a node's hardware takes its time for it.
const EVIDENCE: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), MAX_BUNDLE_BYTES);

impl Client {
    /// A node's evidence, held against this client's policy: as checked before, while it holds, else asked for with a
    /// nonce that nobody knew. And whether `task` may be served by what the node runs: its owner's list of releases
    /// says so, for this task alone, and is read again every minute.
    ///
    /// # Errors
    ///
    /// If this client has no policy, the node can't be asked, its evidence isn't good enough, or the task doesn't list
    /// what it runs.
    pub fn attested(
        &self,
        node: NodeId,
        task: TaskId,
    ) -> BoxFuture<'_, Result<Arc<Attested>, ClientError>> {
        Box::pin(async move {
            let info = self.find_node(node).await?;
            let confidential = self.inner.config.confidential.as_ref();
            let confidential = confidential.ok_or(ClientError::NoPolicy)?;
            self.attest(confidential, &info, task).await
        })
    }

    /// A node's evidence for a nonce that nobody knew, which is returned with it. Nothing of it is checked.
    ///
    /// # Errors
    ///
    /// If the node can't be asked, or what it answers is no evidence.
    pub fn evidence(
        &self,
        node: NodeId,
    ) -> BoxFuture<'_, Result<(Bundle, Octets<32>), ClientError>> {
        Box::pin(async move {
            let node = self.find_node(node).await?;
            let (bytes, nonce) = self.fetch_evidence(&node).await?;
            let bundle = Bundle::from_bytes(&bytes).map_err(|fault| ClientError::Attestation {
                node: node.id,
                reason: fault.into(),
            })?;
            Ok((bundle, nonce))
        })
    }

    /// What a node shows for a new nonce.
    async fn fetch_evidence(&self, node: &NodeInfo) -> Result<(Bytes, Octets<32>), ClientError> {
        let nonce = Octets(self.runtime().random.bytes());
        let path = format!("/v1/attestation?nonce={nonce}");
        let bytes = self.inner.http.bytes(node, &path, EVIDENCE).await?;
        Ok((bytes, nonce))
    }

    pub(crate) async fn attest(
        &self,
        confidential: &Confidential,
        node: &NodeInfo,
        task: TaskId,
    ) -> Result<Arc<Attested>, ClientError> {
        let now = self.runtime().now();
        let known = &self.inner.attested;
        let attested = match known.good_at(node.id, now) {
            Some(attested) => attested,
            None => {
                let attested = Arc::new(self.ask_for_evidence(confidential, node, now).await?);
                known.keep(&attested);
                attested
            }
        };
        let word = known.word(&attested, task, now);
        if word == Word::Fresh {
            return Ok(attested);
        }
        match self.check_release(&attested, task).await {
            Ok(()) => known.released(&attested, task, now),
            // what it said last holds as long as the evidence does: answers don't end with the ledger's
            Err(ClientError::Ledger(error)) if word == Word::Old => {
                tracing::warn!(error = %WithCauses(&error), %task, "a task's releases can't be read");
            }
            Err(error) => {
                known.withdrawn(node.id, task);
                return Err(error);
            }
        }
        Ok(attested)
    }

    async fn ask_for_evidence(
        &self,
        confidential: &Confidential,
        node: &NodeInfo,
        now: TimestampMs,
    ) -> Result<Attested, ClientError> {
        let (bytes, nonce) = self.fetch_evidence(node).await?;
        let judged = judge(&confidential.policy, &bytes, node.id, nonce, now);
        judged.map_err(|reason| ClientError::Attestation {
            node: node.id,
            reason,
        })
    }

    /// Whether a task's owner lets what the node runs serve it, and what it runs may serve the task's model.
    async fn check_release(&self, attested: &Attested, task: TaskId) -> Result<(), ClientError> {
        let task = self.ledger().task(task).await?;
        let released = task.releases(attested.release_id, self.ledger().clock().await?);
        if task.security_level.confidential() && !released {
            return Err(ClientError::Attestation {
                node: attested.verdict.node,
                reason: AttestationFault::Release,
            });
        }
        attested.check_model(task.engine.model)
    }
}

/// What a node that was asked with a nonce shows.
fn judge(
    policy: &Policy,
    bytes: &[u8],
    node: NodeId,
    nonce: Octets<32>,
    now: TimestampMs,
) -> Result<Attested, AttestationFault> {
    let bundle = Bundle::from_bytes(bytes)?;
    let appraisal = Appraisal {
        roots: &Roots::pinned(),
        policy,
        at: now,
        expected: Expected {
            node: Some(node),
            nonce: Some(nonce),
            digest: None,
        },
    };
    let verdict = appraisal.judge(&bundle);
    if !verdict.accepted() {
        let codes = verdict.refusals();
        return Err(AttestationFault::Policy { codes });
    }
    let release = bundle.keyset.release;
    let named = policy.releases.iter().find(|known| known.id == release);
    Ok(Attested {
        release_id: Hash32(release.0),
        models: bundle.keyset.models,
        keyset: VerifiedKeyset::new(&bundle.keyset, &verdict)?,
        release: named.map(|known| known.name.clone()).unwrap_or_default(),
        receipt_key: bundle.keyset.receipt_key,
        verdict,
    })
}
