//! What a prompt must fit into: the model's context, what its user pays for, and what is left of the lease.

use crate::tasks::ServedTask;
use atoma_types::{
    ComputeUnits, UnitWeights,
    estimate::output_that_fits,
    refusal::{Refusal, RefusalCode},
};

/// Numbers of tokens.
#[derive(Clone, Copy, Debug)]
pub(in crate::serve) struct Room {
    /// Of the engine's context; 0 if it doesn't say.
    pub context: u64,
    /// Of input that the user's `max_units` pay for.
    pub paid: u64,
    /// Of input that what is left of the lease pays for.
    pub leased: u64,
    /// Units that are left of the lease.
    left: ComputeUnits,
}

impl Room {
    /// Of a request that may cost so many units, on a lease with so many left.
    pub(in crate::serve) fn of(
        task: &ServedTask,
        max_units: ComputeUnits,
        left: ComputeUnits,
    ) -> Self {
        Self::new(task.engine.context(), &task.weights, max_units, left)
    }

    pub(super) fn new(
        context: usize,
        weights: &UnitWeights,
        max_units: ComputeUnits,
        left: ComputeUnits,
    ) -> Self {
        // input is paid for like output here, at what is reserved for it: nobody knows how much of it is cached
        let input = UnitWeights {
            output: weights.input.max(weights.cached_input),
            input: 0,
            cached_input: 0,
            ..*weights
        };
        let tokens = |units| output_that_fits(&input, 0, units).unwrap_or(0);
        Self {
            context: context as u64,
            paid: tokens(max_units),
            leased: tokens(left),
            left,
        }
    }

    /// Tokens that there is money for.
    pub(super) fn money(self) -> u64 {
        self.paid.min(self.leased)
    }

    /// Why at least so many tokens don't fit, if they don't.
    pub(super) fn check(self, least: u64) -> Result<(), Refusal> {
        if self.context > 0 && least > self.context {
            let message = format!(
                "the prompt has more than {least} tokens; the context holds {}",
                self.context
            );
            let refusal = Refusal::new(RefusalCode::ContextTooLong, message);
            return Err(refusal.needed(self.context));
        }
        if least > self.paid {
            let message =
                format!("max_units do not pay for the prompt, of more than {least} tokens");
            return Err(Refusal::new(RefusalCode::MaxUnitsTooLow, message));
        }
        if least > self.leased {
            let left = self.left.0;
            let message = format!(
                "the {left} units left of the lease do not pay for the prompt, of more than {least} tokens"
            );
            return Err(Refusal::new(RefusalCode::LeaseExhausted, message).needed(left));
        }
        Ok(())
    }
}
