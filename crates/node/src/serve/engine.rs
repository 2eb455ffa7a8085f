//! What handlers ask of a task's engine beside the answer itself.

use crate::tasks::ServedTask;
use atoma_engine::{Completion, EngineError};
use atoma_types::{
    hash::Hash32,
    refusal::{Refusal, RefusalCode},
};

/// Whether the body asks for the task's model.
pub(super) fn check_model(task: &ServedTask, model: &str) -> Result<(), Refusal> {
    if task.model == model {
        return Ok(());
    }
    let message = format!(
        "the stack is for `{}`; the body asks for another model",
        task.model
    );
    Err(Refusal::new(RefusalCode::UnknownModel, message).param("model"))
}

/// How an engine's failure looks from outside. Its own words stay inside where they might repeat
/// what the user wrote.
pub(super) fn engine_refusal(error: &EngineError) -> Refusal {
    match error {
        EngineError::Overloaded => Refusal::new(RefusalCode::Overloaded, error.to_string()),
        EngineError::ContextTooLong { limit, .. } => {
            Refusal::new(RefusalCode::ContextTooLong, error.to_string()).needed(*limit as u64)
        }
        EngineError::BadRequest(_) => Refusal::new(RefusalCode::InvalidBody, error.to_string()),
        EngineError::Unavailable(_) => Refusal::new(
            RefusalCode::Unavailable,
            "no engine is available for this model",
        ),
        _ => Refusal::new(RefusalCode::Internal, "the engine failed"),
    }
}

/// The receipt's commitment: only exact engines make one that can be checked.
pub(super) fn fingerprint(completion: &Completion) -> Option<Hash32> {
    (!completion.commitments.is_empty()).then_some(Hash32(completion.fingerprint))
}
