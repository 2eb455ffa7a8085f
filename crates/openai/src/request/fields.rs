//! The fields of a body, taken one by one. What an endpoint doesn't take is held against a list of what
//! would change the answer; everything else is dropped, as OpenAI's servers do.

use super::json::{bad, parse};
use atoma_types::refusal::Refusal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Fields that change what is computed, what it costs or where it goes, and that nobody may set: those of
/// the servers behind nodes, and of OpenAI's API what isn't served. Off, they do no harm.
const REFUSED: [&str; 64] = [
    // vLLM
    "add_generation_prompt",
    "add_special_tokens",
    "allowed_token_ids",
    "bad_words",
    "cache_salt",
    "chat_template",
    "continue_final_message",
    "documents",
    "ec_transfer_params",
    "guided_choice",
    "guided_decoding_backend",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "ignore_eos",
    "include_reasoning",
    "include_stop_str_in_output",
    "kv_transfer_params",
    "length_penalty",
    "logits_processors",
    "lora_request",
    "min_tokens",
    "mm_payload",
    "mm_processor_kwargs",
    "priority",
    "prompt_embeds",
    "prompt_logprobs",
    "return_token_ids",
    "return_tokens_as_token_ids",
    "skip_special_tokens",
    "spaces_between_special_tokens",
    "stop_token_ids",
    "stream_interval",
    "structured_outputs",
    "thinking_token_budget",
    "truncate_prompt_tokens",
    "use_beam_search",
    "vllm_xargs",
    "watermarking",
    // SGLang
    "custom_logit_processor",
    "ebnf",
    "lora_path",
    "regex",
    "session_params",
    // llama.cpp
    "cache_prompt",
    "grammar",
    "id_slot",
    "json_schema",
    "lora",
    "mirostat",
    "n_predict",
    "repeat_penalty",
    "samplers",
    "typical_p",
    // OpenAI
    "audio",
    "best_of",
    "dimensions",
    "echo",
    "function_call",
    "functions",
    "modalities",
    "prediction",
    "suffix",
    "web_search_options",
];

/// Values that mean "off", or what happens anyhow.
const OFF: [&str; 7] = ["null", "false", "0", "1", "[]", "{}", "\"\""];
/// Switches that are on anyhow.
const ON: [&str; 2] = ["add_generation_prompt", "skip_special_tokens"];

/// A body's fields that weren't taken yet.
pub(super) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    /// Reads a body: a JSON object.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        parse(body).map(Self)
    }

    /// A field that may be missing, or null.
    pub(super) fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Refusal> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(raw) => read(name, raw),
        }
    }

    /// A field that must be there.
    pub(super) fn need<T: Deserialize<'a>>(&mut self, name: &str) -> Result<T, Refusal> {
        self.take(name)?.ok_or_else(|| bad(name, "is missing"))
    }

    /// The end: what is left must not matter.
    pub(super) fn end(self) -> Result<(), Refusal> {
        for (name, value) in self.0 {
            let value = value.get();
            let is_off = OFF.contains(&value) || (ON.contains(&&*name) && value == "true");
            if REFUSED.contains(&&*name) && !is_off {
                return Err(bad(&name, "is not supported; leave it out"));
            }
        }
        Ok(())
    }
}

/// Reads a field.
pub(super) fn read<'a, T: Deserialize<'a>>(name: &str, raw: &'a RawValue) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).map_err(|error| {
        // the place in the field's own text would mislead
        let message = error.to_string();
        let why = message.split(" at line ").next().unwrap_or_default();
        bad(name, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_would_change_the_answer_are_refused_and_others_dropped() {
        let end = |body: &str| Fields::read(body.as_bytes()).unwrap().end();
        for name in REFUSED {
            let refused = end(&format!(r#"{{"{name}":{{"x":"y"}}}}"#)).unwrap_err();
            assert_eq!(refused.param.as_deref(), Some(name));
            assert!(end(&format!(r#"{{"{name}":null}}"#)).is_ok());
        }
        let harmless = r#"{"user":"u","store":true,"metadata":{"a":"b"},"service_tier":"auto",
            "unknown":{"deep":[1]},"echo":false,"best_of":1,"skip_special_tokens":true}"#;
        assert!(end(harmless).is_ok());
    }

    #[test]
    fn a_wrong_value_names_its_field_and_no_place() {
        let mut fields = Fields::read(br#"{"n":"two"}"#).unwrap();
        let refused = fields.take::<u32>("n").unwrap_err();
        assert_eq!(refused.param.as_deref(), Some("n"));
        assert!(!refused.message.contains("line"), "{}", refused.message);
        assert_eq!(
            fields.need::<u32>("m").unwrap_err().param.as_deref(),
            Some("m")
        );
    }
}
