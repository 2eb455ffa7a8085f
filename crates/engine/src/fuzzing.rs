//! What must hold of the parsers that this crate keeps to itself, for whatever bytes servers, models' folders
//! and clients send. Each function panics where something doesn't; the fuzz targets of `tests/fuzz` call them.

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::checkpoint::header_length;
use crate::embedded::ModelConfig;
use crate::format::Formats;
use crate::template::{ChatTemplate, Templates};
use crate::text::TextModel;
use crate::tool_calls::{Syntax, ToolCalls};
use crate::upstream::replay;
use crate::{
    ChatMessage, Conversation, Format, Prompt, RawJson, SamplingDefaults, builtin, shards,
};

/// Tokens that an answer of a given form is led through.
const GUIDED_TOKENS: usize = 8;

/// The built-in model's tokenizer, and the size of its vocabulary.
static TEXT: LazyLock<(Arc<TextModel>, ModelConfig)> = LazyLock::new(|| {
    let file = |name: &str| builtin::file(name).map(<[u8]>::to_vec);
    let text = TextModel::new(file).expect("the built-in tokenizer");
    let config = builtin::file("config.json").unwrap_or_default();
    let config = ModelConfig::parse(config, builtin::file("generation_config.json"));
    (Arc::new(text), config.expect("the built-in configuration"))
});

/// A server's stream of events, cut anywhere: the first byte says into which pieces, and how many answers
/// were asked for.
pub fn upstream_stream(bytes: &[u8]) {
    let Some((&how, stream)) = bytes.split_first() else {
        return;
    };
    let wanted = 1 + u32::from(how & 3);
    let whole = replay::stream(wanted, &[stream]);
    let (first, rest) = stream.split_at(usize::from(how >> 2).min(stream.len()));
    let (second, third) = rest.split_at(rest.len() / 2);
    let cut = replay::stream(wanted, &[first, second, third]);
    // numbers that aren't any are equal as texts
    assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
    assert_eq!(whole.output, cut.output);
    assert!(whole.deltas.iter().all(crate::AnswerDelta::says_something));
    assert!(
        whole.end.is_err() || whole.begun,
        "complete without an answer"
    );
}

/// What a server says of itself (`/v1/models`, `/metrics`), and how it refuses: a status, then a body.
pub fn upstream_answers(bytes: &[u8]) {
    replay::about_itself(bytes);
    if let Some((status, body)) = bytes.split_first_chunk() {
        let error = replay::refusal(u16::from_le_bytes(*status), body);
        // our words, with numbers and names of known fields in them
        assert!(error.to_string().len() < 256, "{error}");
    }
}

/// A message of a conversation: read, written and read again it is the same.
pub fn chat_message(bytes: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ChatMessage>(bytes) {
        let text = serde_json::to_string(&message).expect("a message is JSON");
        let again: ChatMessage = serde_json::from_str(&text).expect("what was written");
        assert_eq!(again, message);
    }
}

#[derive(Deserialize)]
struct Asked {
    messages: Vec<ChatMessage>,
    tools: Option<RawJson>,
    chat_template_kwargs: Option<RawJson>,
}

