//! What can go wrong with a request.

use crate::TooSlow;
use std::time::Duration;

/// A request couldn't be sent, or wasn't answered as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL is no place to connect to.
    #[error("the URL names no server")]
    Url,
    /// There is no connection: nothing was sent.
    #[error("cannot connect")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke, or what came is no answer. The request may have been received.
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    /// The head of the answer didn't come.
    #[error("no answer within {} ms", .0.as_millis())]
    NoAnswer(Duration),
    /// The body came too slowly.
    #[error("the answer broke off")]
    TooSlow(#[source] TooSlow),
    /// The body is longer than allowed.
    #[error("the answer is longer than {max_bytes} bytes")]
    TooLong {
        /// The most bytes of a body that the caller allows.
        max_bytes: usize,
    },
}

impl Error {
    /// Whether nothing was sent, because there was nobody to send it to.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Url | Self::Connect(_))
    }

    /// Whether the time was up.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::TooSlow(_))
    }
}
