//! Bodies of `/v1/completions`.

use super::{
    fields::Fields,
    generation::{Generation, MAX_TOP_LOGPROBS, generation},
    json::{bad, only},
    server::Server,
    texts::Texts,
};
use atoma_engine::{Prompt, SamplingDefaults};
use atoma_types::refusal::Refusal;

/// Reads a body of `/v1/completions`; what it doesn't say of sampling is `defaults`.
pub(crate) fn completion(body: &[u8], defaults: SamplingDefaults) -> Result<Generation, Refusal> {
    let mut fields = Fields::read(body)?;
    let one_prompt = || bad("prompt", "one prompt per request is supported");
    let prompt = match fields.need("prompt")? {
        Texts::One(text) => Prompt::Text(text),
        Texts::Tokens(tokens) => Prompt::Tokens(tokens),
        Texts::Many(texts) => Prompt::Text(only(texts).ok_or_else(one_prompt)?),
        Texts::TokenLists(lists) => Prompt::Tokens(only(lists).ok_or_else(one_prompt)?),
    };
    let logprobs: Option<u8> = fields.take("logprobs")?;
    if logprobs.is_some_and(|n| n > MAX_TOP_LOGPROBS) {
        return Err(bad("logprobs", "at most 20"));
    }
    generation(fields, prompt, logprobs, Server::default(), defaults)
}
