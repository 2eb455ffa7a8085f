//! A request once more, for whoever computes its answer again.

use crate::request;
use atoma_engine::{GenerateRequest, ModelInfo};
use atoma_types::{
    message::{RequestHeader, Signed},
    refusal::Refusal,
};

/// What a node that serves this model asks of its engine for a signed request and its body: everything that
/// decides the answer. Its length is what the receipt says; here it is one token, to be raised.
///
/// # Errors
///
/// If a node would have refused the body, or it asks for no text.
pub fn replay(
    header: &Signed<RequestHeader>,
    body: &[u8],
    model: &ModelInfo,
) -> Result<GenerateRequest, Refusal> {
    let mut asked = request::read_signed(header, body, model.defaults)?;
    let prompt = std::mem::replace(&mut asked.prompt, atoma_engine::Prompt::Tokens(Vec::new()));
    Ok(asked.engine_request(prompt, 1))
}
