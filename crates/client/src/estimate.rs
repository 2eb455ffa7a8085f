//! What a body may cost at most, before the node is asked. Pure.
//!
//! No tokenizer of ours makes more tokens than there are bytes, so the body's length bounds the
//! prompt; the chat template adds some. The node knows exactly, and its refusal names the number
//! that would have fit: the estimate only has to be right mostly and never dear, because what
//! isn't used isn't paid.

use atoma_types::{ComputeUnits, UnitWeights, Usage, message::Endpoint};
use serde::Deserialize;

/// Tokens that a chat template and its default system prompt put around the messages.
pub const TEMPLATE_TOKENS: u64 = 512;

/// The few fields that bound an answer's length. Everything else is the node's to judge.
#[derive(Deserialize)]
struct Limits {
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    best_of: Option<u64>,
}

/// The most that a request may cost, where it names no limit with `default_output` tokens.
/// `None` if the body isn't a JSON object or the number is out of bounds.
#[must_use]
pub fn max_units(
    endpoint: Endpoint,
    body: &[u8],
    weights: &UnitWeights,
    default_output: u64,
) -> Option<ComputeUnits> {
    let limits: Limits = serde_json::from_slice(body).ok()?;
    let input = u64::try_from(body.len())
        .ok()?
        .checked_add(TEMPLATE_TOKENS)?;
    let answers = limits
        .n
        .unwrap_or(1)
        .max(limits.best_of.unwrap_or(1))
        .max(1);
    let output = match endpoint {
        Endpoint::Embeddings => 0,
        Endpoint::ChatCompletions | Endpoint::Completions => limits
            .max_completion_tokens
            .or(limits.max_tokens)
            .unwrap_or(default_output)
            .checked_mul(answers)?,
    };
    let fresh = weights.units(&Usage {
        input,
        output,
        ..Usage::default()
    })?;
    let cached = weights.units(&Usage {
        cached_input: input,
        output,
        ..Usage::default()
    })?;
    Some(fresh.max(cached))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(endpoint: Endpoint, body: &str) -> Option<u64> {
        max_units(endpoint, body.as_bytes(), &UnitWeights::TEXT, 100).map(|units| units.0)
    }

    #[test]
    fn the_bodys_length_and_its_own_limits_count() {
        let chat = |body: &str| units(Endpoint::ChatCompletions, body);
        assert_eq!(chat("{}"), Some(2 + TEMPLATE_TOKENS + 100));
        assert_eq!(chat(r#"{"max_tokens":7}"#), Some(16 + TEMPLATE_TOKENS + 7));
        let both = r#"{"max_tokens":7,"max_completion_tokens":9,"n":3}"#;
        assert_eq!(chat(both), Some(both.len() as u64 + TEMPLATE_TOKENS + 27));
        assert_eq!(units(Endpoint::Embeddings, "{}"), Some(2 + TEMPLATE_TOKENS));
        assert_eq!(chat("[1]"), None);
        assert_eq!(chat(r#"{"max_tokens":18446744073709551615}"#), None);
    }
}
