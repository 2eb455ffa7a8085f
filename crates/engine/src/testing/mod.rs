//! For tests and benchmarks, here and in the crates above: models with random weights, and an
//! instant OpenAI-compatible server, which are the real thing, only small and fast; and a server that does what a
//! test tells it.

mod instant;
mod random_model;
mod scripted;

pub use instant::{InstantOptions, InstantUpstream};
pub use random_model::RandomModel;
pub use scripted::{Reply, Scripted, Then};
