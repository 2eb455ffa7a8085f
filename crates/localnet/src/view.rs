//! The committed state, as all that serve read it.

use crate::{execution::gas, state::State, store::Batch};
use sui_sdk_types::{CheckpointSummary, GasCostSummary};

/// The committed state.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) state: State,
    /// The last checkpoint sealed.
    pub(crate) tip: CheckpointSummary,
    /// What all transactions cost together, those not yet sealed included.
    pub(crate) gas: GasCostSummary,
}

impl View {
    /// Takes in what was written.
    pub(crate) fn apply(&mut self, batch: &Batch) {
        for (executed, delta) in &batch.executed {
            self.state.apply(delta);
            self.gas = gas::add(&self.gas, executed.effects.gas_summary());
        }
        if let Some(sealed) = batch.sealed.last() {
            self.tip = sealed.summary.clone();
        }
    }
}
