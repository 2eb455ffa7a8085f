//! an OpenAI endpoint for people with an API key
#![allow(dead_code, unused_imports, unreachable_pub)]
mod body;
mod budget;
mod catalog;
mod config;
mod errors;
mod keys;
mod listen;
mod metrics;
mod router;
mod serve {
    mod body;
    mod respond;
}
pub use budget::*;
pub use config::*;
pub use keys::*;
