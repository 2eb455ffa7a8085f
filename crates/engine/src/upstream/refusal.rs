//! What a server's error means to whoever asked. Its words stay here: they hold paths, settings and
//! parts of prompts. Only what is known is said, in our own.

use ::http::Response;
use atoma_http::client::{AnswerLimits, Body};
use serde_json::Value;

use super::{EMBEDDINGS, SILENCE_TIMEOUT};
use crate::{EngineError, ServerRefusal, Unavailable};

/// Largest error that is read for its meaning.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// Fields whose names a server may give back.
const FIELDS: [&str; 18] = [
    "messages",
    "prompt",
    "input",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "stop",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "response_format",
    "tools",
    "tool_choice",
    "chat_template_kwargs",
    "reasoning_effort",
];

/// What words in a refusal of the request mean.
const MEANINGS: [(&[&str], ServerRefusal); 7] = [
    (
        &["image input", "audio input", "multimodal", "mmproj"],
        ServerRefusal::NoMedia,
    ),
    (
        &[
            "tool-call-parser",
            "auto-tool-choice",
            "tool choice",
            "tool_choice",
        ],
        ServerRefusal::NoTools,
    ),
    (
        &["support embeddings", "embeddings api"],
        ServerRefusal::NoEmbeddings,
    ),
    (&["greedy sampling"], ServerRefusal::ManyGreedy),
    (
        &["too large to process", "physical batch"],
        ServerRefusal::BeyondBatch,
    ),
    (
        &["grammar", "schema", "structured output", "guided"],
        ServerRefusal::Form,
    ),
    (
        &[
            "chat template",
            "jinja",
            "must alternate",
            "conversation roles",
        ],
        ServerRefusal::Conversation,
    ),
];

/// Words of servers that refuse what is longer than their context.
const TOO_LONG: [&str; 5] = [
    "maximum context length",
    "maximum model length",
    "context size",
    "max_model_len",
    "context_length",
];

/// The error that a status other than success means.
pub(super) async fn refusal(
    response: Response<Body>,
    path: &str,
    context: Option<usize>,
) -> EngineError {
    let status = response.status().as_u16();
    let limits = AnswerLimits::within(SILENCE_TIMEOUT, MAX_ERROR_BYTES);
    let body = response.into_body().whole(limits).await.unwrap_or_default();
    of_status(status, path, &body, context)
}

/// The error that a status and a body mean.
pub(super) fn of_status(
    status: u16,
    path: &str,
    body: &[u8],
    context: Option<usize>,
) -> EngineError {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = message(&json).to_lowercase();
    let meaning = MEANINGS
        .iter()
        .find(|(words, _)| words.iter().any(|w| said.contains(w)));
    match (status, meaning) {
        // an endpoint that only models of another kind have
        (404 | 405 | 501, _) if path == EMBEDDINGS && is_no_path(&said) => {
            ServerRefusal::NoEmbeddings.into()
        }
        (429, _) => EngineError::Overloaded,
        (400 | 413 | 422, _) if TOO_LONG.iter().any(|words| said.contains(words)) => {
            too_long(&json, &said, context)
        }
        // some call the request's own faults theirs: 501 without embeddings, 500 for images
        (400 | 413 | 415 | 422 | 500 | 501, Some((_, meaning))) => (*meaning).into(),
        (400 | 413 | 415 | 422, None) => field(&json)
            .map_or(ServerRefusal::Unknown, ServerRefusal::Field)
            .into(),
        (501, None) => ServerRefusal::NotImplemented.into(),
        _ => Unavailable::Status(status).into(),
    }
}

/// Whether a server says that it has no such path, and not that it has no such model.
fn is_no_path(said: &str) -> bool {
    matches!(
        said,
        "" | "not found" | "file not found" | "method not allowed"
    )
}

/// The error that stands in a stream, or in a whole answer of status 200.
pub(super) fn of_frame(payload: &[u8], context: Option<usize>) -> EngineError {
    let json: Value = serde_json::from_slice(payload).unwrap_or_default();
    let code = [
        &json["error"]["code"],
        &json["code"],
        &json["error"]["status"],
    ];
    let code = code.into_iter().find_map(Value::as_u64);
    let code = code
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or(503);
    match of_status(code, "", payload, context) {
        error @ (EngineError::BadRequest(_) | EngineError::ContextTooLong { .. }) => error,
        EngineError::Overloaded => EngineError::Overloaded,
        _ => Unavailable::SaidBroken.into(),
    }
}

/// The words of an error: OpenAI and most have `error.message`, some `message`, TGI `error` alone, and
/// FastAPI `detail`: a text, or a list of faults.
fn message(json: &Value) -> &str {
    let places = [
        &json["error"]["message"],
        &json["message"],
        &json["error"],
        &json["detail"],
        &json["detail"][0]["msg"],
    ];
    places
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_default()
}

