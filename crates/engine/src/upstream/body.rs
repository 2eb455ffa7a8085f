//! The body that is sent to an upstream: the client's own, with a few fields forced, or one made
//! from a [`GenerateRequest`].

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

use crate::{EngineError, GenerateRequest, Prompt};

/// What to send, and how to read the answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) body: Bytes,
    /// Whether the answer is a stream of events.
    pub(super) streaming: bool,
    /// Relay frames as they are; otherwise they become tokens.
    pub(super) relay: bool,
    /// Whether the client asked for the frame with the usage.
    pub(super) wants_usage: bool,
}

/// A JSON object whose values aren't looked into and keep their bytes.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize, Default)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// The client's body with usage, seed and the upstream's name of the model forced.
pub(super) fn forwarded(
    raw: &Bytes,
    request: &GenerateRequest,
    model: &str,
) -> Result<Outgoing, EngineError> {
    let malformed = |e: serde_json::Error| EngineError::BadRequest(format!("malformed body: {e}"));
    let Fields(mut fields) = serde_json::from_slice(raw).map_err(malformed)?;
    let find = |name: &str| {
        fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.get())
    };
    let streaming = find("stream") == Some("true");
    let wanted: Option<StreamOptions> = match find("stream_options") {
        Some(text) => serde_json::from_str(text).map_err(malformed)?,
        None => None,
    };
    let has_seed = find("seed").is_some_and(|seed| seed != "null");
    let name = serde_json::value::to_raw_value(model).map_err(malformed)?;
    let seed = serde_json::value::to_raw_value(&wire_seed(request.seed)).map_err(malformed)?;
    let usage = json!({ "include_usage": true });
    let usage = serde_json::value::to_raw_value(&usage).map_err(malformed)?;
    set(&mut fields, "model", &name);
    if !has_seed {
        set(&mut fields, "seed", &seed);
    }
    if streaming {
        set(&mut fields, "stream_options", &usage);
    }
    let mut body = String::with_capacity(raw.len() + 128);
    for (i, (name, value)) in fields.iter().enumerate() {
        body.push(if i == 0 { '{' } else { ',' });
        body.push_str(&serde_json::to_string(name).map_err(malformed)?);
        body.push(':');
        body.push_str(value.get());
    }
    body.push('}');
    let wants_usage = wanted.unwrap_or_default().include_usage;
    Ok(Outgoing {
        body: body.into(),
        streaming,
        relay: true,
        wants_usage,
    })
}

/// A streamed request made from its parts.
pub(super) fn built(request: &GenerateRequest, model: &str) -> Outgoing {
    let mut body = json!({
        "model": model,
        "stream": true,
        "stream_options": { "include_usage": true },
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
        "seed": wire_seed(request.seed),
    });
    // Fields beyond OpenAI's are sent only when they mean something.
    if request.top_k > 0 {
        body["top_k"] = json!(request.top_k);
    }
    if request.min_p > 0.0 {
        body["min_p"] = json!(request.min_p);
    }
    if !request.stop.is_empty() {
        body["stop"] = json!(request.stop);
    }
    match &request.prompt {
        Prompt::Chat(chat) => {
            body["messages"] = json!(chat.messages);
            if let Some(tools) = &chat.tools {
                body["tools"] = json!(tools);
            }
            if let Some(count) = request.logprobs {
                body["logprobs"] = json!(true);
                body["top_logprobs"] = json!(count);
            }
        }
        Prompt::Text(text) => body["prompt"] = json!(text),
        Prompt::Tokens(tokens) => body["prompt"] = json!(tokens),
    }
    if let (Some(count), false) = (request.logprobs, matches!(request.prompt, Prompt::Chat(_))) {
        body["logprobs"] = json!(count);
    }
    Outgoing {
        body: body.to_string().into(),
        streaming: true,
        relay: false,
        wants_usage: false,
    }
}

/// Servers take a signed 64-bit seed.
fn wire_seed(seed: u64) -> u64 {
    seed & (i64::MAX as u64)
}

fn set<'a>(
    fields: &mut Vec<(Cow<'a, str>, &'a RawValue)>,
    name: &'static str,
    value: &'a RawValue,
) {
    fields.retain(|(n, _)| n != name);
    fields.push((name.into(), value));
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                // Names are owned: an escaped one can't be borrowed.
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((Cow::Owned(name), value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(raw: &str) -> (serde_json::Value, Outgoing) {
        let request = GenerateRequest {
            seed: 7,
            ..GenerateRequest::new(Prompt::Text(String::new()), 1)
        };
        let raw = Bytes::copy_from_slice(raw.as_bytes());
        let outgoing = forwarded(&raw, &request, "theirs").unwrap();
        (serde_json::from_slice(&outgoing.body).unwrap(), outgoing)
    }

    #[test]
    fn usage_seed_and_model_are_forced_and_the_rest_kept() {
        let (sent, outgoing) =
            send(r#"{"model":"ours","messages":[1.50,  {"x":"\u00e9"}],"stream":true}"#);
        assert_eq!(sent["model"], "theirs");
        assert_eq!(sent["seed"], 7);
        assert_eq!(sent["stream_options"]["include_usage"], true);
        assert!(
            std::str::from_utf8(&outgoing.body)
                .unwrap()
                .contains(r#"[1.50,  {"x":"\u00e9"}]"#)
        );
        assert!(outgoing.streaming && outgoing.relay && !outgoing.wants_usage);
    }

    #[test]
    fn the_clients_seed_and_wish_for_usage_are_respected() {
        let raw = r#"{"seed":3,"stream":true,"stream_options":{"include_usage":true}}"#;
        let (sent, outgoing) = send(raw);
        assert_eq!((&sent["seed"], outgoing.wants_usage), (&json!(3), true));
        let (sent, outgoing) = send(r#"{"stream":false,"stream_options":null}"#);
        assert_eq!(
            (&sent["stream_options"], outgoing.streaming),
            (&json!(null), false)
        );
    }

    #[test]
    fn what_isnt_an_object_is_refused() {
        let request = GenerateRequest::new(Prompt::Text(String::new()), 1);
        for raw in ["", "[]", "{", "{\"a\":}", "{} x"] {
            let raw = Bytes::copy_from_slice(raw.as_bytes());
            let refused = forwarded(&raw, &request, "m").unwrap_err();
            assert_eq!(refused.code(), "bad_request");
        }
    }

    #[test]
    fn a_request_without_a_body_becomes_one() {
        let request = GenerateRequest {
            top_k: 5,
            logprobs: Some(2),
            ..GenerateRequest::new(Prompt::Tokens(vec![1, 2]), 9)
        };
        let body: serde_json::Value = serde_json::from_slice(&built(&request, "m").body).unwrap();
        assert_eq!(
            (&body["prompt"], &body["top_k"]),
            (&json!([1, 2]), &json!(5))
        );
        assert_eq!(
            (&body["logprobs"], &body["min_p"]),
            (&json!(2), &json!(null))
        );
    }
}
