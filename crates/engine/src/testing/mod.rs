//! For tests and benchmarks, here and in the crates above: models with random weights, and an
//! instant OpenAI-compatible server, which are the real thing, only small and fast; a server that does what a
//! test tells it; and an engine that errs.

mod altered;
mod erring;
mod instant;
mod random;
mod random_bert;
mod random_model;
mod sampling;
mod scripted;

pub use altered::Altered;
pub use erring::{Erring, Errs};
pub use instant::{InstantOptions, InstantUpstream};
pub use random_bert::RandomBert;
pub use random_model::RandomModel;
pub use sampling::choose;
pub use scripted::{Reply, Scripted, Then};
