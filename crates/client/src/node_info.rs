//! A node as it is known to those who ask it.

use crate::{ClientError, MalformedAnswer, NodeReach};
use atoma_keys::Verifier;
use atoma_types::{NodeId, PublicKey, chain::Node};
use std::{collections::HashMap, sync::Arc};
use tokio::time::Instant;

/// A node as its users need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The node's object on the ledger.
    pub id: NodeId,
    /// Where it serves, without a slash at the end.
    pub url: String,
    /// The public key that its receipts are signed with.
    pub response_key: PublicKey,
    pub(crate) verifier: Arc<Verifier>,
}

/// Nodes already read, with the time of the reading.
pub(crate) type NodeCache = HashMap<NodeId, (Instant, Arc<NodeInfo>)>;

impl NodeInfo {
    /// What `node` says, with the verifier of an older reading while the key is the same.
    pub(crate) fn new(
        node: &Node,
        known: Option<&Self>,
        reach: NodeReach,
    ) -> Result<Self, ClientError> {
        reach
            .check(&node.url)
            .map_err(|source| ClientError::Malformed {
                node: node.id,
                reason: MalformedAnswer::Url {
                    url: node.url.clone(),
                    source,
                },
            })?;
        let verifier = match known {
            Some(known) if known.response_key == node.response_key => Arc::clone(&known.verifier),
            _ => {
                let malformed = |_| ClientError::Malformed {
                    node: node.id,
                    reason: MalformedAnswer::ResponseKey,
                };
                Arc::new(Verifier::new(&node.response_key).map_err(malformed)?)
            }
        };
        Ok(Self {
            id: node.id,
            url: node.url.trim_end_matches('/').to_owned(),
            response_key: node.response_key,
            verifier,
        })
    }

    /// Checks what a key of the node's has signed: its present one, or that of an older lease.
    pub(crate) fn verifier_of(&self, key: &PublicKey) -> Option<Arc<Verifier>> {
        if *key == self.response_key {
            return Some(Arc::clone(&self.verifier));
        }
        Verifier::new(key).ok().map(Arc::new)
    }

    /// The URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}
