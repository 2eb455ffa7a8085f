//! What several tests need.
#![allow(dead_code, unreachable_pub)]

use atoma_engine::testing::RandomModel;
use atoma_engine::{
    Completion, Embedded, EmbeddedOptions, Engine, Event, EventStream, GenerateRequest, Prompt,
    TokenEvent,
};
use futures::StreamExt;

/// A complete answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    pub ids: Vec<u32>,
    pub tokens: Vec<TokenEvent>,
    pub cached: u32,
    pub done: Completion,
}

pub async fn read(mut stream: EventStream) -> Answer {
    let (mut tokens, mut cached) = (Vec::new(), 0);
    loop {
        match stream
            .next()
            .await
            .expect("the stream ends with Done")
            .expect("no error")
        {
            Event::Started { cached_tokens, .. } => cached = cached_tokens,
            Event::Token(token) => tokens.push(token),
            Event::Piece(_) => panic!("the embedded engine has no pieces"),
            Event::Done(done) => {
                assert!(stream.next().await.is_none());
                let text = tokens
                    .iter()
                    .map(|t: &TokenEvent| t.text.as_str())
                    .collect();
                let ids = tokens.iter().filter_map(|t| t.id).collect();
                return Answer {
                    text,
                    ids,
                    tokens,
                    cached,
                    done,
                };
            }
        }
    }
}

pub async fn answer(engine: &dyn Engine, request: GenerateRequest) -> Answer {
    read(engine.generate(request).await.expect("accepted")).await
}

/// Token ids that look random.
pub fn tokens(seed: u32, length: usize) -> Vec<u32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        10 + (state >> 8) % 2000
    };
    (0..length).map(next).collect()
}

/// A sampled request.
pub fn sampled(prompt: Vec<u32>, max_tokens: u32, seed: u64) -> GenerateRequest {
    let request = GenerateRequest::new(Prompt::Tokens(prompt), max_tokens);
    GenerateRequest {
        temperature: 0.9,
        seed,
        ..request
    }
}

/// A model with random weights, loaded from a folder that is gone again.
pub fn random(model: &RandomModel, options: EmbeddedOptions) -> Embedded {
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.write(folder.path()).expect("written");
    Embedded::open(folder.path(), options).expect("loaded")
}

/// Two threads: what most machines that run tests have.
pub fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        threads: Some(2),
        ..EmbeddedOptions::default()
    }
}
