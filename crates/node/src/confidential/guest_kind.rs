//! The hardware that a node may run on.

use serde::{Deserialize, Serialize};

/// What gives evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestKind {
    /// Software that acts as hardware.
    Software,
}

impl GuestKind {
    /// What every output calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Software => "software",
        }
    }
}
