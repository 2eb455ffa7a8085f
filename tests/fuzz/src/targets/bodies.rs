//! What users send: bodies, headers, messages.

use super::{Memory, Target, messages, texts};
use atoma_client::estimate::max_units;
use atoma_types::{
    UnitWeights,
    message::{Endpoint, Origin},
};
use std::sync::LazyLock;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"x"}],"max_tokens":5,"max_completion_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":-1,"min_p":0.1,"stop":["x"],"stream":true,"stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":2,"seed":-1,"n":2,"presence_penalty":-2,"frequency_penalty":2}"#;
const TOOLS: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}},"logit_bias":{"5":-100,"7":1.5},"chat_template_kwargs":{"enable_thinking":false},"repetition_penalty":1.1,"min_tokens":1,"user":"u"}"#;
const PARTS: &str = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}},{"type":"text","text":"?"}]}],"max_tokens":1}"#;
const COMPLETION: &str = r#"{"model":"m","prompt":"once","max_tokens":3,"logprobs":2,"echo":false,"best_of":1,"suffix":null,"stop":"x"}"#;
const TOKENS: &str = r#"{"model":"m","prompt":[1,2,3],"temperature":2,"top_p":1e-320}"#;

/// A body for two endpoints: its first byte says which.
pub(super) const NODE_BODY: Target = Target {
    name: "node_body",
    seeds: || {
        let chats = [CHAT, TOOLS, PARTS].map(|body| format!("0{body}"));
        let others = [COMPLETION, TOKENS].map(|body| format!("1{body}"));
        chats
            .into_iter()
            .chain(others)
            .map(String::into_bytes)
            .collect()
    },
    check: |bytes| {
        static CHATS: LazyLock<Signed> = LazyLock::new(|| order_for(Endpoint::ChatCompletions));
        static COMPLETIONS: LazyLock<Signed> = LazyLock::new(|| order_for(Endpoint::Completions));
        let Some((&endpoint, body)) = bytes.split_first() else {
            return;
        };
        let header = if endpoint & 1 == 0 {
            &CHATS
        } else {
            &COMPLETIONS
        };
        atoma_node::fuzzing::text_body(header, body);
    },
    max_bytes: 3_000,
    memory: Memory::TREE,
    mutants: 25_000,
};

type Signed = atoma_types::message::Signed<atoma_types::message::RequestHeader>;

fn order_for(endpoint: Endpoint) -> Signed {
    let header = atoma_types::message::RequestHeader {
        endpoint,
        ..messages::header(Origin::Own).message().clone()
    };
    Signed::new(header, &messages::key())
}

pub(super) const EMBEDDING_BODY: Target = Target {
    name: "embedding_body",
    seeds: || {
        texts([
            r#"{"model":"m","input":"a","encoding_format":"base64","dimensions":null,"user":"u"}"#,
            r#"{"model":"m","input":["a","b"],"encoding_format":"float"}"#,
            r#"{"model":"m","input":[[1,2],[3]]}"#,
            r#"{"model":"m","input":[1,2,3]}"#,
        ])
    },
    check: atoma_node::fuzzing::embedding_body,
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 25_000,
};

pub(super) const SIGNED_HEADERS: Target = Target {
    name: "signed_headers",
    seeds: || {
        let signed = messages::header(Origin::Own);
        let text = signed.to_text();
        let start = signed.bytes().len() / 3 * 4;
        let (header, signature) = text.split_at(start);
        vec![
            format!("{header}\n{signature}").into_bytes(),
            format!("{text}\n{text}").into_bytes(),
        ]
    },
    check: atoma_node::fuzzing::signed_headers,
    max_bytes: 1_200,
    memory: Memory::FLAT,
    mutants: 25_000,
};

pub(super) const GATEWAY_BODY: Target = Target {
    name: "gateway_body",
    seeds: || texts([CHAT, TOOLS, PARTS, COMPLETION, TOKENS]),
    check: |bytes| {
        atoma_gateway::fuzzing::body(bytes);
        let weights = &UnitWeights::TEXT;
        if let Ok(units) = max_units(Endpoint::ChatCompletions, bytes, weights, 100) {
            assert!(units.0 >= bytes.len() as u64);
        }
    },
    max_bytes: 3_000,
    memory: Memory::TREE,
    mutants: 25_000,
};

pub(super) const CHAT_MESSAGE: Target = Target {
    name: "chat_message",
    seeds: || {
        texts([
            r#"{"role":"assistant","reasoning_content":"hm","tool_calls":[{"z":1,"a":2}],"content":null}"#,
            r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
            r#"{"role":"assistant"}"#,
        ])
    },
    check: atoma_engine::fuzzing::chat_message,
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 25_000,
};
