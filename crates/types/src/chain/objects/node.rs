//! Nodes: money, standing, keys.

use crate::{
    Address, BlobId, DurationMs, MicroUsdc, NodeId, PublicKey, SealingKey, TimestampMs,
    hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// Fees that a node's claims paid in one epoch of the treasury.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesInEpoch {
    /// The epoch: whole days since 1970.
    pub epoch: u64,
    /// What was paid.
    pub fees: MicroUsdc,
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeStatus {
    /// It may serve and take new leases.
    Active,
    /// Found guilty; no new leases before this time. Then it is as good as active.
    Jailed {
        /// When this ends, by the ledger's clock.
        until_ms: TimestampMs,
    },
    /// Leaving; it takes no new leases, and the collateral waits until this time.
    Unbonding {
        /// When this ends, by the ledger's clock.
        until_ms: TimestampMs,
    },
    /// Gone; the collateral is the owner's credit.
    Left,
}

impl NodeStatus {
    /// Whether a node may take new leases: a jail whose time is over counts no more.
    #[must_use]
    pub fn takes_leases(self, now: TimestampMs) -> bool {
        match self {
            Self::Active => true,
            Self::Jailed { until_ms } => until_ms <= now,
            Self::Unbonding { .. } | Self::Left => false,
        }
    }
}

/// Fines that wait for a pardon. A further fine makes all of them wait for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// All fines together, in micro-USDC.
    pub fines: MicroUsdc,
    /// The last moment of a pardon.
    pub until_ms: TimestampMs,
}

/// What is made of a node's history: reputation, and how much of it came when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// From 0 to 1000.
    pub reputation: u64,
    /// Fees paid that have not yet become a point.
    pub carried: MicroUsdc,
    /// The epoch that `gained` is of.
    pub epoch: u64,
    /// Points gained in it.
    pub gained: u64,
    /// Claims that were paid.
    pub paid: u64,
    /// How often it was convicted.
    pub convicted: u64,
}

/// A node's public word that it runs inside certain hardware with certain software. Clients verify the
/// evidence itself; the ledger only asks whether the task's owner has released what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// What kind of evidence it is; off-ledger code knows the kinds.
    pub kind: u8,
    /// Digest of the release that the node runs, which the task's owner must have listed. (What the hardware signs is in the
    /// evidence.)
    pub release: Hash32,
    /// Where the evidence is stored.
    pub evidence: BlobId,
    /// The last moment at which it opens a lease.
    pub expires_at_ms: TimestampMs,
}

/// A registered node (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Id of this object.
    pub id: NodeId,
    /// Version of the rules that may touch it.
    pub version: u64,
    /// The number that the package gave it, from 1 in order of creation.
    pub number: u64,
    /// Who may act for it. Never changes.
    pub owner: Address,
    /// What it stands to lose.
    pub collateral: MicroUsdc,
    /// The part of it that was added last.
    pub fresh: MicroUsdc,
    /// From when on it weighs.
    pub matures_at_ms: TimestampMs,
    /// What its open leases could cost it, by the terms of each; never above the collateral.
    pub at_stake: MicroUsdc,
    /// How long its collateral waits when it leaves, as when it registered.
    pub unbonding_ms: DurationMs,
    /// The owner's credit.
    pub earnings: MicroUsdc,
    /// Fines not yet the treasury's.
    pub pending: Pending,
    /// Whether it is active, jailed, leaving or gone.
    pub status: NodeStatus,
    /// Where it serves, `http(s)://…`.
    pub url: String,
    /// The public key by which receipts of new leases are checked.
    pub response_key: PublicKey,
    /// X25519 key that requests are sealed to, where it has one.
    pub sealing_key: Option<SealingKey>,
    /// Its word about its hardware and software, if any.
    pub attestation: Option<Attestation>,
    /// Its reputation, and how it came to it.
    pub standing: Standing,
    /// Tasks it is subscribed to; none when it unbonds.
    pub subscriptions: u64,
    /// Fees paid in the running epoch.
    pub current: FeesInEpoch,
    /// Fees paid in the last epoch it worked in, for the treasury's report.
    pub previous: FeesInEpoch,
    /// Fees reported and not yet shared.
    pub reported: FeesInEpoch,
}

impl Node {
    /// The collateral that has been there long enough to weigh.
    #[must_use]
    pub fn matured(&self, now: TimestampMs) -> MicroUsdc {
        if now >= self.matures_at_ms {
            return self.collateral;
        }
        MicroUsdc(self.collateral.0.saturating_sub(self.fresh.0))
    }

    /// Collateral that nothing is at stake for.
    #[must_use]
    pub fn free_collateral(&self) -> MicroUsdc {
        MicroUsdc(self.collateral.0.saturating_sub(self.at_stake.0))
    }
}
