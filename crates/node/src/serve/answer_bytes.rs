//! How long an answer may become, before anything of it is computed.

use atoma_openai::request::Generation;

/// A frame of a stream, without the model's name and what is said in it.
const FRAME: u64 = 300;
/// What a token says, as JSON: four bytes mostly, and six for each that is escaped.
const TEXT: u64 = 24;
/// A token's log probability, or an alternative's, with its bytes one by one.
const SCORE: u64 = 120;

/// Bytes of an answer of so many tokens.
pub(super) fn answer_bytes(asked: &Generation, model: &str, tokens: u64) -> u64 {
    let frame = match asked.stream {
        true => FRAME + model.len() as u64,
        false => 0,
    };
    let scores = asked.logprobs.map_or(0, |others| 1 + u64::from(others));
    let each = frame + TEXT + scores * SCORE;
    tokens.saturating_mul(each).saturating_add(frame)
}
