//! Failures that can be switched on.

use std::time::Duration;

/// How a node fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The node does all that it should.
    #[default]
    None,
    /// It answers nothing.
    Down,
    /// It answers late.
    Slow(Duration),
    /// It gives out damaged bytes.
    Corrupt,
    /// It confirms what it doesn't store, and makes up well-formed answers.
    Lying,
}
