//! Pooled connections to other servers, HTTP/1.1, over TLS where the URL says so.
//!
//! A pool usually gives each connection a task of its own: a request then crosses to that task and
//! back, and once more when the connection is free again. Here nobody but the request drives its
//! connection: it is polled while the answer's head and body are waited for, and lies in the pool
//! unwatched when they are complete.
//!
//! An answer that is dropped before its end closes its connection, which is how HTTP/1.1 cancels.

mod body;
mod line;
mod pool;
#[cfg(feature = "server")]
pub mod server;
mod silence;

pub use body::Body;
pub use pool::{Limits, Pool};
pub use silence::TooSlow;

/// A request couldn't be sent, or wasn't answered.
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
}

impl Error {
    /// Whether nothing was sent, because there was nobody to send it to.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Url | Self::Connect(_))
    }
}
