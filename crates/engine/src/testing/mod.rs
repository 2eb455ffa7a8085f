//! For tests and benchmarks, here and in the crates above: models with random weights, and an
//! instant OpenAI-compatible server. Both are the real thing, only small and fast.

mod instant;
mod random_model;

pub use instant::{InstantOptions, InstantUpstream};
pub use random_model::RandomModel;
