//! Failures that can be switched on.

use std::time::Duration;

/// How a node fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The node does all that it should.
    #[default]
    None,
    /// The node answers no request.
    Down,
    /// The node answers each request so much later.
    Slow(Duration),
    /// It gives out damaged bytes.
    Corrupt,
    /// It confirms what it doesn't store, and makes up well-formed answers.
    Lying,
}
