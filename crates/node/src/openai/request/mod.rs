//! Reading request bodies: the fields that matter, checked; unknown ones are passed over, as
//! OpenAI's servers do.

mod chat;
mod completion;
mod embedding;
mod generation;
mod json;
#[cfg(test)]
mod tests;
mod texts;
mod turn;

pub(crate) use chat::chat;
pub(crate) use completion::completion;
pub(crate) use embedding::embedding;
pub(crate) use generation::Generation;
