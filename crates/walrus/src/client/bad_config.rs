//! What about a client's configuration can't be.

use atoma_http::client::Error as TransportError;

/// A setting with which no blob can be stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadConfig {
    /// Nobody could be asked for a blob.
    #[error("no aggregator")]
    NoAggregator,
    /// Connections can't be made at all.
    #[error("TLS can't be set up")]
    Tls(#[source] TransportError),
    /// No request can be made to the URL.
    #[error("cannot ask {url}")]
    Url {
        /// As it is configured.
        url: String,
        /// What is wrong with it.
        source: http::Error,
    },
    /// The URL is none of a server.
    #[error("{0} can't have a path")]
    NoPath(String),
    /// The publisher's token can't stand in a header.
    #[error("a token can't be sent")]
    Token,
}
