//! What servers answer: events, receipts, frames, errors.

use super::{Memory, Target, messages, texts};
use atoma_client::{receipt_scanner::Scanner, retry::NodeRefusal};
use atoma_http::client::Events;
use atoma_types::hash::Hash32;

pub(super) const SSE: Target = Target {
    name: "sse",
    seeds: || {
        texts([
            "\x05: a comment\n\ndata: {\"a\":1}\n\ndata: cut",
            "\x09\u{feff}data: one\rdata: two\r\revent: x\r\nid: 7\r\ndata:three\r\n\r\n",
            "\x03\n\n\ndata\ndata:\n\ndata: [DONE]\n\n",
        ])
    },
    check: |bytes| {
        let Some((&at, stream)) = bytes.split_first() else {
            return;
        };
        let (first, rest) = stream.split_at(usize::from(at).min(stream.len()));
        let whole = payloads(&[stream]);
        assert_eq!(payloads(&[first, rest]), whole);
        assert_eq!(payloads(&stream.chunks(1).collect::<Vec<_>>()), whole);
        let total: usize = whole.iter().map(Vec::len).sum();
        assert!(total <= stream.len(), "events say more than came");
    },
    max_bytes: 2_000,
    memory: Memory::FLAT,
    mutants: 12_000,
};

fn payloads(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut events = Events::default();
    let mut payloads = Vec::new();
    for piece in pieces {
        events.push(piece).expect("an event below the limit");
        while let Some(payload) = events.next() {
            payloads.push(payload.to_vec());
        }
    }
    payloads
}

pub(super) const RECEIPT_STREAM: Target = Target {
    name: "receipt_stream",
    seeds: || {
        let receipt = messages::receipt().to_text();
        let stream = format!("\x20data: {{}}\n\n: atoma-receipt {receipt}\n\ndata: [DONE]\n\n");
        let mut seeds = texts([
            "\x10data: {}\n\n: atoma-receipt abc\n\ndata: [DONE]\n\n",
            "\x02: atoma-: atoma-receipt \n: atoma-receipt x\n\ndata: [DONE]\n\nmore",
        ]);
        seeds.push(stream.into_bytes());
        seeds
    },
    check: |bytes| {
        let Some((&at, stream)) = bytes.split_first() else {
            return;
        };
        let (first, rest) = stream.split_at(usize::from(at).min(stream.len()));
        let scan = |pieces: &[&[u8]]| {
            let mut scanner = Scanner::default();
            pieces.iter().for_each(|piece| _ = scanner.feed(piece));
            (scanner.scanned(), scanner.is_complete())
        };
        let whole = scan(&[stream]);
        assert_eq!(scan(&[first, rest]), whole);
        assert_eq!(scan(&stream.chunks(1).collect::<Vec<_>>()), whole);
        let (scanned, complete) = whole;
        if complete {
            // the hash is of the bytes before the receipt's line, and nothing else stands behind it
            let receipt = scanned.expect("a complete stream has a receipt");
            let end = format!(": atoma-receipt {}\n\ndata: [DONE]\n\n", receipt.receipt);
            if let Some(before) = stream.strip_suffix(end.as_bytes()) {
                assert_eq!(receipt.hash, Hash32::of(before));
            }
        }
    },
    max_bytes: 4_000,
    memory: Memory::FLAT,
    mutants: 12_000,
};

pub(super) const UPSTREAM_STREAM: Target = Target {
    name: "upstream_stream",
    seeds: || {
        let vllm = "\x28data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
            data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"logprobs\":{\"content\":[{\"token\":\"Hi\",\"logprob\":-0.1,\"bytes\":[72,105],\"top_logprobs\":[]}]}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n\
            data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        let llama = "\x14data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"timings\":{\"cache_n\":2,\"prompt_n\":3,\"predicted_n\":1}}\n\n\
            data: {\"choices\":[{\"finish_reason\":\"length\",\"index\":0,\"delta\":{}}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":2}}}\n\n";
        let tools = "\x41data: {\"choices\":[{\"index\":1,\"delta\":{\"reasoning_content\":\"hm\",\"reasoning\":\"hm\",\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"}}]}}]}\n\n\
            data: {\"choices\":[{\"index\":0,\"text\":\"x\",\"finish_reason\":\"tool_calls\",\"logprobs\":{\"tokens\":[\"x\"],\"token_logprobs\":[-1.5],\"top_logprobs\":[{\"x\":-1.5}]}}]}\n\ndata: [DONE]\n\n";
        let broken = "\x00data: {\"error\":{\"message\":\"This model's maximum context length is 8 tokens\",\"code\":400}}\n\n";
        let odd =
            "\x00\u{feff}data: null\r\rdata: {\"object\":\"error\",\"message\":\"no\"}\r\n\r\n";
        let parts = "\x07data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"thinking\",\"thinking\":\"b\"}],\"refusal\":\"no\"},\"finish_reason\":\"abort\"}]}\n\n";
        texts([vllm, llama, tools, broken, odd, parts])
    },
    check: atoma_engine::fuzzing::upstream_stream,
    max_bytes: 3_000,
    memory: Memory::TREE,
    mutants: 12_000,
};

pub(super) const UPSTREAM_ANSWERS: Target = Target {
    name: "upstream_answers",
    seeds: || {
        let refusal = |status: u16, body: &str| [&status.to_le_bytes(), body.as_bytes()].concat();
        let mut seeds = texts([
            "{\"object\":\"list\",\"data\":[{\"id\":\"model\",\"owned_by\":\"vllm\",\"max_model_len\":1024}]}",
            "{\"data\":[{\"id\":\"x\",\"owned_by\":\"llamacpp\",\"meta\":{\"n_ctx\":512,\"n_ctx_train\":1024}}]}",
            "vllm:num_requests_waiting{engine=\"0\",model_name=\"a b}\"} 3.0\nvllm:generation_tokens_total 1.5e+03\n",
            "# HELP\nllamacpp:tokens_predicted_total 7\nllamacpp:requests_deferred 1\n",
        ]);
        seeds.extend([
            refusal(400, "{\"error\":{\"message\":\"the request exceeds the available context size\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":30,\"n_ctx\":8}}"),
            refusal(422, "{\"detail\":[{\"loc\":[\"body\",\"stop\"],\"msg\":\"field required\"}]}"),
            refusal(404, "{\"detail\":\"Not Found\"}"),
            refusal(400, "{\"object\":\"error\",\"message\":\"This model's maximum context length is 1024 tokens. However, you requested 2000\",\"param\":\"body.stop\"}"),
        ]);
        seeds
    },
    check: atoma_engine::fuzzing::upstream_answers,
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 20_000,
};

pub(super) const NODE_ANSWERS: Target = Target {
    name: "node_answers",
    seeds: || {
        texts([
            "\x01{\"error\":{\"message\":\"more units are needed\",\"type\":\"invalid_request_error\",\"code\":\"units_exhausted\",\"needed\":40000000}}",
            "\x1d{\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":null}}",
            "\x67<html>Bad Gateway</html>",
        ])
    },
    check: |bytes| {
        let Some((&status, body)) = bytes.split_first() else {
            return;
        };
        // 400 to 527: refusals, and beyond
        let read = NodeRefusal::read(400 + u16::from(status & 0x7f), body);
        let _ = read.remedy();
    },
    max_bytes: 2_000,
    memory: Memory::TREE,
    mutants: 20_000,
};
