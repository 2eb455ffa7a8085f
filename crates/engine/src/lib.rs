//! Inference engines behind one trait.
//!
//! [`Engine`] streams tokens, counts them, cancels when the stream is dropped, embeds, and
//! re-scores answers that others claim to have computed. Callers hold an `Arc<dyn Engine>` and
//! can't tell where the work is done.
//!
//! This crate knows nothing of money, keys or the network protocol; it never logs prompts or
//! answers.

mod api;
mod error;
mod event;
pub mod fingerprint;

pub use api::{
    ChatMessage, Endpoint, Engine, GenerateRequest, Load, ModelInfo, Numerics, Prompt, Sampling,
    Score, TokenScore, UpstreamLoad, Usage,
};
pub use error::EngineError;
pub use event::{
    Completion, EVENT_CAPACITY, Event, EventSender, EventStream, Finish, Logprob, OutputLimit,
    TokenEvent, event_channel,
};
