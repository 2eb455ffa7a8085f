//! OpenAI's JSON: what requests say, and the answers of the embedded engine. Requests to upstream
//! engines are only looked at, never re-written; their answers are relayed.

pub(crate) mod answer;
pub(crate) mod frames;
pub(crate) mod request;
