//! How tokens are chosen where a request doesn't say: as the model's makers advise in
//! `generation_config.json`, and otherwise as OpenAI has it.
//!
//! The file is part of a model's revision, which task and receipt name. So whoever has the model knows what
//! a request without these fields meant, and can compute its answer again; nobody else has a say in it.

use serde::Deserialize;

use crate::checkpoint::json;
use crate::load_error::LoadError;

/// What a request gets that leaves a field out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingDefaults {
    /// Divides the logits; 0 is argmax.
    pub temperature: f32,
    /// Nucleus; 1 is off.
    pub top_p: f32,
    /// Likeliest tokens kept; 0 is off.
    pub top_k: u32,
    /// Least relative probability; 0 is off.
    pub min_p: f32,
}

impl Default for SamplingDefaults {
    /// As OpenAI's API has it.
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
        }
    }
}

/// The fields of the file that are advice on sampling.
#[derive(Debug, Default, Deserialize)]
struct Advice {
    do_sample: Option<bool>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
}

impl SamplingDefaults {
    /// From the text of `generation_config.json`. A value that a request may not have is no advice.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, LoadError> {
        let advice: Advice = json("generation_config.json", text)?;
        let usual = Self::default();
        let within = |value: Option<f64>, range: std::ops::RangeInclusive<f64>, usual: f32| {
            let value = value.filter(|value| range.contains(value));
            value.map_or(usual, |value| value as f32)
        };
        if advice.do_sample == Some(false) {
            // its other fields say nothing then, and some files keep them
            return Ok(Self {
                temperature: 0.0,
                ..usual
            });
        }
        Ok(Self {
            temperature: within(advice.temperature, 0.0..=2.0, usual.temperature),
            top_p: within(
                advice.top_p,
                f64::from(f32::MIN_POSITIVE)..=1.0,
                usual.top_p,
            ),
            top_k: advice
                .top_k
                .map_or(usual.top_k, |k| u32::try_from(k.max(0)).unwrap_or(0)),
            min_p: within(advice.min_p, 0.0..=1.0, usual.min_p),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SamplingDefaults {
        SamplingDefaults::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_makers_advice_is_taken() {
        let advised = parse(
            r#"{"do_sample":true,"temperature":0.6,"top_p":0.95,"top_k":20,"min_p":0.05,
                "repetition_penalty":1.05,"eos_token_id":[1,2]}"#,
        );
        let expected = SamplingDefaults {
            temperature: 0.6,
            top_p: 0.95,
            top_k: 20,
            min_p: 0.05,
        };
        assert_eq!(advised, expected);
    }

    #[test]
    fn what_it_does_not_say_is_as_openai_has_it() {
        assert_eq!(parse("{}"), SamplingDefaults::default());
        let greedy = parse(r#"{"do_sample":false,"temperature":0.6,"top_k":50}"#);
        assert_eq!((greedy.temperature, greedy.top_k), (0.0, 0));
    }

    #[test]
    fn nonsense_is_no_advice_and_no_reason_to_refuse_a_model() {
        let nonsense = r#"{"temperature":1e9,"top_p":0,"top_k":-1,"min_p":-3}"#;
        assert_eq!(parse(nonsense), SamplingDefaults::default());
        assert!(SamplingDefaults::parse(b"[").is_err());
    }
}
