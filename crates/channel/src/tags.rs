//! With what messages of the channel begin, and what keys are derived for.

/// A sealed request.
pub(crate) const REQUEST_TAG: [u8; 16] = *b"atoma/sealreq/v1";
/// An answer to one.
pub(crate) const ANSWER_TAG: [u8; 16] = *b"atoma/sealans/v1";
/// A sealed model.
pub(crate) const MODEL_TAG: [u8; 16] = *b"atoma/sealmdl/v1";
/// A model's key, wrapped.
pub(crate) const MODEL_KEY_TAG: [u8; 16] = *b"atoma/modkey/v1\0";

/// Whether a request's body begins as a sealed one does. Only who opens it knows whether it is one.
#[must_use]
pub fn is_sealed(body: &[u8]) -> bool {
    body.starts_with(&REQUEST_TAG)
}
