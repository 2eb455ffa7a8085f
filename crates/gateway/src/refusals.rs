//! Refusals that several places of the gateway give; the others stand where they are decided. What follows from a node's refusal stands
//! in [`atoma_client::retry`].

use crate::budget::Amount;
use atoma_types::{
    ComputeUnits,
    refusal::{Refusal, RefusalCode},
};

/// No node was left to try.
pub(crate) fn exhausted(all_busy: bool) -> Refusal {
    if all_busy {
        Refusal::new(
            RefusalCode::Overloaded,
            "every node is at its limit: try again in a moment",
        )
    } else {
        Refusal::new(
            RefusalCode::Unavailable,
            "no node can serve this model now: try again later",
        )
    }
}

/// The user's own stacks pay, and none has room.
pub(crate) fn no_stack(units: ComputeUnits) -> Refusal {
    let message = format!(
        "no stack of yours has room for this request, which may cost up to {} units: buy one with `atoma stack \
         buy`, ask for fewer tokens, or start `atoma proxy` with a --budget",
        units.0
    );
    Refusal::new(RefusalCode::BudgetExceeded, message).needed(units.0)
}

/// The key's budget has less left than the request may cost.
pub(crate) fn over_budget(units: ComputeUnits, worst: Amount) -> Refusal {
    let message = format!(
        "the key's budget does not cover this request: it may cost up to {} units, {worst}",
        units.0
    );
    Refusal::new(RefusalCode::BudgetExceeded, message).needed(worst.whole().0)
}

/// Too many of the key's answers wait for what they cost.
pub(crate) fn too_many_unsettled() -> Refusal {
    let message = "too many requests of this key are under way, or were left and wait for their receipts: try \
                   again in a moment";
    Refusal::new(RefusalCode::Overloaded, message)
}

/// `/v1` knows no such model.
pub(crate) fn unknown_model(model: &str) -> Refusal {
    // enough to recognise a name, and no more of what may be anything
    const SHOWN: usize = 100;
    let name: String = model.chars().take(SHOWN).collect();
    let message = format!("the model `{name}` does not exist here: see /v1/models");
    Refusal::new(RefusalCode::UnknownModel, message).param("model")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut() {
        let refusal = unknown_model(&"ü".repeat(5_000));
        assert!(refusal.message.len() < 400);
        assert_eq!(refusal.param.as_deref(), Some("model"));
    }
}

/// What can be read here isn't taken there.
pub(crate) fn only_sealed() -> Refusal {
    let message = "the model takes sealed requests alone: `atoma proxy --confidential` or `atoma chat --confidential` seal them";
    Refusal::new(RefusalCode::NotSealed, message)
}

/// A sealed request names its task and no model.
pub(crate) fn unknown_task() -> Refusal {
    Refusal::new(
        RefusalCode::UnknownModel,
        "this gateway does not serve the task that the request is sealed for",
    )
}
