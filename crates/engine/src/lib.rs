//! Inference engines behind one trait.
//!
//! [`Engine`] streams tokens, counts them, cancels when the stream is dropped, embeds, and
//! re-scores answers that others claim to have computed. Callers hold an `Arc<dyn Engine>` and
//! can't tell where the work is done.
//!
//! This crate knows nothing of money, keys or the network protocol; it never logs prompts or
//! answers.
//!
//! # Example
//!
//! The built-in model needs no download. `examples/generate.rs` prints an answer as it comes.
//!
//! ```
//! use atoma_engine::{Engine, Prompt, builtin};
//!
//! let engine = builtin::load()?;
//! let prompt = Prompt::Text("What is the sun?".to_owned());
//! assert!(engine.count_tokens(&prompt)? > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alphabet;
mod api;
mod bad_request;
mod bert;
pub mod builtin;
mod cache_domain;
mod checkpoint;
mod connect_error;
mod conversation;
mod defaults;
mod deltas;
mod embedded;
mod engine;
mod error;
mod event;
pub mod fingerprint;
mod finish;
mod format;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
pub mod hub;
mod known_bits;
mod load_error;
mod loose;
mod nucleus;
mod open;
mod piece;
pub mod probe;
mod probed;
mod rank;
mod sample;
mod server_fields;
mod shards;
mod template;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod tool_calls;
mod unavailable;
mod unit;
mod unsupported;
mod upstream;

pub use api::{
    Format, GenerateRequest, Load, Measured, ModelInfo, PrefixLoad, Prompt, Sampling, Score,
    TokenScore, ToolChoice, UpstreamLoad,
};
pub use atoma_types::{Numerics, Usage};
pub use bad_request::{BadForm, BadRequest, ServerRefusal};
pub use bert::Bert;
pub use cache_domain::CacheDomain;
pub use checkpoint::{ModelFiles, ReadSeek};
pub use connect_error::{ConnectError, HttpSetupError};
pub use conversation::{ChatMessage, Conversation, RawJson};
pub use defaults::SamplingDefaults;
pub use embedded::{Embedded, EmbeddedOptions, Isa, WeightType};
pub use engine::{Embeddings, Engine};
pub use error::{EngineError, EngineFault};
pub use event::{
    Completion, EVENT_CAPACITY, Event, EventSender, EventStream, Logprob, OutputLimit, TokenEvent,
    event_channel,
};
pub use finish::Finish;
pub use load_error::{HeaderError, LoadError, RopeFault, TensorFault, TokenizerError};
pub use open::{open, open_files};
pub use piece::{AnswerDelta, Piece, TokenLogprob, ToolCallDelta};
pub use server_fields::{MAX_ANSWERS, ServerFields};
pub use shards::ShardsError;
pub use unavailable::Unavailable;
pub use unsupported::Unsupported;
pub use upstream::{Upstream, UpstreamOptions};
