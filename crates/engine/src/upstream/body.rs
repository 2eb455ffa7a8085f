//! The body that is sent to a server: made of what a request means, never of what a client sent.
//!
//! The limit is always in it, and so is every number that the answer depends on: servers have defaults of
//! their own (vLLM takes the checkpoint's, llama.cpp top-k 40 and top-p 0.95), and we answer for ours.
//! Always a stream: both stop computing when a stream's reader leaves, not all do for whole answers.

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::dialect::Dialect;
use crate::{GenerateRequest, Prompt, ServerFields};

/// A JSON object, field by field.
struct Object(Vec<u8>);

impl Object {
    fn new() -> Self {
        Self(b"{".to_vec())
    }

    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        let start = self.0.len();
        // our own fields: numbers, strings and JSON that was read before can all be written
        if serde_json::to_writer(&mut self.0, value).is_err() {
            self.0.truncate(start);
            self.0.extend_from_slice(b"null");
        }
    }

    fn end(mut self) -> Bytes {
        self.0.push(b'}');
        self.0.into()
    }
}

/// Where a prompt is sent.
pub(super) fn path(prompt: &Prompt) -> &'static str {
    match prompt {
        Prompt::Chat(_) => "/v1/chat/completions",
        Prompt::Text(_) | Prompt::Tokens(_) => "/v1/completions",
    }
}

/// The body of a request for text.
pub(super) fn generation(request: &GenerateRequest, model: &str, dialect: Dialect) -> Bytes {
    let server = &request.server;
    let mut body = Object::new();
    body.set("model", model);
    prompt(&mut body, &request.prompt, server);
    // servers count each answer's tokens for itself
    let limit = (request.most_tokens / server.answers.max(1)).max(1);
    body.set("max_tokens", &limit);
    if server.answers > 1 {
        body.set("n", &server.answers);
    }
    body.set("stream", &true);
    let usage = json!({ "include_usage": true, "continuous_usage_stats": true });
    body.set("stream_options", &usage);
    sampling(&mut body, request, dialect);
    if !request.stop.is_empty() {
        body.set("stop", &request.stop);
    }
    match (request.logprobs, &request.prompt) {
        (None, _) => {}
        (Some(count), Prompt::Chat(_)) => {
            body.set("logprobs", &true);
            body.set("top_logprobs", &count);
        }
        (Some(count), _) => body.set("logprobs", &count),
    }
    if dialect == Dialect::Vllm {
        // whoever audits the answer needs them: text can't be cut into the same tokens safely
        body.set("return_token_ids", &true);
        if let Some(salt) = request.cache_domain.salt() {
            body.set("cache_salt", &salt);
        }
    }
    for (name, value) in &server.more {
        if !(dialect == Dialect::Plain && is_choice_of_nothing(name, server)) {
            body.set(name, value);
        }
    }
    body.end()
}

/// Whether a field is about tools where there are none: OpenAI itself refuses it.
fn is_choice_of_nothing(name: &str, server: &ServerFields) -> bool {
    let is_choice = matches!(name, "tool_choice" | "parallel_tool_calls");
    is_choice && !server.more.iter().any(|(name, _)| *name == "tools")
}

fn prompt(body: &mut Object, prompt: &Prompt, server: &ServerFields) {
    match prompt {
        Prompt::Text(text) => body.set("prompt", text),
        Prompt::Tokens(tokens) => body.set("prompt", tokens),
        Prompt::Chat(chat) => {
            match &server.messages {
                Some(messages) => body.set("messages", messages),
                // whoever has no more than texts
                None => {
                    let turns = chat.messages.iter();
                    let turns = turns.map(|m| json!({ "role": m.role, "content": m.content }));
                    body.set("messages", &turns.collect::<Vec<_>>());
                }
            }
        }
    }
}

