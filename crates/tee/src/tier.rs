//! How much a verdict is worth.

use serde::{Deserialize, Serialize};
use std::fmt;

/// From least to most. A check that a policy lets be left out lowers the tier; it never passes
/// unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Software that acts as hardware, for development: protects against nobody.
    Software,
    /// Genuine hardware, of which something that could be checked wasn't.
    Partial,
    /// Genuine hardware, all checks of it; the firmware of GPUs is believed as it says.
    Attested,
    /// And all that GPUs and switches measure is what their maker has signed.
    Manifests,
    /// And every chip stands on a list of chips in known places.
    Known,
}

impl Tier {
    /// The name in policies and in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Software => "software",
            Self::Partial => "partial",
            Self::Attested => "attested",
            Self::Manifests => "manifests",
            Self::Known => "known",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
