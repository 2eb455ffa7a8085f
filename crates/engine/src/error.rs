//! What can go wrong in an engine, with codes that stay the same.

/// Why an engine refused or broke off a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The queue is full; the same request may succeed a moment later.
    #[error("the engine's queue is full")]
    Overloaded,
    /// Prompt (and at least one token of output) don't fit into the model's context.
    #[error("the prompt has {got} tokens and the context holds {limit}")]
    ContextTooLong {
        /// Most prompt tokens that would have been accepted.
        limit: usize,
        /// Prompt tokens that were sent.
        got: usize,
    },
    /// The request itself is wrong; retrying it can't help.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// No engine behind this one answers at present.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of the engine.
    #[error("internal error: {0}")]
    Internal(String),
}

impl EngineError {
    /// The stable machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::ContextTooLong { .. } => "context_length_exceeded",
            Self::BadRequest(_) => "bad_request",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// The HTTP status that a server answers with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Overloaded => 429,
            Self::ContextTooLong { .. } | Self::BadRequest(_) => 400,
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
        }
    }
}
