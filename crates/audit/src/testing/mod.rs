//! Providers that serve as a node does, or as a cheat would, and auditors with engines of their own: what this crate's
//! tests, and the study of `bench/verification`, look at.
//!
//! Whatever can't be done here is a mistake in a test: it panics.

mod asked;
mod edits;
mod models;
mod moved;
mod provider;

pub use asked::{TOOLS, asked};
pub use edits::{edited, ended, of_tokens, shortened};
pub use models::{caller, endless, options, rounded, tiny};
pub use moved::{Arithmetic, moved, write_moved};
pub use provider::{
    Answer, MODEL, Provider, SignedRequest, chat, completion, cut, done, embedded, exchange, found,
    look, resign, salt, sign, sign_body, write,
};
