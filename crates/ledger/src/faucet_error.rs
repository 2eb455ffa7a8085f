//! Why a faucet gives nothing.

use http::StatusCode;

/// The faucet gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FaucetError {
    /// It says no, in its own words.
    #[error("the faucet refused: {status}: {answer}")]
    Refused {
        /// Of its answer over HTTP.
        status: StatusCode,
        /// What the answer says.
        answer: String,
    },
    /// It has no answer.
    #[error("cannot reach the faucet at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why there was no answer.
        source: atoma_http::client::Error,
    },
}
