//! What users may ask for: requests of all kinds.

use super::{chat, completion};
use atoma_types::message::Endpoint;
use proptest::prelude::*;
use serde_json::{Value, json};

const PROMPTS: [&str; 10] = [
    "Hello!",
    "What is the sun?",
    "🙂🙃 naïve façade, 東京, Ελλάδα, 👩‍👩‍👧",
    "And the LORD said unto",
    "Define the verb compile.",
    "3 + 4 =",
    "a a a a a a a a a a a a",
    "Count from one to ten.",
    "\n\n\t  ",
    "Repeat: <|user|> and <|eos|>.",
];
const STOPS: [&str; 6] = [" ", ".", "the", "\n", "e", "is a"];
const SCHEMA: &str = r#"{"type":"object","properties":{"town":{"enum":["Zürich","Bern"]},
    "hot":{"type":"boolean"}},"required":["town","hot"],"additionalProperties":false}"#;
/// The tools that a model may call here.
pub const TOOLS: &str = r#"[{"type":"function","function":{"name":"turn","parameters":{"type":"object",
    "properties":{"left":{"type":"boolean"}},"required":["left"],"additionalProperties":false}}}]"#;

/// What a user may ask for; of a model that can call tools, with them.
pub fn asked(calls: bool) -> impl Strategy<Value = (Endpoint, Value)> {
    let text = prop::sample::select(&PROMPTS[..]);
    let drawn = (
        prop_oneof![Just(0.0), Just(0.3), Just(1.0), Just(1.7)],
        prop_oneof![Just(1.0), 0.1f64..1.0],
        prop_oneof![Just(0), 1u32..50],
        prop_oneof![Just(0.0), 0.01f64..0.3],
        prop_oneof![Just(0.0), -1.0f64..1.5],
        any::<Option<i64>>(),
    );
    let shown = (
        1u32..70,
        prop::sample::subsequence(&STOPS[..], 0..3),
        any::<bool>(),
        any::<bool>(),
        prop::option::weighted(0.2, 0u8..4),
        0..6u8,
    );
    (text, any::<bool>(), drawn, shown).prop_map(move |(text, is_chat, drawn, shown)| {
        let (temperature, top_p, top_k, min_p, penalty, seed) = drawn;
        let (max_tokens, stop, stream, usage, logprobs, form) = shown;
        let mut more = json!({
            "temperature": temperature, "top_p": top_p, "top_k": top_k, "min_p": min_p,
            "frequency_penalty": penalty, "presence_penalty": penalty / 2.0,
            "max_tokens": max_tokens, "stop": stop, "stream": stream,
        });
        if stream {
            more["stream_options"] = json!({ "include_usage": usage });
        }
        if let Some(seed) = seed {
            more["seed"] = json!(seed);
        }
        if let Some(count) = logprobs {
            more["logprobs"] = if is_chat { json!(true) } else { json!(count) };
            if is_chat {
                more["top_logprobs"] = json!(count);
            }
        }
        if calls && is_chat && form > 1 {
            more["tools"] = serde_json::from_str(TOOLS).expect("JSON");
            more["tool_choice"] = json!(["auto", "required"][usize::from(form % 2)]);
        } else if form == 0 {
            let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
            more["response_format"] =
                json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": schema } });
        }
        if is_chat {
            chat(text, more)
        } else {
            completion(text, more)
        }
    })
}
