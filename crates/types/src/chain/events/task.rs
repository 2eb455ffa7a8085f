//! Of tasks: releases, subscriptions, attesters.

use crate::{
    Address, MicroUsdc, NodeId, Price, Role, SecurityLevel, TaskId, TimestampMs, hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// A task was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCreated {
    /// Id of the task.
    pub task: TaskId,
    /// From 1, in order of creation.
    pub number: u64,
    /// Who may act for it.
    pub owner: Address,
    /// The kind of work.
    pub role: Role,
    /// The model's name.
    pub model_name: String,
    /// How it is secured.
    pub security_level: SecurityLevel,
    /// The highest price.
    pub price_ceiling: Price,
}

/// A task takes no new business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDeprecated {
    /// Id of the task.
    pub task: TaskId,
}

/// Somebody added to the pool of examinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFunded {
    /// Id of the task.
    pub task: TaskId,
    /// What was paid into the pool.
    pub amount: MicroUsdc,
    /// The task's pool, afterwards.
    pub dues: MicroUsdc,
}

/// A release will be good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseAnnounced {
    /// Id of the task.
    pub task: TaskId,
    /// Digest of the release.
    pub release: Hash32,
    /// From when on it is good.
    pub from_ms: TimestampMs,
}

/// A release is no longer good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseWithdrawn {
    /// Id of the task.
    pub task: TaskId,
    /// Digest of the release.
    pub release: Hash32,
}

/// A node subscribed, or changed its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// Id of the task.
    pub task: TaskId,
    /// Id of the node.
    pub node: NodeId,
    /// The node's price.
    pub price: Price,
}

/// A node is no longer subscribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// Id of the task.
    pub task: TaskId,
    /// Id of the node.
    pub node: NodeId,
    /// Whether another took its place.
    pub evicted: bool,
}

/// A node attests, was fined, was struck off, or resigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttesterChanged {
    /// Id of the task.
    pub task: TaskId,
    /// Id of the node.
    pub node: NodeId,
    /// Whether it is drawn.
    pub active: bool,
    /// What is left of its deposit.
    pub stake: MicroUsdc,
}

/// An attester's fees, and what is left of its deposit when it resigns, are its node's credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttesterPaid {
    /// Id of the task.
    pub task: TaskId,
    /// Id of the node.
    pub node: NodeId,
    /// What became the node's credit: its fees as an attester of the task, and its deposit where it resigned.
    pub amount: MicroUsdc,
}
