//! Real models, which `cargo xtask test --real-model` fetches: a chat model and an embedding model
//! against an independent implementation in f64 (`tests/models/reference.py`), and answers as text.

use std::path::PathBuf;

use atoma_engine::{
    ChatMessage, Conversation, Embedded, Engine, GenerateRequest, Prompt, Sampling,
};
use serde::Deserialize;

use crate::common::{answer, options};

/// Far above what f32 does to 30 layers (7e-5), far below what any mistake does.
const TOLERANCE: f64 = 1e-3;
const VECTOR_TOLERANCE: f64 = 1e-5;

/// A text that was read by the reference.
#[derive(Deserialize)]
struct Reading {
    tokens: Vec<u32>,
    /// Of each token after the first.
    logprobs: Vec<f64>,
    /// What is likeliest in the place of each token after the first, and by how much.
    likeliest: Vec<u32>,
    lead: Vec<f64>,
}

/// A text that was embedded by the reference.
#[derive(Deserialize)]
struct Vectored {
    text: String,
    tokens: u64,
    vector: Vec<f64>,
}

fn folder(name: &str) -> PathBuf {
    let target = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/real-model/models"
    );
    PathBuf::from(target).join(name)
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let text = std::fs::read(folder(name)).expect("run `cargo xtask test --real-model`");
    serde_json::from_slice(&text).expect("as prepare.py writes it")
}

/// Questions, and the whole of what the model says to them when it says the likeliest.
const ANSWERS: [(&str, &str); 5] = [
    (
        "What is the capital of France?",
        "The capital of France is Paris.",
    ),
    (
        "What color is the sky on a clear day?",
        "The sky on a clear day is often described as a deep, rich shade of blue, with a hint \
         of pink and a hint of purple. However, the exact color of the sky on a clear day \
         can vary depending on the location and",
    ),
    (
        "Name three primary colors.",
        "The primary colors are: Red, Blue, and Yellow.",
    ),
    (
        "What is 2 + 2?",
        "The answer to this classic math problem is 4.",
    ),
    (
        "Write one sentence about the sea.",
        "The sea is a vast and mysterious realm, teeming with life and unending in its own \
         way, a testament to the unending beauty of the universe.",
    ),
];
/// The fingerprint of the first of them, the same on every processor.
const FINGERPRINT: &str = "88600346114354630a267def2ac45b5ead1aef8909cbefa626835fe61a21836a";

#[tokio::test]
#[ignore = "fetches 93 MB: cargo xtask test --real-model"]
async fn a_chat_models_log_probabilities_are_those_of_the_reference() {
    let engine = Embedded::open(&folder("smollm2"), options()).expect("loaded");
    let (mut worst, mut same, mut all) = (0.0f64, 0, 0);
    for case in read::<Reading>("smollm2.json") {
        let (first, rest) = case.tokens.split_at(1);
        let score = engine.score(first.to_vec(), rest.to_vec(), Sampling::GREEDY, None);
        let score = score.await.expect("scored");
        for (at, token) in score.tokens.iter().enumerate() {
            let off = (f64::from(token.logprob) - case.logprobs[at]).abs();
            assert!(off < TOLERANCE, "{at}: {token:?} {}", case.logprobs[at]);
            let likeliest = token.reference == Some(case.likeliest[at]);
            assert!(likeliest || case.lead[at] < TOLERANCE, "{at}: {token:?}");
            worst = worst.max(off);
            (same, all) = (same + usize::from(likeliest), all + 1);
        }
    }
    println!(
        "log probabilities: {worst:.1e} off at most; {same} of {all} likeliest tokens the same"
    );
}

#[tokio::test]
#[ignore = "fetches 93 MB: cargo xtask test --real-model"]
async fn a_chat_model_says_what_it_said() {
    let engine = Embedded::open(&folder("smollm2"), options()).expect("loaded");
    let mut said = Vec::new();
    let mut fingerprints = Vec::new();
    for (question, _) in ANSWERS {
        let chat = Conversation::new(vec![ChatMessage::new("user", question)]);
        let request = GenerateRequest::new(Prompt::Chat(chat), 48);
        let answer = answer(&engine, request).await;
        let hex = |b: &u8| format!("{b:02x}");
        fingerprints.push(answer.done.fingerprint.iter().map(hex).collect::<String>());
        said.push(answer.text);
    }
    assert_eq!(said, ANSWERS.map(|(_, answer)| answer));
    assert_eq!(fingerprints[0], FINGERPRINT);
}

#[tokio::test]
#[ignore = "fetches 84 MB: cargo xtask test --real-model"]
async fn an_embedding_models_vectors_are_those_of_the_reference() {
    let engine = atoma_engine::open(&folder("minilm"), options()).expect("loaded");
    assert_eq!(
        (engine.info().context, engine.info().only_embeds),
        (256, true)
    );
    let cases = read::<Vectored>("minilm.json");
    let prompts = cases.iter().map(|case| Prompt::Text(case.text.clone()));
    let (vectors, usage) = engine.embed(prompts.collect()).await.expect("embedded");
    assert_eq!(
        usage.input,
        cases.iter().map(|case| case.tokens).sum::<u64>()
    );
    let mut worst = 0.0f64;
    for (vector, case) in vectors.iter().zip(&cases) {
        for (seen, expected) in vector.iter().zip(&case.vector) {
            worst = worst.max((f64::from(*seen) - expected).abs());
        }
    }
    assert!(worst < VECTOR_TOLERANCE, "{worst}");
    println!("components of vectors: {worst:.1e} off at most");
}
