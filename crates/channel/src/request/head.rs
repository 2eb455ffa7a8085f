//! What stands in clear before a sealed request.

use crate::{
    fault::{Fault, Result},
    key::ENCAPSULATED,
    limits::MAX_RECIPIENTS,
    padding::Padding,
};
use atoma_tee::{
    bounded::List,
    octets::{Digest, Octets},
};
use atoma_types::{
    ComputeUnits, NetworkId, NodeId, TaskId, TimestampMs,
    message::{Endpoint, MAX_REQUEST_LIFETIME, RequestHeader},
};
use serde::{Deserialize, Serialize};

/// What a client says openly of its request: what a gateway needs to choose a node and to sign for it. Nobody can
/// change it unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTerms {
    /// The ledger that it is for.
    pub network: NetworkId,
    /// The task, which names the model.
    pub task: TaskId,
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The most that it may cost: a node charges no more, whatever a gateway signs.
    pub max_units: ComputeUnits,
    /// When it was sealed, by the client's clock.
    pub issued_at: TimestampMs,
    /// When it becomes worthless, at most 120 seconds later.
    pub expires_at: TimestampMs,
    /// How the answer is to be padded.
    pub padding: Padding,
}

/// The head of a sealed request.
///
/// # BCS (123 bytes, and 1,188 for each recipient)
/// ```text
/// network     32   task 32
/// endpoint     1   0 chat, 1 completions, 2 embeddings
/// max_units    8   u64 le
/// issued_at    8   u64 le, milliseconds since 1970   expires_at 8
/// padding      1   of the answer: 0 blocks, 1 even
/// commitment  32   to the content key
/// recipients   1   ULEB128 count, 1 to 4, then of each: node 32, keyset's digest 32, key id u32 le,
///                  encapsulated key 1,120
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// The ledger that it is for.
    pub network: NetworkId,
    /// The task, which names the model.
    pub task: TaskId,
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The most that it may cost.
    pub max_units: ComputeUnits,
    /// When it was sealed, by the client's clock.
    pub issued_at: TimestampMs,
    /// When it becomes worthless.
    pub expires_at: TimestampMs,
    /// How the answer is to be padded.
    pub padding: Padding,
    /// Says which key the request is encrypted with.
    pub commitment: Digest,
    /// Who can open it.
    pub recipients: List<Recipient, MAX_RECIPIENTS>,
}

/// A node that can open a request; see [`RequestHead`] for its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Id of the node on the ledger.
    pub node: NodeId,
    /// Which keyset of its.
    pub keyset: Digest,
    /// Which key of this keyset.
    pub key_id: u32,
    /// By what node and client agree on a secret.
    pub encapsulated: Octets<ENCAPSULATED>,
}

impl RequestHead {
    /// The node's place among the recipients.
    #[must_use]
    pub fn place_of(&self, node: NodeId) -> Option<usize> {
        self.recipients.iter().position(|one| one.node == node)
    }

    /// Whether what was signed for is what was sealed: network, task and endpoint are the same, the node is a
    /// recipient, and it charges no more than the client allows. Both expire by themselves. Who signs may be a gateway
    /// that can't read the request; that it signed for these bytes its `body_hash` says.
    ///
    /// # Errors
    /// [`Fault::Header`] if not.
    pub fn fits(&self, header: &RequestHeader) -> Result<()> {
        let same = header.network == self.network
            && header.task == self.task
            && header.endpoint == self.endpoint;
        let asked = self.place_of(header.node).is_some();
        if !same || !asked || header.max_units > self.max_units {
            return Err(Fault::Header);
        }
        Ok(())
    }

    /// What can be seen without keys: there are recipients, each node once, and the request lives no longer than requests
    /// may.
    pub(crate) fn check(&self) -> Result<()> {
        let nodes = &self.recipients;
        let again = |(i, one): (usize, &Recipient)| nodes[..i].iter().any(|b| b.node == one.node);
        if nodes.is_empty() || nodes.iter().enumerate().any(again) {
            return Err(Fault::Recipients);
        }
        check_lifetime(self.issued_at, self.expires_at)
    }
}

pub(crate) fn check_lifetime(issued_at: TimestampMs, expires_at: TimestampMs) -> Result<()> {
    let lives = expires_at.since(issued_at);
    if lives.0 == 0 || lives > MAX_REQUEST_LIFETIME {
        return Err(Fault::Lifetime);
    }
    Ok(())
}
