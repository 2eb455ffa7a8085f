//! What can go wrong in an engine, with codes that stay the same.

use crate::{
    bad_request::{BadForm, BadRequest, ServerRefusal},
    unavailable::Unavailable,
};
use tokio::task::JoinError;

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
    BadRequest(BadRequest),
    /// No engine behind this one answers at present.
    #[error("unavailable: {0}")]
    Unavailable(Unavailable),
    /// A fault of the engine.
    #[error("internal error")]
    Internal(#[from] EngineFault),
}

/// What failed in an engine though the request was good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineFault {
    /// A part of its work ended in a panic, which was reported where it happened.
    #[error("a computation has panicked")]
    Panicked,
    /// It was stopped, or went down, while an answer was under way.
    #[error("the engine stopped before the answer was complete")]
    Stopped,
    /// What the form of an answer allows can't be worked out; in the words of the grammar's library.
    #[error("the form of the answer: {0}")]
    Grammar(String),
    /// A thread can't be started.
    #[error("cannot start a thread")]
    Thread,
    /// A vector has a component that is no number: weights that overflow, or a server that lies.
    #[error("the vector isn't finite")]
    NotFinite,
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

impl From<BadRequest> for EngineError {
    fn from(wrong: BadRequest) -> Self {
        Self::BadRequest(wrong)
    }
}

impl From<BadForm> for EngineError {
    fn from(wrong: BadForm) -> Self {
        Self::BadRequest(BadRequest::Form(wrong))
    }
}

impl From<ServerRefusal> for EngineError {
    fn from(wrong: ServerRefusal) -> Self {
        Self::BadRequest(wrong.into())
    }
}

impl From<Unavailable> for EngineError {
    fn from(why: Unavailable) -> Self {
        Self::Unavailable(why)
    }
}

impl From<JoinError> for EngineFault {
    fn from(error: JoinError) -> Self {
        if error.is_panic() {
            Self::Panicked
        } else {
            Self::Stopped
        }
    }
}
