//! Bytes that aren't what they should be.

/// Why bytes or a text aren't the message, the record or the proof that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There is more of it than any has.
    #[error("it has more than {max} bytes")]
    TooLong {
        /// The most that one has.
        max: usize,
    },
    /// It has no signature at its end.
    #[error("it does not end with a signature")]
    NoSignature,
    /// The text isn't base64.
    #[error("it is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The bytes aren't BCS of its type.
    #[error("it is not BCS of its type")]
    Bcs(#[source] bcs::Error),
}