fn sampling(body: &mut Object, request: &GenerateRequest, dialect: Dialect) {
    body.set("temperature", &request.temperature);
    body.set("top_p", &request.top_p);
    body.set("frequency_penalty", &request.frequency_penalty);
    body.set("presence_penalty", &request.presence_penalty);
    body.set("seed", &wire_seed(request.seed));
    let repetition = request.server.repetition_penalty;
    match dialect {
        Dialect::Plain => {
            // a server that we don't know may refuse fields that it doesn't know
            if request.top_k > 0 {
                body.set("top_k", &request.top_k);
            }
            if request.min_p > 0.0 {
                body.set("min_p", &request.min_p);
            }
            if repetition != 1.0 {
                body.set("repetition_penalty", &repetition);
            }
        }
        Dialect::Vllm | Dialect::Sglang => {
            // older ones refuse 0 for off
            let top_k = i32::try_from(request.top_k).unwrap_or(i32::MAX);
            body.set("top_k", if top_k == 0 { &-1 } else { &top_k });
            body.set("min_p", &request.min_p);
            body.set("repetition_penalty", &repetition);
        }
        Dialect::LlamaCpp => {
            let top_k = i32::try_from(request.top_k).unwrap_or(i32::MAX);
            body.set("top_k", &top_k);
            body.set("min_p", &request.min_p);
            body.set("repeat_penalty", &repetition);
            // samplers that its command line can switch on for all
            body.set("typical_p", &1);
            body.set("top_n_sigma", &-1);
            for off in [
                "xtc_probability",
                "dynatemp_range",
                "mirostat",
                "dry_multiplier",
            ] {
                body.set(off, &0);
            }
            // each frame then says how many tokens there are
            body.set("timings_per_token", &true);
        }
    }
}

/// What a server that can count is asked for a prompt's length; nothing where it needn't or can't be.
pub(super) fn count(
    prompt: &Prompt,
    server: &ServerFields,
    model: &str,
    dialect: Dialect,
) -> Option<(&'static str, Bytes)> {
    let chat = matches!(prompt, Prompt::Chat(_));
    let path = match (dialect, chat) {
        (Dialect::LlamaCpp, true) => "/v1/chat/completions/input_tokens",
        (Dialect::LlamaCpp | Dialect::Vllm, _) => "/tokenize",
        (Dialect::Plain | Dialect::Sglang, _) => return None,
    };
    let mut body = Object::new();
    body.set("model", model);
    match (prompt, dialect) {
        (Prompt::Tokens(_), _) => return None,
        (Prompt::Text(text), Dialect::LlamaCpp) => {
            body.set("content", text);
            body.set("add_special", &true);
        }
        _ => {
            self::prompt(&mut body, prompt, server);
            let kwargs = server
                .more
                .iter()
                .find(|(name, _)| *name == "chat_template_kwargs");
            if let Some((name, value)) = kwargs {
                body.set(name, value);
            }
            let tools = server.more.iter().find(|(name, _)| *name == "tools");
            if let Some((name, value)) = tools {
                body.set(name, value);
            }
        }
    }
    Some((path, body.end()))
}

