//! Names of patches.

use super::error::QuiltError;

/// Whether a name may be a patch's over HTTP: not empty, no control characters, no blanks at the
/// end, no `_` at the beginning.
///
/// # Errors
/// If it may not.
pub fn check_identifier(identifier: &str) -> Result<(), QuiltError> {
    let bad = identifier.is_empty()
        || identifier.starts_with('_')
        || identifier.ends_with(char::is_whitespace)
        || identifier.chars().any(char::is_control);
    (!bad)
        .then_some(())
        .ok_or_else(|| QuiltError::Identifier(identifier.to_owned()))
}
