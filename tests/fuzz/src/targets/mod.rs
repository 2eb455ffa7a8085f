//! The targets, by whose words they read.

mod bodies;
mod chain;
mod channel;
mod configs;
mod evidence;
mod ledger;
mod messages;
mod models;
mod streams;
mod tee;
mod texts;
mod walrus;

use crate::target::{Memory, Target};

/// All of them.
pub static TARGETS: &[Target] = &[
    messages::MESSAGES,
    messages::PROOFS,
    chain::OBJECTS,
    chain::EVENTS,
    chain::CALLS,
    texts::TEXTS,
    texts::KEYSTORE,
    streams::SSE,
    streams::RECEIPT_STREAM,
    streams::UPSTREAM_STREAM,
    streams::UPSTREAM_ANSWERS,
    streams::NODE_ANSWERS,
    bodies::NODE_BODY,
    bodies::EMBEDDING_BODY,
    bodies::SIGNED_HEADERS,
    bodies::GATEWAY_BODY,
    bodies::CHAT_MESSAGE,
    models::CHAT_TEMPLATE,
    models::TOOL_CALLS,
    models::MODEL_CONFIG,
    models::CHECKPOINT,
    models::TOKENIZER,
    models::ANSWER_SCHEMA,
    evidence::PACK,
    evidence::RECORD,
    evidence::SEALED_BODY,
    evidence::PROOF_FILES,
    walrus::BLOB_METADATA,
    walrus::SLIVER,
    walrus::QUILT,
    walrus::CERTIFICATE,
    walrus::WALRUS_HEAD,
    tee::TEE_BUNDLE,
    tee::TEE_CERTIFICATE,
    tee::TEE_REPORTS,
    tee::TEE_MANIFEST,
    tee::TEE_POLICY,
    channel::SEALED_REQUEST,
    channel::SEALED_ANSWER,
    channel::SEALED_PADDING,
    channel::SEALED_MODEL,
    channel::MODEL_MANIFEST,
    channel::RELEASED_KEY,
    ledger::GRPC,
    ledger::TRANSACTION,
    configs::CONFIG_FILES,
];

/// Seeds that are texts.
fn texts<const N: usize>(seeds: [&str; N]) -> Vec<Vec<u8>> {
    seeds.map(|seed| seed.as_bytes().to_vec()).to_vec()
}
