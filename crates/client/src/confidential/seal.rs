//! A request's body as it goes out.

use super::{Confidential, SealedAnswer};
use crate::{ClientError, NodeInfo, StackHandle};
use atoma_channel::{Order, seal_request};
use atoma_types::{
    ComputeUnits,
    message::{CommitmentKind, Endpoint, MAX_REQUEST_LIFETIME, Salt},
};
use bytes::Bytes;
use serde::Deserialize;

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
        let client = &self.client;
        let attested = client
            .attest(confidential, node, self.state.task.id)
            .await?;
        attested.check_receipt_key(self.response_key(node))?;
        let now = client.runtime().now();
        let order = Order {
            network: client.ledger().network(),
            task: self.state.task.id,
            endpoint,
            max_units,
            issued_at: now,
            expires_at: now.saturating_add(MAX_REQUEST_LIFETIME),
            padding: confidential.padding,
        };
        let recipients = [attested.keyset.clone()];
        let random = &*client.runtime().random;
        let (sealed, opener) =
            seal_request(&order, &recipients, text, random).map_err(|source| {
                ClientError::Sealed {
                    node: node.id,
                    source,
                }
            })?;
        let opener = opener.committing(salt.hasher(CommitmentKind::Answer));
        Ok(Body {
            bytes: sealed.into(),
            answer: SealedAnswer::new(opener, is_stream(endpoint, text)),
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
