//! OpenAI's JSON: what requests say, and answers in its shape, whoever computed them.

pub(crate) mod answer;
mod choice;
pub(crate) mod frames;
pub(crate) mod request;
pub(crate) mod whole;
