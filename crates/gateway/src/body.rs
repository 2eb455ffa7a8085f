//! The few fields of a request body that the gateway must know. The body itself is passed on byte
//! for byte; whether the rest of it is right is the node's to say.

use atoma_channel::{Fault, MEDIA_TYPE, SealedRequest};
use atoma_types::{
    ComputeUnits, NetworkId, NodeId, TaskId, UnitWeights,
    estimate::BodyBounds,
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde::Deserialize;
use std::borrow::Cow;

/// More choices than this are refused, as OpenAI does.
const MAX_CHOICES: u64 = 128;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// The model's name, as `/v1/models` lists it.
    pub(crate) model: Cow<'a, str>,
    /// Whether the answer shall be streamed.
    pub(crate) stream: bool,
    max_tokens: Option<u64>,
    choices: u64,
    bytes: u64,
    /// What a sealed body says openly; nothing else of it is known.
    pub(crate) sealed: Option<SealedFor>,
}

/// To whom a request is sealed, and what it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedFor {
    pub(crate) task: TaskId,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) max_units: ComputeUnits,
}

/// What takes a node's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// So many tokens are written, one after the other.
    Write { tokens: u64 },
    /// So many bytes are read.
    Read { bytes: u64 },
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    stream: Option<bool>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    n: Option<u64>,
    best_of: Option<u64>,
}

/// Reads the fields; anything but a JSON object with a model's name is refused.
pub(crate) fn read(body: &[u8]) -> Result<Asked<'_>, Refusal> {
    let fields: Fields<'_> = serde_json::from_slice(body).map_err(|error| {
        // the parser's words name fields and places, never the content
        let place = format!("line {} column {}", error.line(), error.column());
        let message = match error.classify() {
            serde_json::error::Category::Data => {
                format!("the body does not have the right fields: a value near {place} is missing or of the wrong type")
            }
            _ => format!("the body is not JSON, from {place} on"),
        };
        Refusal::new(RefusalCode::InvalidBody, message)
    })?;
    let choices = fields.n.unwrap_or(1).max(fields.best_of.unwrap_or(1));
    if choices > MAX_CHOICES {
        let message = format!("at most {MAX_CHOICES} choices can be asked for");
        return Err(Refusal::new(RefusalCode::InvalidBody, message).param("n"));
    }
    Ok(Asked {
        model: fields.model,
        stream: fields.stream.unwrap_or(false),
        max_tokens: fields.max_completion_tokens.or(fields.max_tokens),
        choices: choices.max(1),
        bytes: body.len() as u64,
        sealed: None,
    })
}

/// Whether the body says that it is sealed.
pub(crate) fn is_sealed(headers: &HeaderMap) -> bool {
    let sealed = |value: &HeaderValue| value.as_bytes() == MEDIA_TYPE.as_bytes();
    headers.get(CONTENT_TYPE).is_some_and(sealed)
}

/// Reads what a sealed body says openly. It is passed on as it is, and its answer as it comes.
pub(crate) fn read_sealed(
    body: &[u8],
    network: NetworkId,
    endpoint: Endpoint,
) -> Result<Asked<'static>, Refusal> {
    let request = SealedRequest::read(body).map_err(refused)?;
    let head = request.head();
    if head.network != network {
        return Err(refused(Fault::Network));
    }
    if head.endpoint != endpoint {
        let message = "the request is sealed for another endpoint";
        return Err(Refusal::new(RefusalCode::WrongEndpoint, message));
    }
    Ok(Asked {
        model: Cow::Borrowed(""),
        stream: true,
        max_tokens: None,
        choices: 1,
        bytes: body.len() as u64,
        sealed: Some(SealedFor {
            task: head.task,
            nodes: head.recipients.iter().map(|one| one.node).collect(),
            max_units: head.max_units,
        }),
    })
}

/// A fault under its own code.
fn refused(fault: Fault) -> Refusal {
    let mut codes = RefusalCode::ALL.iter().copied();
    let code = codes.find(|code| code.as_str() == fault.code());
    Refusal::new(code.unwrap_or(RefusalCode::InvalidBody), fault.to_string())
}