/// The field that an error is about, if it is one that clients have.
fn field(json: &Value) -> Option<&'static str> {
    let place = json["detail"][0]["loc"].as_array();
    let places = [&json["error"]["param"], &json["param"]].into_iter();
    let named = places
        .chain(place.into_iter().flatten())
        .filter_map(Value::as_str);
    named
        // some give the way to it: `body.stop`
        .flat_map(|name| name.split('.'))
        .find_map(|name| FIELDS.into_iter().find(|field| *field == name))
}

/// The numbers, from their fields (llama.cpp) or from the words: the limit is the first of them that
/// isn't the prompt's, which is the larger one.
fn too_long(json: &Value, said: &str, context: Option<usize>) -> EngineError {
    let number = |name: &str| json["error"][name].as_u64().map(|n| n as usize);
    let digits = said.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<usize> = digits.filter_map(|text| text.parse().ok()).collect();
    let limit = number("n_ctx").or(context);
    let limit = limit
        .or_else(|| numbers.iter().copied().filter(|n| *n > 0).min())
        .unwrap_or(0);
    let largest = numbers.into_iter().max().unwrap_or(0);
    let got = number("n_prompt_tokens")
        .unwrap_or(largest)
        .max(limit.saturating_add(1));
    EngineError::ContextTooLong { limit, got }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_request_stay_the_requests() {
        let bad = EngineError::from;
        let llama = r#"{"error":{"code":501,"message":"This server does not support embeddings. Start it with `--embeddings`"}}"#;
        let image =
            r#"{"error":{"code":500,"message":"image input is not supported - hint: mmproj"}}"#;
        let batch = r#"{"error":{"code":500,"message":"input (900 tokens) is too large to process. increase the physical batch size"}}"#;
        let tools = r#"{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"}}"#;
        for (status, body, expected) in [
            (501, llama, bad(ServerRefusal::NoEmbeddings)),
            (500, image, bad(ServerRefusal::NoMedia)),
            (500, batch, bad(ServerRefusal::BeyondBatch)),
            (400, tools, bad(ServerRefusal::NoTools)),
            (
                422,
                r#"{"detail":[{"loc":["body","temperature"],"msg":"must be"}]}"#,
                bad(ServerRefusal::Field("temperature")),
            ),
            (400, r#"{"detail":"secret"}"#, bad(ServerRefusal::Unknown)),
            (429, "", EngineError::Overloaded),
        ] {
            assert_eq!(
                of_status(status, "/v1/chat/completions", body.as_bytes(), None),
                expected
            );
        }
        for status in [401, 404, 500, 502, 503] {
            let refused = of_status(
                status,
                "/v1/chat/completions",
                br#"{"error":"/models/secret"}"#,
                None,
            );
            assert_eq!(refused.code(), "unavailable");
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_path_that_isnt_there_is_the_requests_fault_where_the_model_could_not_have_it() {
        let none = br#"{"detail":"Not Found"}"#;
        assert_eq!(of_status(404, EMBEDDINGS, none, None).code(), "bad_request");
        let model = br#"{"error":{"message":"The model `x` does not exist."}}"#;
        assert_eq!(
            of_status(404, EMBEDDINGS, model, None).code(),
            "unavailable"
        );
        assert_eq!(
            of_status(404, "/v1/completions", none, None).code(),
            "unavailable"
        );
        let stops = br#"{"error":{"message":"secret","param":"body.stop","code":400}}"#;
        let refused = of_status(400, "", stops, None).to_string();
        assert!(
            refused.contains("`stop`") && !refused.contains("secret"),
            "{refused}"
        );
    }

    #[test]
    fn a_prompt_beyond_the_context_has_its_own_code_and_numbers() {
        let llama = r#"{"error":{"code":400,"message":"request (3009 tokens) exceeds the available context size (1024 tokens), try increasing it","n_prompt_tokens":3009,"n_ctx":1024}}"#;
        let vllm = r#"{"error":{"message":"This model's maximum context length is 1024 tokens. However, your request has 3009 input tokens.","type":"BadRequestError","code":400}}"#;
        let detail =
            r#"{"detail":"The prompt (3009) is longer than the maximum model length of 1024."}"#;
        for body in [llama, vllm, detail] {
            let expected = EngineError::ContextTooLong {
                limit: 1_024,
                got: 3_009,
            };
            assert_eq!(of_status(400, "", body.as_bytes(), None), expected);
        }
    }

    #[test]
    fn errors_in_streams_have_the_same_meanings() {
        let code = |text: &str| of_frame(text.as_bytes(), None).code();
        assert_eq!(
            code(r#"{"error":{"message":"x","code":400}}"#),
            "bad_request"
        );
        assert_eq!(
            code(r#"{"object":"error","message":"x","code":500}"#),
            "unavailable"
        );
        assert_eq!(code(r#"{"error":"x"}"#), "unavailable");
    }
}
