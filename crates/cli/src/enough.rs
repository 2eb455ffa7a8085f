//! Whether units pay for a question: said before they are bought. How many one takes only its node knows; what is known
//! here is the most.

use atoma_types::{ComputeUnits, UnitWeights, estimate::BodyBounds, message::Endpoint};

/// Bytes of the body of a question of a few words.
const SHORT_QUESTION: u64 = 128;

/// What a buyer should know of so many units, if a short question and an answer of `usual` tokens may cost more.
pub(crate) fn remark(units: ComputeUnits, weights: &UnitWeights, usual: u64) -> Option<String> {
    let bounds = BodyBounds {
        endpoint: Endpoint::ChatCompletions,
        bytes: SHORT_QUESTION,
        max_tokens: Some(usual),
        answers: 1,
    };
    let most = bounds.worst_units(weights, 0)?;
    (units < most).then(|| {
        format!(
            "{} units are few: a short question and its answer may cost up to {}, and nodes refuse what may cost more than \
             is there. --max-tokens asks for shorter answers; what isn't used comes back with `atoma stack close`",
            units.0, most.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_buys_less_than_an_answer_may_cost_is_told() {
        let said = |units| remark(ComputeUnits(units), &UnitWeights::TEXT, 256);
        assert!(said(100).unwrap().contains("--max-tokens"));
        assert_eq!(said(100_000), None);
    }
}
