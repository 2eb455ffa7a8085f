//! With what messages of the channel begin, and what keys are derived for.

/// A sealed request.
pub(crate) const REQUEST_TAG: [u8; 16] = *b"atoma/sealreq/v1";
/// An answer to one.
pub(crate) const ANSWER_TAG: [u8; 16] = *b"atoma/sealans/v1";
