//! What a body may cost at most, before the node is asked. Pure.
//!
//! The node knows exactly, and its refusal names the number that would have fit: the estimate only
//! has to be right mostly and never dear, because what isn't used isn't paid. The formula is that of
//! [`atoma_types::estimate`]; here the few fields that it needs are read from the body.

use crate::usage::Asked;
use atoma_types::{ComputeUnits, UnitWeights, estimate::BodyBounds, message::Endpoint};
use serde::Deserialize;

/// The fields that bound an answer's length. Everything else is the node's to judge.
#[derive(Deserialize)]
struct Limits {
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    best_of: Option<u64>,
}

/// A body whose cost can't be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// It isn't JSON, or a limit in it isn't a number.
    #[error("the body is not a JSON object with sound limits")]
    Unreadable(#[source] serde_json::Error),
    /// The answer that it asks for can't be paid by anyone.
    #[error("the body asks for more output than can be counted")]
    Overflow,
}

/// The most units that a request may cost, counting `default_output` tokens where its body names no
/// limit.
///
/// # Errors
///
/// If the body isn't a JSON object or its numbers are out of bounds.
pub fn max_units(
    endpoint: Endpoint,
    body: &[u8],
    weights: &UnitWeights,
    default_output: u64,
) -> Result<ComputeUnits, EstimateError> {
    let worst = bounds(endpoint, body)?.worst_units(weights, default_output);
    worst.ok_or(EstimateError::Overflow)
}

/// What a node may raise that to, by its own count: as much as a receipt for the body may ever charge. What is signed is what
/// a node can take, so more is no node's to ask.
///
/// # Errors
///
/// As [`max_units`]; what can't be counted is `u64::MAX`.
pub fn most_units(
    endpoint: Endpoint,
    body: &[u8],
    weights: &UnitWeights,
    default_output: u64,
) -> Result<ComputeUnits, EstimateError> {
    let most = BodyBounds {
        bytes: Asked::of(endpoint, body).most_input(),
        ..bounds(endpoint, body)?
    };
    let most = most.worst_units(weights, default_output);
    Ok(most.unwrap_or(ComputeUnits(u64::MAX)))
}

fn bounds(endpoint: Endpoint, body: &[u8]) -> Result<BodyBounds, EstimateError> {
    let limits: Limits = serde_json::from_slice(body).map_err(EstimateError::Unreadable)?;
    Ok(BodyBounds {
        endpoint,
        bytes: body.len() as u64,
        max_tokens: limits.max_completion_tokens.or(limits.max_tokens),
        answers: limits.n.unwrap_or(1).max(limits.best_of.unwrap_or(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::estimate::TEMPLATE_TOKENS;

    fn units(endpoint: Endpoint, body: &str) -> Option<u64> {
        let units = max_units(endpoint, body.as_bytes(), &UnitWeights::TEXT, 100);
        units.ok().map(|units| units.0)
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

    #[test]
    fn a_node_may_raise_it_to_what_the_body_explains_and_no_further() {
        let most = |endpoint, body: &str| {
            let most = most_units(endpoint, body.as_bytes(), &UnitWeights::TEXT, 100);
            most.unwrap().0
        };
        let short = r#"{"max_tokens":7}"#;
        let chat = most(Endpoint::ChatCompletions, short);
        assert!((4_096..5_000).contains(&chat), "{chat}");
        let image = r#"{"max_tokens":7,"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}"#;
        assert!(most(Endpoint::ChatCompletions, image) > 16_384 + chat);
        let answers = r#"{"max_tokens":1000,"n":3}"#;
        assert!(most(Endpoint::Completions, answers) > 3_000 + 4_096);
        assert!(most(Endpoint::Embeddings, answers) < 5_000);
        let endless = r#"{"max_tokens":18446744073709551615}"#;
        assert_eq!(most(Endpoint::ChatCompletions, endless), u64::MAX);
    }
}
