//! Compute units: what a stack buys and a request costs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Weights are in thousandths of a unit.
pub(crate) const WEIGHT_SCALE: u128 = 1_000;

/// A number of compute units. BCS: `u64` little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ComputeUnits(pub u64);

impl ComputeUnits {
    /// No units at all.
    pub const ZERO: Self = Self(0);

    /// `self + other`, or `None` past `u64::MAX`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self - other`, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `self - other`, at least zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `self + other`, at most `u64::MAX`.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for ComputeUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} units", self.0)
    }
}

/// What a request used. BCS: five `u64` in this order (40 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that had to be computed.
    pub input: u64,
    /// Prompt tokens that a cache already held.
    pub cached_input: u64,
    /// Tokens that the model generated.
    pub output: u64,
    /// Denoising steps of images.
    pub image_steps: u64,
    /// Seconds of audio, begun ones counted whole.
    pub audio_seconds: u64,
}

impl Usage {
    /// What a text model used: of the prompt's tokens at most all were cached.
    #[must_use]
    pub fn of_text(prompt_tokens: u64, cached_tokens: u64, output: u64) -> Self {
        let cached_input = cached_tokens.min(prompt_tokens);
        Self {
            input: prompt_tokens - cached_input,
            cached_input,
            output,
            ..Self::default()
        }
    }

    /// All tokens of the prompt, cached or not (what OpenAI calls `prompt_tokens`).
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        self.input.saturating_add(self.cached_input)
    }

    /// Prompt and output tokens together.
    #[must_use]
    pub fn total_tokens(&self) -> u64 {
        self.prompt_tokens().saturating_add(self.output)
    }
}

/// Thousandths of a unit that one of each thing costs; a field of a task.
/// BCS: five `u64` in this order (40 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitWeights {
    /// Per computed input token.
    pub input: u64,
    /// Per cached input token.
    pub cached_input: u64,
    /// Per generated token, a reasoning model's thoughts included.
    pub output: u64,
    /// Per step of making an image.
    pub image_step: u64,
    /// Per second of audio.
    pub audio_second: u64,
}

impl UnitWeights {
    /// One unit per token, a tenth for cached input: the usual weights of a text model.
    pub const TEXT: Self = Self {
        input: 1_000,
        cached_input: 100,
        output: 1_000,
        image_step: 0,
        audio_second: 0,
    };

    /// The five weights in the order of the fields, as Move's `task::create` takes them.
    #[must_use]
    pub fn to_list(&self) -> [u64; 5] {
        [
            self.input,
            self.cached_input,
            self.output,
            self.image_step,
            self.audio_second,
        ]
    }

    /// Takes what [`to_list`](Self::to_list) made.
    #[must_use]
    pub fn from_list(list: [u64; 5]) -> Self {
        let [input, cached_input, output, image_step, audio_second] = list;
        Self {
            input,
            cached_input,
            output,
            image_step,
            audio_second,
        }
    }

    /// `ceil(sum(weight_i * count_i) / 1000)`; `None` past `u64::MAX`.
    #[must_use]
    pub fn units(&self, usage: &Usage) -> Option<ComputeUnits> {
        let parts = [
            (self.input, usage.input),
            (self.cached_input, usage.cached_input),
            (self.output, usage.output),
            (self.image_step, usage.image_steps),
            (self.audio_second, usage.audio_seconds),
        ];
        // five products below 2^128 may overflow together, so the sum is checked
        let total = parts.iter().try_fold(0u128, |sum, &(weight, count)| {
            sum.checked_add(u128::from(weight) * u128::from(count))
        })?;
        u64::try_from(total.div_ceil(WEIGHT_SCALE))
            .ok()
            .map(ComputeUnits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_round_up() {
        let usage = Usage {
            input: 1,
            cached_input: 1,
            ..Usage::default()
        };
        assert_eq!(UnitWeights::TEXT.units(&usage), Some(ComputeUnits(2)));
        assert_eq!(
            UnitWeights::TEXT.units(&Usage::default()),
            Some(ComputeUnits(0))
        );
    }

    #[test]
    fn units_never_wrap() {
        let weights = UnitWeights {
            input: u64::MAX,
            output: u64::MAX,
            ..UnitWeights::TEXT
        };
        let usage = Usage {
            input: u64::MAX,
            output: u64::MAX,
            ..Usage::default()
        };
        assert_eq!(weights.units(&usage), None);
    }
}
