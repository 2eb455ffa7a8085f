//! What a new task says, in our own types; the one place that makes the call of it.

use super::{
    Event,
    call::{Call, calls},
};
use crate::{
    EngineClass, MicroUsdc, NodeId, ObjectId, Price, Role, SecurityLevel, TaskId, UnitWeights,
};

/// A task that is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The model's name, as requests give it.
    pub model: String,
    /// What must compute the answers.
    pub engine: EngineClass,
    /// What its nodes do.
    pub role: Role,
    /// How its answers are secured.
    pub security: SecurityLevel,
    /// Compute units for a thousand of each thing counted.
    pub weights: UnitWeights,
    /// The highest price that a node may ask, in micro-USDC per million units.
    pub price_ceiling: Price,
    /// The least reputation of its nodes, 0 to 1000.
    pub min_reputation: u64,
    /// The least collateral of its nodes.
    pub min_collateral: MicroUsdc,
    /// The only nodes that may subscribe; all may if absent.
    pub allow_list: Option<Vec<NodeId>>,
}

impl NewTask {
    /// A chat model that anyone may serve, with the usual weights.
    #[must_use]
    pub fn chat(model: impl Into<String>, engine: EngineClass, price_ceiling: Price) -> Self {
        Self {
            model: model.into(),
            engine,
            role: Role::ChatCompletion,
            security: SecurityLevel::None,
            weights: UnitWeights::TEXT,
            price_ceiling,
            min_reputation: 0,
            min_collateral: MicroUsdc::ZERO,
            allow_list: None,
        }
    }

    /// The call that creates it in this database.
    #[must_use]
    pub fn call(self, db: ObjectId) -> Call {
        calls::CreateTask {
            db: db.into(),
            role: self.role,
            model_name: self.model,
            security_level: self.security,
            price_ceiling: self.price_ceiling,
            weights: self.weights,
            model: self.engine.model,
            numerics: self.engine.numerics,
            rule: self.engine.rule,
            min_reputation: self.min_reputation,
            min_collateral: self.min_collateral,
            allow_list: self.allow_list,
        }
        .into()
    }

    /// The task that a transaction with these events created.
    #[must_use]
    pub fn created(events: &[Event]) -> Option<TaskId> {
        events.iter().find_map(|event| match event {
            Event::TaskCreated(created) => Some(created.task),
            _ => None,
        })
    }
}
