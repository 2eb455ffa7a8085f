//! OpenAI's JSON: what requests say, and answers in its shape, whoever computed them.
//!
//! [`request`] reads a body field by field; [`replay()`] makes of a signed request all that decides its answer,
//! so that a node that serves it and whoever checks it ask their engines for the same. [`answer`] and
//! [`frames`] write what comes out, whole and streamed.

pub mod answer;
mod choice;
pub mod frames;
mod replay;
pub mod request;
pub mod whole;

pub use replay::replay;