/// A chat template, a zero byte, and the JSON of a conversation.
pub fn chat_template(bytes: &[u8]) {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let template = String::from_utf8_lossy(halves.next().unwrap_or_default());
    let asked = halves.next().unwrap_or(br#"{"messages":[]}"#);
    let Ok(asked) = serde_json::from_slice::<Asked>(asked) else {
        return;
    };
    let templates = Templates {
        default: Some(template.into_owned()),
        tool_use: None,
    };
    let tokens = vec![("bos_token".to_owned(), "<s>".to_owned())];
    let Ok(Some(template)) = ChatTemplate::new(templates, tokens) else {
        return;
    };
    let conversation = Conversation {
        messages: asked.messages,
        tools: asked.tools,
        variables: asked.chat_template_kwargs,
        time: 1_700_000_000,
    };
    let rendered = template.render(&conversation);
    assert_eq!(template.render(&conversation), rendered);
}

/// An answer with calls of tools in it, cut anywhere.
pub fn tool_calls(bytes: &[u8]) {
    let Some((&how, text)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let mut cut = usize::from(how).min(text.len());
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    for syntax in [Syntax::Tags, Syntax::Bare] {
        let whole = sorted(syntax, &[&text]);
        assert_eq!(sorted(syntax, &[&text[..cut], &text[cut..]]), whole);
        let (said, calls) = whole;
        if calls.is_empty() {
            assert_eq!(said, text, "text is lost");
        }
        for arguments in calls {
            // parts of characters that are escaped are left to whoever reads them
            let json = serde_json::from_str::<RawJson>(&arguments).expect("arguments are JSON");
            assert!(json.text().starts_with('{'), "{json:?}");
        }
    }
}

fn sorted(syntax: Syntax, pieces: &[&str]) -> (String, Vec<String>) {
    let mut calls = ToolCalls::new(syntax, 7);
    let (mut said, mut arguments) = (String::new(), Vec::new());
    let mut add = |sorted: crate::tool_calls::Sorted| {
        said.push_str(&sorted.text);
        arguments.extend(sorted.calls.into_iter().map(|call| call.arguments));
    };
    pieces.iter().for_each(|piece| add(calls.push(piece)));
    add(calls.finish());
    (said, arguments)
}

/// `config.json`, a zero byte, `generation_config.json`.
pub fn model_config(bytes: &[u8]) {
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let (config, generation) = (halves.next().unwrap_or_default(), halves.next());
    if let Ok(config) = ModelConfig::parse(config, generation) {
        config.assert_sound();
    }
    if let Ok(defaults) = SamplingDefaults::parse(generation.unwrap_or(config)) {
        assert!((0.0..=2.0).contains(&defaults.temperature), "{defaults:?}");
        assert!(
            defaults.top_p > 0.0 && defaults.top_p <= 1.0,
            "{defaults:?}"
        );
        assert!((0.0..=1.0).contains(&defaults.min_p), "{defaults:?}");
    }
}

/// A file of weights, and an index of such files.
pub fn checkpoint(bytes: &[u8]) {
    if let Some((start, data)) = header_length(bytes) {
        assert_eq!(start.checked_add(data), Some(bytes.len() as u64));
    }
    let names = ["model-00001-of-00002.safetensors", "x.safetensors"].map(str::to_owned);
    if let Ok(chosen) = shards::choose(&names, Some(bytes)) {
        assert!(chosen.iter().all(|name| names.contains(name)));
    }
    if let Ok(name) = std::str::from_utf8(bytes)
        && let Ok(chosen) = shards::choose(&[name.to_owned()], None)
    {
        assert!(chosen.iter().all(|chosen| chosen == name));
    }
}

/// `tokenizer.json`, and a text for it.
pub fn tokenizer(bytes: &[u8]) {
    let file = |name: &str| (name == "tokenizer.json").then(|| bytes.to_vec());
    let Ok(text) = TextModel::new(file) else {
        return;
    };
    let prompt = Prompt::Text("Hello, wörld \u{1f600}\n".to_owned());
    if let Ok(tokens) = text.encode(&prompt) {
        let _ = text.decode(&tokens);
        for token in tokens {
            let _ = (text.bytes(token), text.is_special(token));
        }
    }
    let _ = text.decode(&[0, 1, u32::MAX]);
}

/// The schema of an answer: what it allows is never refused a token later.
pub fn answer_schema(bytes: &[u8]) {
    let Ok(schema) = serde_json::from_slice::<RawJson>(bytes) else {
        return;
    };
    let (text, config) = &*TEXT;
    let formats = Formats::new(text.clone(), config.vocab, config.eos.clone());
    let Ok(mut guide) = formats.guide(&Format::JsonSchema(schema)) else {
        return;
    };
    for _ in 0..GUIDED_TOKENS {
        let Ok(mask) = guide.mask() else {
            return;
        };
        let mut logits = vec![0.0; config.vocab];
        mask.apply(&mut logits);
        let Some(token) = logits.iter().position(|logit| *logit == 0.0) else {
            return;
        };
        if guide.push(token as u32) {
            return;
        }
    }
}
