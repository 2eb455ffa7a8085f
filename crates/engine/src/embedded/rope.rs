//! Rotary embeddings: the wavelengths, and how Hugging Face's kinds of scaling stretch them.

use std::f64::consts::PI;

use crate::load_error::{LoadError, RopeFault};
use crate::unsupported::Unsupported;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Wavelengths were trained with this base where a folder doesn't say.
const DEFAULT_THETA: f64 = 10_000.0;
/// YaRN keeps waves that turn more often than the first within the trained context and stretches
/// those that turn less often than the second, unless a folder says otherwise.
const YARN_TURNS: (f64, f64) = (32.0, 1.0);

/// How positions turn into angles.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rotary {
    /// Angles per position, `head_dim / 2` of them.
    pub(crate) inv_freq: Vec<f64>,
    /// What cosines and sines are multiplied by.
    pub(crate) magnitude: f64,
    /// Positions that the scaling reaches, if it says.
    pub(crate) reach: Option<f64>,
}

/// `rope_scaling`, or `rope_parameters` as newer folders have it.
#[derive(Debug, Deserialize, Default)]
pub(super) struct RopeConfig {
    rope_type: Option<String>,
    /// The older name of `rope_type`; many files have both.
    #[serde(rename = "type")]
    old_type: Option<String>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
    attention_factor: Option<f64>,
    beta_fast: Option<f64>,
    beta_slow: Option<f64>,
    mscale: Option<f64>,
    mscale_all_dim: Option<f64>,
    truncate: Option<bool>,
    /// Rotations by kind of layer.
    full_attention: Option<IgnoredAny>,
    sliding_attention: Option<IgnoredAny>,
}

impl RopeConfig {
    /// `theta` and `positions` are those of the model's own configuration.
    pub(super) fn rotary(
        &self,
        theta: Option<f64>,
        head_dim: usize,
        positions: usize,
    ) -> Result<Rotary, LoadError> {
        let theta = self.rope_theta.or(theta).unwrap_or(DEFAULT_THETA);
        let theta = need(Some(theta), "rope_theta")?;
        if self.partial_rotary_factor.is_some_and(|part| part != 1.0) {
            return Err(Unsupported::PartialRotation.into());
        }
        if self.full_attention.is_some() || self.sliding_attention.is_some() {
            return Err(Unsupported::RotationByLayer.into());
        }
        let exponent = |j: usize| 2.0 * j as f64 / head_dim as f64;
        let plain = (0..head_dim / 2).map(|j| 1.0 / libm::pow(theta, exponent(j)));
        let original = self.original_max_position_embeddings;
        let mut rotary = Rotary {
            inv_freq: plain.collect(),
            magnitude: 1.0,
            reach: None,
        };
        let kind = self.rope_type.as_ref().or(self.old_type.as_ref());
        match kind.map(String::as_str) {
            // Dynamic scaling begins beyond the trained context, where this engine ends.
            None | Some("default" | "dynamic") => {}
            Some("linear") => {
                let factor = need(self.factor, "factor")?;
                rotary.inv_freq.iter_mut().for_each(|f| *f /= factor);
            }
            // Llama 3.1: long waves are stretched, short ones kept, those between blended.
            Some("llama3") => {
                let factor = need(self.factor, "factor")?;
                let low = need(self.low_freq_factor, "low_freq_factor")?;
                let high = need(self.high_freq_factor, "high_freq_factor")?;
                let original = need(original, "original_max_position_embeddings")?;
                for f in &mut rotary.inv_freq {
                    let turns = original * *f / (2.0 * PI);
                    let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    *f = (1.0 - kept) * *f / factor + kept * *f;
                }
            }
            Some("yarn") => {
                let original = need(Some(original.unwrap_or(positions as f64)), "positions")?;
                let factor = self.factor.unwrap_or(positions as f64 / original);
                let factor = need(Some(factor), "factor")?;
                self.yarn(&mut rotary, factor, original, theta)?;
            }
            Some(other) => {
                return Err(Unsupported::RopeScaling(other.to_owned()).into());
            }
        }
        let angles = rotary.inv_freq.iter().all(|angle| angle.is_finite());
        if !(angles && rotary.magnitude.is_finite()) {
            return Err(RopeFault::NoAngles.into());
        }
        Ok(rotary)
    }

