//! What can be wrong with a question about cost.

use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CostError {
    /// A figure outside its limits.
    #[error("{name} must be from {min} to {max}, not {value}")]
    OutOfRange {
        /// Its name, as in the file.
        name: &'static str,
        /// The figure, as the settings give it.
        value: u64,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// An amount that isn't one.
    #[error("expected dollars such as 12 or 0.25, at most a billion and twelve decimals")]
    Amount,
    /// What compute is priced by is neither tokens nor GPUs.
    #[error("expected tokens or gpu")]
    Basis,
    /// A model without prices.
    #[error("no prices for {model}; there are some for {known}")]
    UnknownModel {
        /// What was asked for.
        model: String,
        /// The names that would have been taken.
        known: String,
    },
    /// A pack that no blob can hold.
    #[error("a pack of {size} bytes is more than the {max} that a blob can hold")]
    PackTooLarge {
        /// How many bytes the pack has.
        size: u64,
        /// The most bytes that a blob may have.
        max: u64,
    },
    /// A file or flags that can't be understood.
    #[error(transparent)]
    Settings(#[from] toml::de::Error),
    /// Figures that are within their limits one by one, but too large together.
    #[error("these figures together are too large to multiply")]
    Overflow,
}

impl CostError {
    /// A name that never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "out_of_range",
            Self::Amount => "amount",
            Self::Basis => "basis",
            Self::UnknownModel { .. } => "unknown_model",
            Self::PackTooLarge { .. } => "pack_too_large",
            Self::Settings(_) => "settings",
            Self::Overflow => "overflow",
        }
    }
}
