//! Asking a node for its evidence, and holding it against a policy.

use super::{
    AttestationFault,
    attested::{Attested, Confidential},
};
use crate::{Client, ClientError, NodeInfo};
use atoma_channel::VerifiedKeyset;
use atoma_http::client::AnswerLimits;
use atoma_tee::{
    Appraisal, Bundle, Policy, Roots, appraise::Expected, limits::MAX_BUNDLE_BYTES, octets::Octets,
};
use atoma_types::{NodeId, TaskId, TimestampMs, hash::Hash32};
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// Evidence is asked for once in a keyset's life; a node's hardware takes its time for it.
const EVIDENCE: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), MAX_BUNDLE_BYTES);

impl Client {
    /// A node's evidence, held against this client's policy: as checked before, while it holds, else asked for with a
    /// nonce that nobody knew.
    ///
    /// # Errors
    ///
    /// If this client has no policy, the node can't be asked, or its evidence isn't good enough.
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

    pub(crate) async fn attest(
        &self,
        confidential: &Confidential,
        node: &NodeInfo,
        task: TaskId,
    ) -> Result<Arc<Attested>, ClientError> {
        let now = self.runtime().now();
        if let Some(known) = self.inner.attested.good_at(node.id, now) {
            return Ok(known);
        }
        let nonce = Octets(self.runtime().random.bytes());
        let path = format!("/v1/attestation?nonce={nonce}");
        let bytes = self.inner.http.bytes(node, &path, EVIDENCE).await?;
        let judged = judge(&confidential.policy, &bytes, node.id, nonce, now);
        let refuse = |reason| ClientError::Attestation {
            node: node.id,
            reason,
        };
        let (release, attested) = judged.map_err(refuse)?;
        let task = self.ledger().task(task).await?;
        let released = task.releases(release, self.ledger().clock().await?);
        if task.security_level.confidential() && !released {
            return Err(refuse(AttestationFault::Release));
        }
        let attested = Arc::new(attested);
        self.inner.attested.keep(&attested);
        Ok(attested)
    }
}

/// What a node that was asked with a nonce shows. Gives its release, and what to remember.
fn judge(
    policy: &Policy,
    bytes: &[u8],
    node: NodeId,
    nonce: Octets<32>,
    now: TimestampMs,
) -> Result<(Hash32, Attested), AttestationFault> {
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
    let attested = Attested {
        keyset: VerifiedKeyset::new(&bundle.keyset, &verdict)?,
        release: named.map(|known| known.name.clone()).unwrap_or_default(),
        receipt_key: bundle.keyset.receipt_key,
        verdict,
    };
    Ok((Hash32(release.0), attested))
}