/// Servers look at the low 32 bits of a seed; all of them set means "any" to llama.cpp.
fn wire_seed(seed: u64) -> u32 {
    (seed as u32).min(u32::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheDomain, ChatMessage, Conversation};
    use serde_json::Value;

    fn sent(request: &GenerateRequest, dialect: Dialect) -> Value {
        serde_json::from_slice(&generation(request, "theirs", dialect)).unwrap()
    }

    fn chat() -> GenerateRequest {
        let turns = vec![ChatMessage::new("user", "hi")];
        GenerateRequest::new(Prompt::Chat(Conversation::new(turns)), 9)
    }

    #[test]
    fn the_limit_and_every_number_of_the_sampling_are_always_written_out() {
        let request = GenerateRequest {
            temperature: 0.7,
            seed: 7 << 32 | 5,
            most_tokens: 900,
            ..chat()
        };
        let body = sent(&request, Dialect::Vllm);
        let expected = json!({
            "model": "theirs", "messages": [{ "role": "user", "content": "hi" }],
            "max_tokens": 900, "stream": true,
            "stream_options": { "include_usage": true, "continuous_usage_stats": true },
            "temperature": 0.7, "top_p": 1.0, "top_k": -1, "min_p": 0.0,
            "frequency_penalty": 0.0, "presence_penalty": 0.0, "repetition_penalty": 1.0, "seed": 5,
            "return_token_ids": true,
        });
        assert_eq!(body, expected);
        let body = sent(&request, Dialect::LlamaCpp);
        for (name, value) in [
            ("top_k", json!(0)),
            ("min_p", json!(0.0)),
            ("repeat_penalty", json!(1.0)),
            ("typical_p", json!(1)),
            ("mirostat", json!(0)),
            ("timings_per_token", json!(true)),
        ] {
            assert_eq!(body[name], value, "{name}");
        }
        let plain = sent(&request, Dialect::Plain);
        assert_eq!(
            (&plain["top_k"], &plain["max_tokens"]),
            (&json!(null), &json!(900))
        );
    }

    #[test]
    fn a_completion_is_asked_for_with_exactly_these_fields() {
        let stop = vec!["end".to_owned()];
        let request = GenerateRequest {
            stop,
            seed: 5,
            logprobs: Some(1),
            ..GenerateRequest::new(Prompt::Text("Once".to_owned()), 9)
        };
        let mut expected = json!({
            "model": "theirs", "prompt": "Once", "max_tokens": 9, "stream": true,
            "stream_options": { "include_usage": true, "continuous_usage_stats": true },
            "temperature": request.temperature, "top_p": 1.0,
            "frequency_penalty": 0.0, "presence_penalty": 0.0, "seed": 5,
            "stop": ["end"], "logprobs": 1,
        });
        assert_eq!(sent(&request, Dialect::Plain), expected);
        for (name, value) in [
            ("top_k", json!(-1)),
            ("min_p", json!(0.0)),
            ("repetition_penalty", json!(1.0)),
            ("return_token_ids", json!(true)),
        ] {
            expected[name] = value;
        }
        assert_eq!(sent(&request, Dialect::Vllm), expected);
        assert_eq!(path(&request.prompt), "/v1/completions");
    }

    #[test]
    fn that_no_tool_may_be_called_is_said_to_servers_that_know_it_without_tools() {
        let mut request = chat();
        let none = serde_json::value::to_raw_value("none").unwrap();
        request.server.more.push(("tool_choice", none));
        for dialect in [Dialect::Vllm, Dialect::Sglang, Dialect::LlamaCpp] {
            assert_eq!(sent(&request, dialect)["tool_choice"], "none");
        }
        assert_eq!(sent(&request, Dialect::Plain)["tool_choice"], json!(null));
        let tools = serde_json::value::to_raw_value(&json!([{ "type": "function" }])).unwrap();
        request.server.more.push(("tools", tools));
        assert_eq!(sent(&request, Dialect::Plain)["tool_choice"], "none");
    }

    #[test]
    fn a_server_that_knows_salts_is_told_who_shares_its_cache() {
        let request = GenerateRequest {
            cache_domain: CacheDomain::new([0xa5; 32]),
            ..chat()
        };
        let salt =
            |request: &GenerateRequest, dialect| sent(request, dialect)["cache_salt"].clone();
        assert_eq!(salt(&request, Dialect::Vllm), "a5".repeat(32));
        assert_eq!(salt(&chat(), Dialect::Vllm), json!(null));
        assert_eq!(salt(&request, Dialect::Plain), json!(null));
    }

    #[test]
    fn several_answers_share_the_limit() {
        let mut request = chat();
        request.most_tokens = 90;
        request.server.answers = 3;
        let body = sent(&request, Dialect::Vllm);
        assert_eq!((&body["n"], &body["max_tokens"]), (&json!(3), &json!(30)));
    }

    #[test]
    fn log_probabilities_are_asked_for_as_each_endpoint_wants() {
        let mut request = GenerateRequest {
            logprobs: Some(2),
            ..chat()
        };
        let body = sent(&request, Dialect::Plain);
        assert_eq!(
            (&body["logprobs"], &body["top_logprobs"]),
            (&json!(true), &json!(2))
        );
        request.prompt = Prompt::Tokens(vec![1, 2]);
        let body = sent(&request, Dialect::Plain);
        assert_eq!(
            (&body["logprobs"], &body["prompt"]),
            (&json!(2), &json!([1, 2]))
        );
    }

    #[test]
    fn a_seed_never_means_any() {
        assert_eq!(wire_seed(u64::MAX), u32::MAX - 1);
    }
}
