//! Reading request bodies: the fields that matter, checked. Those that would change the answer and aren't
//! served are refused, unknown ones dropped.

mod chat;
mod completion;
mod embedding;
mod fields;
mod generation;
mod json;
mod order;
mod part;
mod server;
#[cfg(test)]
mod tests;
mod texts;
mod turn;

pub(crate) use embedding::embedding;
pub(crate) use generation::Generation;
pub(crate) use order::order;
