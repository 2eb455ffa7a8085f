//! Rules for what isn't there.

use serde::Deserialize;

/// What to do where something that could be checked isn't there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The evidence is refused.
    #[default]
    Refused,
    /// Go on, at most in the tier `partial`.
    LowersTier,
}
