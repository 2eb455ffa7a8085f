//! Time as the ledger's clock has it: milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment, in milliseconds since 1970. BCS: `u64` little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimestampMs(pub u64);

/// A length of time in milliseconds. BCS: `u64` little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct DurationMs(pub u64);

impl TimestampMs {
    /// `self + length`, or `None` past the end of time.
    #[must_use]
    pub fn checked_add(self, length: DurationMs) -> Option<Self> {
        self.0.checked_add(length.0).map(Self)
    }

    /// `self + length`, at most `u64::MAX`.
    #[must_use]
    pub fn saturating_add(self, length: DurationMs) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// How long after `earlier` this is; zero if it isn't.
    #[must_use]
    pub fn since(self, earlier: Self) -> DurationMs {
        DurationMs(self.0.saturating_sub(earlier.0))
    }
}

impl From<DurationMs> for std::time::Duration {
    fn from(length: DurationMs) -> Self {
        Self::from_millis(length.0)
    }
}

impl fmt::Display for TimestampMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
