//! Whether units pay for a question and its answer at all: said before they are bought.

use atoma_types::{ComputeUnits, UnitWeights, Usage};

/// Tokens of a question of a few words, with what its template puts around it.
const SHORT_QUESTION: u64 = 32;

/// What a buyer should know of so many units, if they don't pay for a short question and an answer of `usual` tokens.
pub(crate) fn remark(units: ComputeUnits, weights: &UnitWeights, usual: u64) -> Option<String> {
    let usage = Usage {
        input: SHORT_QUESTION,
        output: usual,
        ..Usage::default()
    };
    let needed = weights.units(&usage)?;
    let few = ComputeUnits::ZERO < units && units < needed;
    few.then(|| {
        format!(
            "{} units are few: a short question with an answer of {usual} tokens costs {}. Nodes refuse what may cost more \
             than is there, and grants that aren't worth a transaction; --max-tokens asks for shorter answers",
            units.0, needed.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_buys_less_than_a_usual_answer_costs_is_told() {
        let said = |units| remark(ComputeUnits(units), &UnitWeights::TEXT, 256);
        assert!(said(100).unwrap().contains("--max-tokens"));
        assert_eq!(said(400), None);
        // that nothing is bought the ledger says
        assert_eq!(said(0), None);
    }
}
