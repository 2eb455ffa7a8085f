//! Sampled requests for those who cheat: there is something to draw in all of them.

use atoma_audit::testing::{SignedRequest, chat, completion, sign};
use atoma_engine::CacheDomain;
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const ASKED: [&str; 6] = [
    "Tell me about the {}.",
    "What is the {}?",
    "Write two lines about the {} for a child who has never seen one.",
    "Why do people like the {}?",
    "Count to five, then describe the {}.",
    "Repeat after me: the {} is not what it was.",
];
const ABOUT: [&str; 16] = [
    "sea", "sun", "moon", "river", "violin", "king", "garden", "winter", "road", "letter",
    "market", "horse", "mountain", "library", "storm", "lamp",
];

static DOMAINS: AtomicU64 = AtomicU64::new(1);

/// A request with these fields beside what is drawn.
pub(crate) fn drawn(random: &mut StdRng, more: &Value) -> SignedRequest {
    let asked = ASKED[random.random_range(0..ASKED.len())];
    let text = asked.replace("{}", ABOUT[random.random_range(0..ABOUT.len())]);
    let temperature = [0.7, 1.0, 1.4][random.random_range(0..3)];
    let mut fields = json!({
        "temperature": temperature,
        "max_tokens": random.random_range(16..=64u32),
        "seed": random.random::<u32>(),
        "stream": random.random_bool(0.5),
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more.clone());
        // what is asked for with null isn't asked for
        fields.retain(|_, value| !value.is_null());
    }
    sign(match random.random_bool(0.7) {
        true => chat(&text, fields),
        false => completion(&text, fields),
    })
}

/// A part of the prefix cache that nobody has used.
pub(crate) fn unused() -> CacheDomain {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&DOMAINS.fetch_add(1, Relaxed).to_le_bytes());
    CacheDomain::new(bytes)
}
