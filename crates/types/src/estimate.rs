//! What a request costs at most, before anyone has computed it. Used by the client (how much a
//! header allows), the gateway (how much of a budget is held) and the node (how much is reserved).
//! Pure.
//!
//! Nobody knows beforehand how much of a prompt a cache will hold, and a task may price cached
//! tokens above or below computed ones. So the worst case is the dearer of the two extremes:
//!
//! ```text
//! worst(input, output) = max(units(input, 0, output), units(0, input, output))
//! ```
//!
//! Units are linear in each count, so no split of the input costs more than one of the extremes.

use crate::{ComputeUnits, UnitWeights, Usage, message::Endpoint, units::WEIGHT_SCALE};

/// Tokens that a chat template and its default system prompt put around the messages.
pub const TEMPLATE_TOKENS: u64 = 512;

/// Units of `input` prompt tokens and `output` generated ones, however much of the prompt a cache
/// holds; `None` past `u64::MAX`.
#[must_use]
pub fn worst_units(weights: &UnitWeights, input: u64, output: u64) -> Option<ComputeUnits> {
    let computed = weights.units(&Usage {
        input,
        output,
        ..Usage::default()
    })?;
    let cached = weights.units(&Usage {
        cached_input: input,
        output,
        ..Usage::default()
    })?;
    Some(computed.max(cached))
}

/// Most output tokens so that [`worst_units`] stays at or below `units`; `None` if not even the
/// input fits. `u64::MAX` where output costs nothing.
#[must_use]
pub fn output_that_fits(weights: &UnitWeights, input: u64, units: ComputeUnits) -> Option<u64> {
    let input_cost = u128::from(weights.input.max(weights.cached_input)) * u128::from(input);
    let left = (u128::from(units.0) * WEIGHT_SCALE).checked_sub(input_cost)?;
    let tokens = match weights.output {
        0 => u128::from(u64::MAX),
        weight => left / u128::from(weight),
    };
    Some(u64::try_from(tokens).unwrap_or(u64::MAX))
}

/// What a body says of its own size, for those who have no tokenizer.
///
/// No tokenizer makes more tokens than there are bytes, so the body's length bounds the prompt;
/// the chat template adds [`TEMPLATE_TOKENS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyBounds {
    /// Where it is sent: embeddings have no output.
    pub endpoint: Endpoint,
    /// Bytes of the body.
    pub bytes: u64,
    /// Output tokens of one answer, where the body names a limit.
    pub max_tokens: Option<u64>,
    /// Answers that are asked for; 0 counts as 1.
    pub answers: u64,
}

impl BodyBounds {
    /// The most that the request may cost, counting `default_output` tokens for each answer where
    /// the body names no limit; `None` past `u64::MAX`.
    #[must_use]
    pub fn worst_units(&self, weights: &UnitWeights, default_output: u64) -> Option<ComputeUnits> {
        let input = self.bytes.checked_add(TEMPLATE_TOKENS)?;
        let output = match self.endpoint {
            Endpoint::Embeddings => 0,
            Endpoint::ChatCompletions | Endpoint::Completions => self
                .max_tokens
                .unwrap_or(default_output)
                .checked_mul(self.answers.max(1))?,
        };
        worst_units(weights, input, output)
    }

    /// The longest answer, in tokens, with which the request costs at most so many units; `None` if not even one
    /// token fits.
    #[must_use]
    pub fn output_that_fits(&self, weights: &UnitWeights, units: ComputeUnits) -> Option<u64> {
        let input = self.bytes.checked_add(TEMPLATE_TOKENS)?;
        let all = output_that_fits(weights, input, units)?;
        Some(all / self.answers.max(1)).filter(|&tokens| tokens > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearer_of_cached_and_computed_input_counts() {
        assert_eq!(
            worst_units(&UnitWeights::TEXT, 10, 5),
            Some(ComputeUnits(15))
        );
        let dear_cache = UnitWeights {
            cached_input: 3_000,
            ..UnitWeights::TEXT
        };
        assert_eq!(worst_units(&dear_cache, 10, 5), Some(ComputeUnits(35)));
        assert_eq!(worst_units(&UnitWeights::TEXT, u64::MAX, 1), None);
    }

    #[test]
    fn what_fits_costs_no_more_and_one_token_more_does() {
        let weights = UnitWeights {
            input: 700,
            cached_input: 900,
            output: 1_300,
            ..UnitWeights::TEXT
        };
        for units in [9, 10, 11, 50, 1_000].map(ComputeUnits) {
            let fits = output_that_fits(&weights, 10, units).unwrap();
            assert!(worst_units(&weights, 10, fits).unwrap() <= units);
            assert!(worst_units(&weights, 10, fits + 1).unwrap() > units);
        }
        assert_eq!(output_that_fits(&weights, 10, ComputeUnits(8)), None);
        let free = UnitWeights {
            output: 0,
            ..weights
        };
        assert_eq!(output_that_fits(&free, 10, ComputeUnits(9)), Some(u64::MAX));
    }

    #[test]
    fn a_shorter_answer_fits_into_fewer_units() {
        let body = BodyBounds {
            endpoint: Endpoint::ChatCompletions,
            bytes: 100,
            max_tokens: Some(256),
            answers: 3,
        };
        let (weights, input) = (UnitWeights::TEXT, 100 + TEMPLATE_TOKENS);
        let fits = |units| body.output_that_fits(&weights, ComputeUnits(units));
        assert_eq!(fits(input + 2), None);
        assert_eq!(fits(input + 3), Some(1));
        assert_eq!(fits(input + 299), Some(99));
        let shorter = BodyBounds {
            max_tokens: Some(99),
            ..body
        };
        assert!(shorter.worst_units(&weights, 0).unwrap().0 <= input + 299);
    }

    #[test]
    fn a_body_is_bounded_by_its_bytes_and_its_own_limits() {
        let body = |endpoint, max_tokens, answers| BodyBounds {
            endpoint,
            bytes: 100,
            max_tokens,
            answers,
        };
        let units = |body: BodyBounds| body.worst_units(&UnitWeights::TEXT, 50).map(|u| u.0);
        let input = 100 + TEMPLATE_TOKENS;
        assert_eq!(
            units(body(Endpoint::ChatCompletions, None, 1)),
            Some(input + 50)
        );
        assert_eq!(
            units(body(Endpoint::Completions, Some(7), 3)),
            Some(input + 21)
        );
        assert_eq!(units(body(Endpoint::Embeddings, Some(7), 3)), Some(input));
        assert_eq!(units(body(Endpoint::Completions, Some(u64::MAX), 2)), None);
    }
}
