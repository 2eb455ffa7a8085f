//! A request's body as it goes out.

use super::{Attested, Confidential, SealedAnswer, opening::first};
use crate::{Client, ClientError, NodeInfo, StackHandle};
use atoma_channel::{AnswerOpener, RequestTerms, seal_request};
use atoma_types::{
    ComputeUnits, NodeId, TaskId,
    message::{CommitmentKind, Endpoint, MAX_REQUEST_LIFETIME, Salt},
};
use bytes::Bytes;
use serde::Deserialize;
use std::sync::Arc;

/// What is asked, and who may answer.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Whose nodes answer.
    pub task: TaskId,
    /// Nodes of it, the best first; those whose evidence isn't good are left out.
    pub nodes: &'a [NodeId],
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The body in clear.
    pub text: &'a [u8],
    /// The most that it may cost.
    pub max_units: ComputeUnits,
}

/// A sealed body, and what opens its answer.
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) answer: SealedAnswer,
}

#[derive(Deserialize)]
struct Fields {
    stream: Option<bool>,
}

impl StackHandle {
    /// Seals a body to the node that is asked, once its evidence is good.
    pub(crate) async fn seal(
        &self,
        confidential: &Confidential,
        node: &NodeInfo,
        (endpoint, text, max_units): (Endpoint, &[u8], ComputeUnits),
        salt: &Salt,
    ) -> Result<Body, ClientError> {
        let task = self.state.task.id;
        let attested = self.client.attest(confidential, node, task).await?;
        attested.check_receipt_key(self.response_key(node))?;
        let asked = Sealing {
            task,
            nodes: &[node.id],
            endpoint,
            text,
            max_units,
        };
        let (sealed, opener) = self.client.seal_to(&[attested], &asked)?;
        let opener = opener.committing(salt.hasher(CommitmentKind::Answer));
        Ok(Body {
            bytes: sealed.into(),
            answer: SealedAnswer::new(opener, is_stream(endpoint, text)),
        })
    }
}

impl Client {
    /// Seals a body to nodes whose evidence is good, any of which may answer.
    pub(super) fn seal_to(
        &self,
        recipients: &[Arc<Attested>],
        asked: &Sealing<'_>,
    ) -> Result<(Vec<u8>, AnswerOpener), ClientError> {
        let now = self.runtime().now();
        let confidential = self.inner.config.confidential.as_ref();
        let terms = RequestTerms {
            network: self.ledger().network(),
            task: asked.task,
            endpoint: asked.endpoint,
            max_units: asked.max_units,
            issued_at: now,
            expires_at: now.saturating_add(MAX_REQUEST_LIFETIME),
            padding: confidential.map(|one| one.padding).unwrap_or_default(),
        };
        let keys: Vec<_> = recipients.iter().map(|one| one.keyset.clone()).collect();
        let sealed = seal_request(&terms, &keys, asked.text, &*self.runtime().random);
        sealed.map_err(|source| ClientError::Sealed {
            node: first(recipients),
            source,
        })
    }
}

/// Whether the answer to a body is a stream of events.
pub(super) fn is_stream(endpoint: Endpoint, text: &[u8]) -> bool {
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions => {
            let fields = serde_json::from_slice(text).unwrap_or(Fields { stream: None });
            fields.stream == Some(true)
        }
        Endpoint::Embeddings => false,
    }
}
