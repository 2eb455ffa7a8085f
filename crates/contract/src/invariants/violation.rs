//! What is said of a rule that doesn't hold.

/// A rule that doesn't hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {broken}")]
pub struct Violation {
    object: String,
    broken: &'static str,
}

/// Says so unless it holds.
pub(super) fn must(
    holds: bool,
    object: &dyn std::fmt::Debug,
    broken: &'static str,
) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation {
        object: format!("{object:?}"),
        broken,
    })
}
