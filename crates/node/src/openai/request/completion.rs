//! Bodies of `/v1/completions`.

use super::{
    generation::{Common, Generation, MAX_TOP_LOGPROBS},
    json::{bad, only, parse},
    texts::Texts,
};
use atoma_engine::Prompt;
use atoma_types::refusal::Refusal;
use serde::Deserialize;

#[derive(Deserialize)]
struct CompletionBody {
    prompt: Texts,
    logprobs: Option<u8>,
    echo: Option<bool>,
    suffix: Option<String>,
    best_of: Option<u32>,
    #[serde(flatten)]
    rest: Common,
}

/// Reads a body of `/v1/completions`.
pub(crate) fn completion(body: &[u8]) -> Result<Generation, Refusal> {
    let CompletionBody {
        prompt,
        logprobs,
        echo,
        suffix,
        best_of,
        rest,
    } = parse(body)?;
    let one_prompt = || bad("prompt", "one prompt per request is supported");
    let prompt = match prompt {
        Texts::One(text) => Prompt::Text(text),
        Texts::Tokens(tokens) => Prompt::Tokens(tokens),
        Texts::Many(texts) => Prompt::Text(only(texts).ok_or_else(one_prompt)?),
        Texts::TokenLists(lists) => Prompt::Tokens(only(lists).ok_or_else(one_prompt)?),
    };
    if echo == Some(true) {
        return Err(bad("echo", "the prompt cannot be echoed"));
    }
    if suffix.is_some_and(|suffix| !suffix.is_empty()) {
        return Err(bad("suffix", "insertion is not supported"));
    }
    if best_of.is_some_and(|n| n > 1) {
        return Err(bad("best_of", "only 1 is supported"));
    }
    if logprobs.is_some_and(|n| n > MAX_TOP_LOGPROBS) {
        return Err(bad("logprobs", "at most 20"));
    }
    rest.generation(prompt, None, logprobs)
}
