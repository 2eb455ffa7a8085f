//! Bodies of `/v1/embeddings`.

use super::{fields::Fields, json::bad, texts::Texts};
use atoma_engine::Prompt;
use atoma_types::refusal::Refusal;

/// OpenAI's limit on inputs of one embedding request.
const MAX_EMBEDDING_INPUTS: usize = 2_048;

/// A request for vectors.
#[derive(Debug)]
pub struct Embedding {
    /// The model that is asked.
    pub model: String,
    /// The texts, one vector each.
    pub inputs: Vec<Prompt>,
    /// Answer in base64 instead of numbers.
    pub base64: bool,
}

/// Reads a body of `/v1/embeddings`.
///
/// # Errors
/// Names the field that can't be served.
pub fn embedding(body: &[u8]) -> Result<Embedding, Refusal> {
    let mut fields = Fields::read(body)?;
    let (model, input) = (fields.need("model")?, fields.need("input")?);
    let encoding_format: Option<String> = fields.take("encoding_format")?;
    if fields.take::<u32>("dimensions")?.is_some() {
        return Err(bad("dimensions", "vectors cannot be shortened"));
    }
    fields.end()?;
    let inputs: Vec<Prompt> = match input {
        Texts::One(text) => vec![Prompt::Text(text)],
        Texts::Tokens(tokens) => vec![Prompt::Tokens(tokens)],
        Texts::Many(texts) => texts.into_iter().map(Prompt::Text).collect(),
        Texts::TokenLists(lists) => lists.into_iter().map(Prompt::Tokens).collect(),
    };
    let empty = |prompt: &Prompt| match prompt {
        Prompt::Text(text) => text.is_empty(),
        Prompt::Tokens(tokens) => tokens.is_empty(),
        Prompt::Chat(_) => false,
    };
    if inputs.is_empty() || inputs.iter().any(empty) {
        return Err(bad("input", "an input must not be empty"));
    }
    if inputs.len() > MAX_EMBEDDING_INPUTS {
        let message = format!("at most {MAX_EMBEDDING_INPUTS} inputs");
        return Err(bad("input", &message).needed(MAX_EMBEDDING_INPUTS as u64));
    }
    let base64 = match encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(bad("encoding_format", "must be `float` or `base64`")),
    };
    Ok(Embedding {
        model,
        inputs,
        base64,
    })
}
