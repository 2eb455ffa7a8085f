//! What a signed request asks of an engine: its body, and what stands in no body but is decided all the same. Who
//! signs the header decides the time that a template sees and the seed, the model's makers how tokens are
//! chosen where the body doesn't say. The node has no say in any of it, so whoever holds request and model can
//! compute the answer again: see [`replay`](crate::replay()).

use super::{chat::chat, completion::completion, generation::Generation};
use atoma_engine::{GenerateRequest, Prompt, SamplingDefaults};
use atoma_types::{
    hash::Hash32,
    message::{Endpoint, RequestHeader, Signed},
    refusal::{Refusal, RefusalCode},
};

/// Reads a signed request for text, and completes it.
///
/// # Errors
/// Names the field that can't be served; vectors are no text.
pub fn read_signed(
    header: &Signed<RequestHeader>,
    body: &[u8],
    defaults: SamplingDefaults,
) -> Result<Generation, Refusal> {
    let mut asked = match header.message().endpoint {
        Endpoint::ChatCompletions => chat(body, defaults)?,
        Endpoint::Completions => completion(body, defaults)?,
        Endpoint::Embeddings => {
            let message = "vectors are no text";
            return Err(Refusal::new(RefusalCode::WrongEndpoint, message));
        }
    };
    if let Prompt::Chat(conversation) = &mut asked.prompt {
        conversation.time = header.message().issued_at_ms.0 / 1_000;
    }
    asked.seed.get_or_insert_with(|| seed_of(header.asked()));
    Ok(asked)
}

/// The seed of a request that names none: drawn from the header that its user signed, so that no node can
/// choose it and everyone who holds the request can check the answer.
fn seed_of(request: Hash32) -> u64 {
    let Hash32([a, b, c, d, e, f, g, h, ..]) = request;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl Generation {
    /// What decides the answer of an engine in this program.
    #[must_use]
    pub fn engine_request(&self, prompt: Prompt, max_tokens: u32) -> GenerateRequest {
        GenerateRequest {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            seed: self.seed.unwrap_or_default(),
            stop: self.stop.clone(),
            format: self.format.clone(),
            tool_choice: self.tool_choice.clone(),
            logprobs: self.logprobs,
            ..GenerateRequest::new(prompt, max_tokens)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_keys::SigningKey;
    use atoma_types::{
        Address, ComputeUnits, NetworkId, NodeId, RequestId, StackId, TaskId, TimestampMs,
        message::Origin,
    };

    const ADVICE: SamplingDefaults = SamplingDefaults {
        temperature: 0.3,
        top_p: 0.9,
        top_k: 20,
        min_p: 0.05,
    };

    fn header(endpoint: Endpoint) -> Signed<RequestHeader> {
        let header = RequestHeader {
            domain: Default::default(),
            network: NetworkId([1; 32]),
            stack: StackId(Address::ZERO),
            node: NodeId(Address::ZERO),
            task: TaskId(Address::ZERO),
            request_id: RequestId([2; 16]),
            endpoint,
            body_hash: Hash32::ZERO,
            lane: 0,
            ceiling: ComputeUnits(1),
            max_units: ComputeUnits(1),
            issued_at_ms: TimestampMs(7_999),
            expires_at_ms: TimestampMs(9_000),
            origin: Origin::Own,
        };
        Signed::new(header, &SigningKey::from_seed(&[3; 32]))
    }

    fn chosen(more: &str) -> (f32, f32, u32, f32) {
        let body =
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}]{more}}}"#);
        let header = header(Endpoint::ChatCompletions);
        let asked = read_signed(&header, body.as_bytes(), ADVICE).unwrap();
        let Prompt::Chat(conversation) = &asked.prompt else {
            panic!("a chat")
        };
        assert_eq!(conversation.time, 7, "the signed time");
        (asked.temperature, asked.top_p, asked.top_k, asked.min_p)
    }

    #[test]
    fn what_a_body_does_not_say_the_models_makers_do() {
        assert_eq!(chosen(""), (0.3, 0.9, 20, 0.05));
        assert_eq!(chosen(r#","temperature":null"#), (0.3, 0.9, 20, 0.05));
        let said = r#","temperature":1.0,"top_p":1.0,"top_k":0,"min_p":0.0"#;
        assert_eq!(chosen(said), (1.0, 1.0, 0, 0.0));
    }

    #[test]
    fn the_seed_is_the_users_or_the_headers() {
        let header = header(Endpoint::Completions);
        let seed = |more: &str| {
            let body = format!(r#"{{"model":"m","prompt":"hi"{more}}}"#);
            let asked = read_signed(&header, body.as_bytes(), ADVICE).unwrap();
            asked.engine_request(Prompt::Text(String::new()), 1).seed
        };
        assert_eq!(seed(r#","seed":5"#), 5);
        assert_eq!(seed(""), seed_of(header.hash()));
    }

    #[test]
    fn a_request_that_is_passed_on_is_answered_as_the_one_it_stands_for() {
        let own = header(Endpoint::ChatCompletions);
        let passed = RequestHeader {
            request_id: RequestId([9; 16]),
            stack: StackId(Address::new([9; 32])),
            origin: Origin::Forwarded(own.hash()),
            ..own.message().clone()
        };
        let passed = Signed::new(passed, &SigningKey::from_seed(&[4; 32]));
        let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        let asked = |header| {
            let asked = read_signed(header, body, ADVICE).unwrap();
            let prompt = asked.prompt.clone();
            format!("{:?}", asked.engine_request(prompt, 5))
        };
        assert_eq!(asked(&passed), asked(&own));
    }

    #[test]
    fn vectors_are_no_text() {
        let refused = read_signed(&header(Endpoint::Embeddings), b"{}", ADVICE).unwrap_err();
        assert_eq!(refused.code, RefusalCode::WrongEndpoint);
    }
}
