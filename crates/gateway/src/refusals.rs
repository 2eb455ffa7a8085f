//! Refusals that several places of the gateway give; the others stand where they are decided. What follows from a node's refusal stands
//! in [`atoma_client::retry`].

use crate::budget::Amount;
use atoma_types::{
    Address, ComputeUnits, MicroUsdc,
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

/// The user's own stacks pay, and none has room; a purchase would take so much, and so much is left of the budget.
/// `shorter` is the longest answer that this pays for.
pub(crate) fn no_stack(
    units: ComputeUnits,
    [needed, left]: [MicroUsdc; 2],
    shorter: Option<u64>,
) -> Refusal {
    let has = match left {
        MicroUsdc::ZERO => "nothing is left of --budget".to_owned(),
        left => format!("{left} are left of --budget"),
    };
    let message = format!(
        "no stack of yours has room for this request, which may cost up to {} units, {needed}, and {has}: start \
         `atoma proxy` with a --budget of {needed} or more, buy a stack with `atoma stack buy`, or {}",
        units.0,
        shorter_answer(shorter),
    );
    Refusal::new(RefusalCode::BudgetExceeded, message).needed(units.0)
}

/// The user's own stacks pay, none has room, and the wallet can't pay for one, though the budget would.
pub(crate) fn no_funds(
    units: ComputeUnits,
    owner: Address,
    [needed, has]: [atoma_ledger::Amount; 2],
) -> Refusal {
    let message = format!(
        "no stack of yours has room for this request, which may cost up to {} units, and the wallet can't pay for \
         one: {owner} needs {needed} and has {has} (`atoma wallet list` shows it; on a test network `atoma wallet \
         fund` fills it)",
        units.0,
    );
    Refusal::new(RefusalCode::BudgetExceeded, message).needed(units.0)
}

/// What makes a request cost less, where so long an answer would do.
fn shorter_answer(tokens: Option<u64>) -> String {
    tokens.map_or_else(
        || "ask for fewer tokens (`max_tokens`)".to_owned(),
        |tokens| format!("name a `max_tokens` of at most {tokens}"),
    )
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

/// The key's budget has less left than the request may cost. `shorter` is the longest answer that this pays for.
pub(crate) fn over_budget(
    units: ComputeUnits,
    worst: Amount,
    left: MicroUsdc,
    shorter: Option<u64>,
) -> Refusal {
    let message = format!(
        "the key's budget does not cover this request: it may cost up to {} units, {worst}, and {left} are left: {}, \
         or have the gateway's operator raise the budget",
        units.0,
        shorter_answer(shorter),
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
    fn who_has_too_little_left_is_told_how_much_would_do_and_what_fits() {
        let (units, needed, left) = (
            ComputeUnits(686_000),
            MicroUsdc(1_372_000),
            MicroUsdc(630_000),
        );
        let own = no_stack(units, [needed, left], Some(12)).message;
        assert!(
            own.contains("0.63 USDC are left of --budget: start"),
            "{own}"
        );
        assert!(own.contains("a --budget of 1.372 USDC or more"), "{own}");
        assert!(own.ends_with("`max_tokens` of at most 12"), "{own}");
        let without = no_stack(units, [needed, MicroUsdc::ZERO], None).message;
        assert!(without.contains("nothing is left of --budget"), "{without}");
        let key = over_budget(units, needed.into(), left, Some(12)).message;
        assert!(
            key.contains("1.372 USDC, and 0.63 USDC are left: name a `max_tokens` of at most 12"),
            "{key}"
        );
    }

    #[test]
    fn an_empty_wallet_is_told_what_it_needs() {
        let amounts = [200_000, 0].map(|micro| atoma_ledger::Amount::Usdc(MicroUsdc(micro)));
        let refusal = no_funds(ComputeUnits(9), Address::ZERO, amounts);
        assert_eq!(refusal.code, RefusalCode::BudgetExceeded);
        let told = format!(
            "{} needs {} and has {}",
            Address::ZERO,
            amounts[0],
            amounts[1]
        );
        assert!(refusal.message.contains(&told), "{}", refusal.message);
    }

    #[test]
    fn long_names_are_cut() {
        let refusal = unknown_model(&"ü".repeat(5_000));
        assert!(refusal.message.len() < 400);
        assert_eq!(refusal.param.as_deref(), Some("model"));
    }
}
