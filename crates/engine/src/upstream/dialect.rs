//! Which program a server is: each has fields of its own beside OpenAI's, and its own way to say how
//! much it holds.

use serde::Deserialize;

/// A program that serves models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Dialect {
    /// One that we don't know: OpenAI's fields only.
    #[default]
    Plain,
    Vllm,
    Sglang,
    LlamaCpp,
}

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Identity {
    pub(super) dialect: Dialect,
    /// Tokens of prompt and output together.
    pub(super) context: Option<usize>,
}

#[derive(Deserialize)]
struct Models {
    #[serde(default)]
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default)]
    id: String,
    owned_by: Option<String>,
    /// Where vLLM and SGLang say how long a context may be.
    max_model_len: Option<usize>,
    /// Where llama.cpp says it.
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Meta {
    /// Of one slot.
    n_ctx: Option<usize>,
}

/// The first model in an answer to `/v1/models`.
pub(super) fn first_model(body: &[u8]) -> Option<String> {
    let models: Models = serde_json::from_slice(body).ok()?;
    let names = models.data.into_iter().map(|model| model.id);
    let mut names = names.filter(|name| !name.is_empty());
    names.next()
}

/// Reads the answer to `/v1/models`; a server that says nothing usable is one that we don't know.
pub(super) fn identify(body: &[u8], model: &str) -> Identity {
    let models = serde_json::from_slice::<Models>(body).map_or_else(|_| Vec::new(), |m| m.data);
    let ours = models.iter().find(|m| m.id == model).or(models.first());
    let Some(ours) = ours else {
        return Identity::default();
    };
    let dialect = match ours.owned_by.as_deref() {
        Some("vllm") => Dialect::Vllm,
        Some("sglang") => Dialect::Sglang,
        Some("llamacpp") => Dialect::LlamaCpp,
        _ => Dialect::Plain,
    };
    let slot = ours.meta.as_ref().and_then(|meta| meta.n_ctx);
    Identity {
        dialect,
        context: ours.max_model_len.or(slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_what_they_say_of_their_models() {
        let of = |body: &str| {
            let identity = identify(body.as_bytes(), "m");
            (identity.dialect, identity.context)
        };
        let vllm = r#"{"object":"list","data":[{"id":"other","owned_by":"vllm","max_model_len":9},
            {"id":"m","object":"model","owned_by":"vllm","max_model_len":1024,"permission":[]}]}"#;
        assert_eq!(of(vllm), (Dialect::Vllm, Some(1_024)));
        let llama = r#"{"models":[{"name":"x"}],"object":"list",
            "data":[{"id":"x","owned_by":"llamacpp","meta":{"n_ctx":512,"n_ctx_train":1024}}]}"#;
        assert_eq!(of(llama), (Dialect::LlamaCpp, Some(512)));
        for nothing in ["", "{}", r#"{"data":[]}"#, r#"{"data":[{"id":"m"}]}"#] {
            assert_eq!(of(nothing), (Dialect::Plain, None));
        }
    }
}