impl Asked<'_> {
    /// The most that an answer can cost; `default_output` tokens are counted where the body names no
    /// limit. The node charges what it counts; this is only what must be held until then.
    pub(crate) fn max_units(
        &self,
        endpoint: Endpoint,
        weights: &UnitWeights,
        default_output: u64,
    ) -> ComputeUnits {
        if let Some(sealed) = &self.sealed {
            return sealed.max_units;
        }
        let worst = self.bounds(endpoint).worst_units(weights, default_output);
        // more than anyone can pay for: the budget says no
        worst.unwrap_or(ComputeUnits(u64::MAX))
    }

    /// What the body says of its size.
    pub(crate) fn bounds(&self, endpoint: Endpoint) -> BodyBounds {
        BodyBounds {
            endpoint,
            bytes: self.bytes,
            max_tokens: self.max_tokens,
            answers: self.choices,
        }
    }

    /// What a node has to do for a whole answer. An embedding has no output, whatever the body says.
    pub(crate) fn work(&self, endpoint: Endpoint, default_output: u64) -> Work {
        match endpoint {
            Endpoint::Embeddings => Work::Read { bytes: self.bytes },
            Endpoint::ChatCompletions | Endpoint::Completions => Work::Write {
                tokens: self.output_tokens(default_output),
            },
        }
    }

    /// Output tokens of all answers at most.
    pub(crate) fn output_tokens(&self, default_output: u64) -> u64 {
        let each = self.max_tokens.unwrap_or(default_output);
        each.saturating_mul(self.choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::estimate::TEMPLATE_TOKENS;

    #[test]
    fn a_task_that_prices_cached_input_above_computed_input_is_held_for() {
        let weights = UnitWeights {
            cached_input: 2 * UnitWeights::TEXT.input,
            ..UnitWeights::TEXT
        };
        let body = br#"{"model":"m","max_tokens":5}"#;
        let units = read(body)
            .unwrap()
            .max_units(Endpoint::ChatCompletions, &weights, 1_000);
        assert_eq!(units.0, 2 * (body.len() as u64 + TEMPLATE_TOKENS) + 5);
    }

    #[test]
    fn the_few_fields() {
        let body = br#"{"messages":[{"role":"user","content":"x"}],"model":"a\u0062","stream":true,"max_tokens":5,"n":2}"#;
        let asked = read(body).unwrap();
        assert_eq!((asked.model.as_ref(), asked.stream), ("ab", true));
        let units = asked.max_units(Endpoint::ChatCompletions, &UnitWeights::TEXT, 1_000);
        assert_eq!(units.0, body.len() as u64 + TEMPLATE_TOKENS + 10);
        let units = asked.max_units(Endpoint::Embeddings, &UnitWeights::TEXT, 1_000);
        assert_eq!(units.0, body.len() as u64 + TEMPLATE_TOKENS);

        let short = read(br#"{"model":"m","max_tokens":9,"max_completion_tokens":3}"#).unwrap();
        assert_eq!(short.max_tokens, Some(3));
        let open = read(br#"{"model":"m","stream":null}"#).unwrap();
        assert!(
            open.max_units(Endpoint::Completions, &UnitWeights::TEXT, 1_000)
                .0
                > 1_000
        );
        let huge = read(br#"{"model":"m","max_tokens":18446744073709551615,"n":128}"#).unwrap();
        let units = huge.max_units(Endpoint::Completions, &UnitWeights::TEXT, 1);
        assert_eq!(units.0, u64::MAX);
    }

    #[test]
    fn anything_else_is_refused_without_quoting_it() {
        for body in [
            &b""[..],
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            br#"{"messages":[]}"#,
            br#"{"model":7}"#,
            br#"{"model":"m","stream":"yes"}"#,
            br#"{"model":"m","max_tokens":-5}"#,
            br#"{"model":"m","n":129}"#,
            br#"{"model":"secret","model":"secret"}"#,
        ] {
            let refusal = read(body).unwrap_err();
            assert_eq!(refusal.code, RefusalCode::InvalidBody);
            assert!(!refusal.message.contains("secret"));
        }
    }
}
