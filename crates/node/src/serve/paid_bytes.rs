//! How long a body may be for the prompt that it asks with. What is paid are tokens, and what is kept as evidence are
//! bytes, for which the node pays: so of a body only what its prompt explains is taken, and some more for all that is
//! asked beside it. Pure.

use atoma_engine::{Prompt, ServerFields};
use atoma_types::refusal::{Refusal, RefusalCode};

/// Bytes beside the prompt: schemas, `logit_bias`, OpenAI's most `metadata` (16 pairs, 9 KiB), names, white space.
pub(super) const BESIDE: u64 = 64 << 10;
/// Bytes of JSON for each token that is counted: a token is some four bytes of text, which JSON writes in up to six times
/// as many, or a number on a line of its own. Walrus costs less for them than the token does at any price that pays
/// (docs/cost.md).
const OF_A_TOKEN: u64 = 64;
/// And for each byte of what the model is shown: no text with fewer tokens than bytes passes for longer than it is.
const OF_A_BYTE: u64 = 16;
/// A token that is sent as a number.
const TOKEN_ID_BYTES: u64 = 4;
/// What templates and servers are shown of a message beside its text.
const SHOWN: [&str; 5] = [
    "name",
    "reasoning",
    "reasoning_content",
    "tool_calls",
    "tool_call_id",
];

/// Whether a body of so many bytes is explained by a prompt of so many tokens, and what goes to servers with it.
pub(super) fn check(
    body: usize,
    prompt: &[Prompt],
    tokens: u64,
    server: Option<&ServerFields>,
) -> Result<(), Refusal> {
    let shown = prompt.iter().map(shown).sum::<u64>();
    let media = server.filter(|server| server.media > 0);
    let media = media.and_then(|server| server.messages.as_ref());
    // the tokens of images and sounds are the server's to count
    let media = media.map_or(0, |messages| messages.get().len() as u64);
    let explained = OF_A_TOKEN
        .saturating_mul(tokens)
        .min(OF_A_BYTE.saturating_mul(shown))
        .saturating_add(media)
        .saturating_add(BESIDE);
    let bytes = body as u64;
    if bytes <= explained {
        return Ok(());
    }
    let message = format!(
        "the body has {bytes} bytes, and its prompt of {tokens} tokens accounts for {explained}: the node keeps and pays \
         for all of them; leave out what the model isn't asked (metadata, unknown fields, white space)"
    );
    Err(Refusal::new(RefusalCode::BodyTooLarge, message).needed(explained))
}

/// Bytes of what a model may be shown of a prompt.
fn shown(prompt: &Prompt) -> u64 {
    let bytes = match prompt {
        Prompt::Tokens(tokens) => return TOKEN_ID_BYTES * tokens.len() as u64,
        Prompt::Text(text) => text.len(),
        Prompt::Chat(chat) => {
            let messages = chat.messages.iter().map(|message| {
                let others = message.others.iter();
                let others = others.filter(|(name, _)| SHOWN.contains(&name.as_str()));
                let others: usize = others.map(|(_, json)| json.text().len()).sum();
                message.text().len() + others
            });
            messages.sum::<usize>() + chat.tools.as_ref().map_or(0, |tools| tools.text().len())
        }
    };
    bytes as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::request;
    use atoma_engine::SamplingDefaults;
    use atoma_openai::request::{Generation, read_signed};
    use atoma_types::refusal::RefusalCode;
    use serde_json::{Value, json};

    fn read(body: &str) -> Generation {
        let header = request(1, 0, 1);
        read_signed(&header, body.as_bytes(), SamplingDefaults::default()).unwrap()
    }

    /// As a tokenizer counts it that makes a token of so many bytes of text.
    fn checked(body: &str, bytes_of_a_token: u64) -> Result<(), Refusal> {
        let asked = read(body);
        let tokens = shown(&asked.prompt) / bytes_of_a_token;
        let prompt = std::slice::from_ref(&asked.prompt);
        check(body.len(), prompt, tokens, Some(&asked.server))
    }

    fn chat(text: &str, more: &Value) -> Value {
        let mut body = json!({
            "model": "m",
            "messages": [{ "role": "user", "content": text }],
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        body
    }

    #[test]
    fn noise_that_is_no_token_is_refused_wherever_it_is_put() {
        let noise = "x".repeat(4 << 20);
        let mut bodies = vec![
            chat("hi", &json!({ "metadata": { "a": noise } })).to_string(),
            chat("hi", &json!({ "user": noise })).to_string(),
            chat("hi", &json!({ "nobody_knows": [noise] })).to_string(),
        ];
        bodies.push(format!("{}{}", chat("hi", &json!({})), " ".repeat(4 << 20)));
        bodies.push(
            json!({
                "model": "m",
                "messages": [{ "role": "user", "content": "hi", "nobody_knows": noise }],
            })
            .to_string(),
        );
        for body in bodies {
            let refusal = checked(&body, 4).unwrap_err();
            assert_eq!(refusal.code, RefusalCode::BodyTooLarge);
            let explained = refusal.needed.unwrap();
            assert!((BESIDE..BESIDE + 100).contains(&explained), "{explained}");
        }
        // a text of which a tokenizer makes next to nothing
        let blank = chat(&" ".repeat(4 << 20), &json!({})).to_string();
        assert!(checked(&blank, 128).is_err());
    }

    #[test]
    fn what_openai_takes_is_taken() {
        let long = "words and words. ".repeat(200_000);
        assert_eq!(checked(&chat(&long, &json!({})).to_string(), 4), Ok(()));
        // of a language that JSON writes in six bytes for each letter
        let escaped: String = "Ж".repeat(300_000);
        let body = chat(&escaped, &json!({}))
            .to_string()
            .replace('Ж', "\\u0416");
        assert!(body.len() > 1_800_000);
        assert_eq!(checked(&body, 6), Ok(()));
        // OpenAI's most metadata, schemas, tools with long descriptions, pretty JSON
        let pairs = (0..16).map(|n| (format!("{n:064}"), json!("v".repeat(512))));
        let metadata: Value = pairs.collect::<serde_json::Map<_, _>>().into();
        let beside = json!({
            "metadata": metadata,
            "tools": [{ "type": "function", "function": {
                "name": "f",
                "description": "what it does. ".repeat(20_000),
                "parameters": { "type": "object", "properties": {} },
            }}],
            "response_format": { "type": "json_schema", "json_schema": {
                "name": "s",
                "schema": { "type": "object", "description": "d".repeat(30_000) },
            }},
        });
        let body = serde_json::to_string_pretty(&chat("hi", &beside)).unwrap();
        assert_eq!(checked(&body, 4), Ok(()));
        // an image, whose tokens the server counts
        let image = format!("data:image/png;base64,{}", "A".repeat(3 << 20));
        let body = json!({ "model": "m", "messages": [{ "role": "user", "content": [
            { "type": "text", "text": "what is it?" },
            { "type": "image_url", "image_url": { "url": image } },
        ]}]});
        assert_eq!(checked(&body.to_string(), 4), Ok(()));
        // token ids, each on a line of its own
        let ids = (0..100_000u32).map(|n| 100_000 + n).collect::<Vec<_>>();
        let body = serde_json::to_string_pretty(&json!({ "model": "m", "input": [ids] })).unwrap();
        let inputs = atoma_openai::request::embedding(body.as_bytes())
            .unwrap()
            .inputs;
        assert_eq!(check(body.len(), &inputs, 100_000, None), Ok(()));
        assert!(check(body.len() * 9, &inputs, 100_000, None).is_err());
    }
}
