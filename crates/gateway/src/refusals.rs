//! Refusals that several places of the gateway give; the others stand where they are decided. What follows from a node's refusal stands
//! in [`atoma_client::retry`].

use crate::budget::Amount;
use atoma_types::{
    ComputeUnits, MicroUsdc,
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
pub(crate) fn no_stack(units: ComputeUnits, needed: MicroUsdc) -> Refusal {
    let message = format!(
        "no stack of yours has room for this request, which may cost up to {} units: buy one with `atoma stack \
         buy`, ask for fewer tokens (`max_tokens`), or start `atoma proxy` with a --budget that has {needed} left",
        units.0
    );
    Refusal::new(RefusalCode::BudgetExceeded, message).needed(units.0)
}

/// No node has collateral for a lease of so many units; `shorter` is the longest answer that one could take on.
pub(crate) fn too_large(units: ComputeUnits, most: ComputeUnits, shorter: Option<u64>) -> Refusal {
    if units <= most {
        let message = format!(
            "no node has collateral free beside its other leases for a request that may cost up to {} units: \
             try again in a moment, or name a smaller `max_tokens`",
            units.0
        );
        return Refusal::new(RefusalCode::Overloaded, message);
    }
    let name = shorter.map_or_else(
        || "send a shorter prompt".to_owned(),
        |tokens| format!("name a `max_tokens` of at most {tokens}"),
    );
    let message = format!(
        "this request may cost up to {} units, and no node can take on more than {}: {name}",
        units.0, most.0
    );
    Refusal::new(RefusalCode::InvalidBody, message)
        .param("max_tokens")
        .needed(units.0)
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