    /// As `llama3`, but blended by the index of a wave, and with larger values to keep attention
    /// as sharp as it was trained.
    fn yarn(
        &self,
        rotary: &mut Rotary,
        factor: f64,
        original: f64,
        theta: f64,
    ) -> Result<(), RopeFault> {
        let waves = rotary.inv_freq.len() as f64;
        // The index of the wave that turns so often within the trained context.
        let index = |turns| waves * libm::log(original / (turns * 2.0 * PI)) / libm::log(theta);
        let fast = need(Some(self.beta_fast.unwrap_or(YARN_TURNS.0)), "beta_fast")?;
        let slow = need(Some(self.beta_slow.unwrap_or(YARN_TURNS.1)), "beta_slow")?;
        let (mut first, mut last) = (index(fast), index(slow));
        if self.truncate.unwrap_or(true) {
            (first, last) = (libm::floor(first), libm::ceil(last));
        }
        (first, last) = (first.max(0.0), last.min(2.0 * waves - 1.0));
        let width = if first == last { 0.001 } else { last - first };
        for (j, f) in rotary.inv_freq.iter_mut().enumerate() {
            let stretched = ((j as f64 - first) / width).clamp(0.0, 1.0);
            *f = stretched * *f / factor + (1.0 - stretched) * *f;
        }
        let sharpness = |weight: f64| match factor > 1.0 {
            true => 0.1 * weight * libm::log(factor) + 1.0,
            false => 1.0,
        };
        rotary.magnitude = match (self.attention_factor, self.mscale, self.mscale_all_dim) {
            (Some(given), ..) => need(Some(given), "attention_factor")?,
            (None, Some(m), Some(all)) if m != 0.0 && all != 0.0 => sharpness(m) / sharpness(all),
            _ => sharpness(1.0),
        };
        rotary.reach = Some(original * factor);
        Ok(())
    }
}

/// A number that must be there and make sense.
fn need(value: Option<f64>, name: &'static str) -> Result<f64, RopeFault> {
    value
        .filter(|v| v.is_finite() && *v > 0.0)
        .ok_or(RopeFault::Lacks(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotary(text: &str, head_dim: usize, positions: usize) -> Result<Rotary, LoadError> {
        let config: RopeConfig = serde_json::from_str(text).unwrap();
        config.rotary(None, head_dim, positions)
    }

    #[test]
    fn llama3_keeps_short_waves_and_stretches_long_ones() {
        let text = r#"{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,
            "high_freq_factor":4.0,"original_max_position_embeddings":100}"#;
        let rotary = rotary(text, 4, 64).unwrap();
        assert_eq!(
            (rotary.inv_freq, rotary.magnitude),
            (vec![1.0, 0.01 / 8.0], 1.0)
        );
    }

    #[test]
    fn factors_whose_quotients_are_no_numbers_are_refused() {
        let equal = r#"{"rope_type":"llama3","factor":8.0,"low_freq_factor":4.0,
            "high_freq_factor":4.0,"original_max_position_embeddings":25.132741228718345}"#;
        let dull = r#"{"rope_type":"yarn","factor":22026.465794806718,"mscale":1.0,"mscale_all_dim":-1.0}"#;
        for text in [equal, dull] {
            assert!(rotary(text, 4, 64).is_err(), "{text}");
        }
    }

    #[test]
    fn linear_stretches_all_and_dynamic_none_within_the_context() {
        let linear = rotary(r#"{"type":"linear","factor":4}"#, 4, 64).unwrap();
        assert_eq!(linear.inv_freq, vec![0.25, 0.0025]);
        let dynamic = rotary(r#"{"type":"dynamic","factor":4}"#, 4, 64).unwrap();
        assert_eq!(dynamic.inv_freq, vec![1.0, 0.01]);
    }

    #[test]
    fn yarn_agrees_with_its_formulas() {
        // Qwen's recipe; both names of the type at once, as many files have them.
        let text = r#"{"rope_type":"yarn","type":"yarn","factor":4.0,"rope_theta":1000000.0,
            "original_max_position_embeddings":32768}"#;
        let rotary = rotary(text, 128, 32_768).unwrap();
        assert_eq!(rotary.reach, Some(131_072.0));
        // Computed apart, in Python, from the paper's formulas.
        assert!((rotary.magnitude - 1.138_629_436_111_989).abs() < 1e-15);
        for (j, expected) in YARN {
            assert!((rotary.inv_freq[j] / expected - 1.0).abs() < 1e-12, "{j}");
        }
    }

    const YARN: [(usize, f64); 5] = [
        (0, 1.0),
        (20, 0.013_335_214_321_633_24),
        (30, 0.001_064_360_981_247_001_7),
        (35, 0.000_246_258_406_908_938_7),
        (63, 3.102_344_401_879_299e-7),
    ];

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            r#"{"rope_type":"linear"}"#,
            r#"{"rope_type":"linear","factor":0}"#,
            r#"{"rope_type":"yarn","factor":-1}"#,
            r#"{"rope_theta":-5}"#,
        ] {
            let error = rotary(text, 4, 64).unwrap_err();
            assert!(matches!(error, LoadError::Rope(_)), "{text}");
        }
        for text in [
            r#"{"rope_type":"longrope"}"#,
            r#"{"partial_rotary_factor":0.5}"#,
        ] {
            let error = rotary(text, 4, 64).unwrap_err();
            assert!(matches!(error, LoadError::Unsupported(_)), "{text}");
        }
    }
}
