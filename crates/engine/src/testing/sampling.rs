//! The choice of a token alone, without a model.

use crate::Sampling;
use crate::embedded::kern::Simd;
use crate::sample::{self, Counts};

/// The token that the engine would choose from these logits, which it leaves changed.
pub fn choose(logits: &mut [f32], sampling: &Sampling, position: usize) -> u32 {
    sample::choose(
        Simd::best(),
        logits,
        sampling,
        &Counts::new(),
        position,
        None,
    )
}
