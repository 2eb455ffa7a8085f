//! What can go wrong when an engine is set up before servers.

use std::path::PathBuf;

use crate::load_error::LoadError;

/// Why an [`Upstream`](crate::Upstream) can't be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No server is named.
    #[error("an upstream needs at least one URL")]
    NoUrl,
    /// What is to be a server's URL isn't one.
    #[error("{0:?} isn't an http(s) URL")]
    Url(String),
    /// Servers are probed in the background, which takes a runtime.
    #[error("an upstream needs a tokio runtime")]
    NoRuntime,
    /// Connections can't be made at all.
    #[error("connections can't be set up")]
    Http(#[from] HttpSetupError),
    /// The folder with the model's tokenizer can't be used.
    #[error("cannot use the folder {folder}")]
    Folder {
        /// Where it is.
        folder: PathBuf,
        /// What is wrong with its files.
        source: LoadError,
    },
    /// The server lists no model by whose name it could be asked.
    #[error("no server at {url} lists a model")]
    NoModel {
        /// Where it was looked for.
        url: String,
    },
}

/// Why a pool of connections can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSetupError {
    /// There is no TLS.
    #[error("TLS can't be set up")]
    Tls(#[from] atoma_http::client::Error),
    /// A key that no header can hold.
    #[error("the API key isn't printable")]
    ApiKey,
}
