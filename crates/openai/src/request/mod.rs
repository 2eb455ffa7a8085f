//! Reading request bodies: the fields that matter, checked. Those that would change the answer and aren't
//! served are refused, unknown ones dropped.

mod chat;
mod completion;
mod content;
mod embedding;
mod fields;
mod generation;
mod json;
mod server;
mod signed;
#[cfg(test)]
mod tests;
mod texts;
mod turn;

pub use embedding::{Embedding, embedding};
pub use generation::Generation;
pub use signed::read_signed;
