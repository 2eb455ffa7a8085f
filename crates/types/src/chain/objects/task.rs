//! Tasks, and the nodes that offer to serve or to attest them.

use crate::{
    Address, EngineClass, MicroUsdc, NodeId, Price, Role, SecurityLevel, TaskId, TimestampMs,
    UnitWeights, hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// Whether a subscription takes new leases. A copy: what binds reads the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// It is drawn.
    Active,
    /// The node was not active, or below the task's minimums, when it was last looked at.
    Suspended,
    /// Another node has its place. Its promise stays until its last duty is over, and leaves with it.
    Evicted,
}

/// A node's promise to examine others' answers, with money of its own behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attester {
    /// Whether it is drawn: since it enrolled it was silent on no duty, and hasn't resigned.
    pub active: bool,
    /// What is left of its deposit; fines come out of it.
    pub stake: MicroUsdc,
    /// Fees not yet collected.
    pub earned: MicroUsdc,
    /// Duties not yet over; with one its deposit stays.
    pub duties: u64,
    /// When it was made: it is drawn for stacks that were bought then or later.
    pub since_ms: TimestampMs,
}

/// A node's offer in a task. Owner, collateral, reputation and attestation are copies, so that drawing
/// loads no node; claims and convictions refresh them, and `task::sync` does for anyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Id of the node's object.
    pub node: NodeId,
    /// The node's owner, who never changes.
    pub owner: Address,
    /// Its price, in micro-USDC for a million units.
    pub price: Price,
    /// Copy of the node's matured collateral.
    pub matured: MicroUsdc,
    /// Copy of the node's reputation.
    pub reputation: u64,
    /// Until when the node's attestation is good for this task; zero without.
    pub attested_until_ms: TimestampMs,
    /// Whether it is drawn.
    pub state: SubscriptionState,
    /// Its promise to examine others, if it made one.
    pub attester: Option<Attester>,
}

/// An image that the task's owner lets nodes run and attest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Digest of the image with its measurements.
    pub digest: Hash32,
    /// From when on it is good: everyone has the delay to look at it.
    pub from_ms: TimestampMs,
}

/// One model under one set of rules (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Id of this object.
    pub id: TaskId,
    /// Version of the rules that may touch it.
    pub version: u64,
    /// The number that the package gave it, from 1 in order of creation.
    pub number: u64,
    /// Who may deprecate it and list releases.
    pub owner: Address,
    /// The kind of work, such as chat completion.
    pub role: Role,
    /// The model's name, as requests give it.
    pub model_name: String,
    /// How it is secured.
    pub security_level: SecurityLevel,
    /// No subscription and no stack may be above this price.
    pub price_ceiling: Price,
    /// What things cost in units.
    pub weights: UnitWeights,
    /// What a verifier must run.
    pub engine: EngineClass,
    /// Nodes below it get no new leases.
    pub min_reputation: u64,
    /// Nodes below it get no new leases.
    pub min_collateral: MicroUsdc,
    /// Nodes that may subscribe; everyone if absent.
    pub allow_list: Option<Vec<NodeId>>,
    /// Since when there are no new stacks, subscriptions or leases.
    pub deprecated_at_ms: Option<TimestampMs>,
    /// Protocol fees, fines of attesters and lost bonds, not yet swept into the treasury.
    pub fees: MicroUsdc,
    /// Dues, which pay for examinations.
    pub dues: MicroUsdc,
    /// Releases that nodes may attest, where it is confidential.
    pub releases: Vec<Release>,
    /// The offers of the nodes that serve it.
    pub subscriptions: Vec<Subscription>,
}

impl Task {
    /// The subscription of a node.
    #[must_use]
    pub fn subscription(&self, node: NodeId) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.node == node)
    }

    /// Whether it takes no new business.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.deprecated_at_ms.is_some()
    }

    /// Whether a release may be attested now.
    #[must_use]
    pub fn releases(&self, digest: Hash32, now: TimestampMs) -> bool {
        let mut releases = self.releases.iter();
        releases.any(|release| release.digest == digest && release.from_ms <= now)
    }
}
