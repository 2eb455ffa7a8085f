//! Of nodes: registration, collateral, earnings, fines.

use crate::{
    Address, MicroUsdc, NodeId, PublicKey, SealingKey,
    chain::{Attestation, NodeStatus},
};
use serde::{Deserialize, Serialize};

/// A node was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRegistered {
    /// Id of the node.
    pub node: NodeId,
    /// From 1, in order of creation.
    pub number: u64,
    /// Who may act for it.
    pub owner: Address,
    /// What it stands to lose, afterwards.
    pub collateral: MicroUsdc,
    /// Where it serves.
    pub url: String,
    /// Checks the receipts of leases from now on.
    pub response_key: PublicKey,
    /// X25519, if requests may be sealed.
    pub sealing_key: Option<SealingKey>,
}

/// A node serves elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMoved {
    /// Id of the node.
    pub node: NodeId,
    /// Where it serves.
    pub url: String,
}

/// A node has other keys; open leases keep the old response key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeKeysChanged {
    /// Id of the node.
    pub node: NodeId,
    /// Checks the receipts of leases from now on.
    pub response_key: PublicKey,
    /// X25519, if requests may be sealed.
    pub sealing_key: Option<SealingKey>,
}

/// A node stated what it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAttested {
    /// Id of the node.
    pub node: NodeId,
    /// What it stated.
    pub attestation: Attestation,
}

/// Collateral was added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollateralAdded {
    /// Id of the node.
    pub node: NodeId,
    /// What it stands to lose, afterwards.
    pub collateral: MicroUsdc,
}

/// A node was jailed, or leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatusChanged {
    /// Id of the node.
    pub node: NodeId,
    /// As it is now.
    pub status: NodeStatus,
}

/// A node is gone; its collateral is its owner's credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeLeft {
    /// Id of the node.
    pub node: NodeId,
    /// Its collateral, which became its owner's credit.
    pub amount: MicroUsdc,
}

/// A node's credit was paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningsWithdrawn {
    /// Id of the node.
    pub node: NodeId,
    /// Who got the coin.
    pub to: Address,
    /// What was paid out: the whole credit.
    pub amount: MicroUsdc,
}

/// The administrator returned fines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinesPardoned {
    /// Id of the node.
    pub node: NodeId,
    /// What of its fines went back to its collateral.
    pub amount: MicroUsdc,
    /// What it stands to lose, afterwards.
    pub collateral: MicroUsdc,
}

/// Fines became the treasury's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinesForfeited {
    /// Id of the node.
    pub node: NodeId,
    /// What the treasury got: all fines that waited.
    pub amount: MicroUsdc,
}
