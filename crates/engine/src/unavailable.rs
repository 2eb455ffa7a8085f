//! Why no engine answers.

/// Why no engine answers at present. Another time, or another engine, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// The engine in this process was stopped.
    #[error("the engine has stopped")]
    Stopped,
    /// Of the servers none passes its probes.
    #[error("no server of the model is well")]
    NoServer,
    /// There is no connection to the server.
    #[error("the model's server can't be reached")]
    Unreachable,
    /// It took the request and said nothing.
    #[error("the model's server doesn't answer")]
    NoAnswer,
    /// It works on requests, and nothing comes of any.
    #[error("the model's server hangs")]
    Hangs,
    /// It answered with a status that says nothing of the request.
    #[error("the model's server answers with status {0}")]
    Status(u16),
    /// It said in its answer that it has failed.
    #[error("the model's server broke the answer off")]
    SaidBroken,
    /// It ended the answer with a reason that is a failure.
    #[error("the server gave the answer up")]
    GaveUp,
    /// Nothing came for too long in the middle of an answer.
    #[error("the server fell silent")]
    FellSilent,
    /// The answer ended before it was complete.
    #[error("the server's answer broke off")]
    BrokeOff,
    /// The answer has neither text nor end.
    #[error("the server's answer is empty")]
    EmptyAnswer,
    /// The answer is no answer. What came isn't repeated: it may hold part of one.
    #[error("the server's answer can't be read")]
    Unreadable,
    /// Fewer vectors came than inputs were sent, or others.
    #[error("the upstream left embeddings out")]
    EmbeddingsMissing,
    /// It doesn't report what a score is made of.
    #[error("the upstream doesn't score prompts")]
    NoScores,
    /// It scores a claimed answer as if its form were free.
    #[error("the upstream can't score an answer whose form is given")]
    NoScoresOfForms,
}
