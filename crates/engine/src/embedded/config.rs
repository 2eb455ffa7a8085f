//! Reads a Hugging Face `config.json` and refuses what the engine wouldn't compute exactly.

use serde::Deserialize;

use super::LoadError;

/// Sizes beyond this are mistakes or attacks: the largest dense Llama has 126 layers and a hidden
/// size of 16,384.
const MAX_DIMENSION: usize = 1 << 20;

/// Shape of a Llama-like decoder. Mistral, Qwen2 and Qwen3 differ by flags that the tensors
/// themselves show: biases and norms of queries and keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelConfig {
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) vocab: usize,
    pub(crate) norm_eps: f32,
    pub(crate) tied: bool,
    pub(crate) context: usize,
    /// Inverse wavelengths of the rotary embedding, `head_dim / 2` of them.
    pub(crate) inv_freq: Vec<f64>,
    pub(crate) eos: Vec<u32>,
    /// The checkpoint's own name for its weights' type.
    pub(crate) dtype: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    rms_norm_eps: f64,
    max_position_embeddings: usize,
    #[serde(default)]
    tie_word_embeddings: bool,
    hidden_act: Option<String>,
    rope_theta: Option<f64>,
    #[serde(alias = "rope_parameters")]
    rope_scaling: Option<Rope>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    eos_token_id: Option<OneOrMany>,
    #[serde(alias = "dtype")]
    torch_dtype: Option<String>,
}

#[derive(Deserialize, Default)]
struct Rope {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

/// End tokens are written as a number or a list.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

#[derive(Deserialize)]
struct RawGeneration {
    eos_token_id: Option<OneOrMany>,
}

impl ModelConfig {
    /// From the texts of `config.json` and, if there is one, `generation_config.json`.
    pub(crate) fn parse(config: &[u8], generation: Option<&[u8]>) -> Result<Self, LoadError> {
        let raw: Raw = serde_json::from_slice(config)
            .map_err(|e| LoadError::Config(format!("config.json: {e}")))?;
        raw.check()?;
        let generation: Option<RawGeneration> = match generation {
            Some(text) => Some(
                serde_json::from_slice(text)
                    .map_err(|e| LoadError::Config(format!("generation_config.json: {e}")))?,
            ),
            None => None,
        };
        // The generation's end tokens are the complete list where both files have one.
        let eos = generation
            .and_then(|g| g.eos_token_id)
            .or_else(|| raw.eos_token_id.clone());
        let head_dim = raw.head_dim();
        Ok(Self {
            hidden: raw.hidden_size,
            intermediate: raw.intermediate_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
            head_dim,
            vocab: raw.vocab_size,
            norm_eps: raw.rms_norm_eps as f32,
            tied: raw.tie_word_embeddings,
            context: raw.context(),
            inv_freq: raw.inv_freq(head_dim)?,
            eos: match eos {
                None => Vec::new(),
                Some(OneOrMany::One(id)) => vec![id],
                Some(OneOrMany::Many(ids)) => ids,
            },
            dtype: raw.torch_dtype,
        })
    }
}

impl Raw {
    fn head_dim(&self) -> usize {
        self.head_dim
            .unwrap_or_else(|| self.hidden_size / self.num_attention_heads.max(1))
    }

    fn check(&self) -> Result<(), LoadError> {
        let unsupported = |what: String| Err(LoadError::Unsupported(what));
        if !["llama", "mistral", "qwen2", "qwen3"].contains(&self.model_type.as_str()) {
            let known = "llama, mistral, qwen2 and qwen3 are known";
            return unsupported(format!("model type {:?}; {known}", self.model_type));
        }
        if self.hidden_act.as_deref().is_some_and(|act| act != "silu") {
            return unsupported(format!("activation {:?}", self.hidden_act));
        }
        let sizes = [
            self.hidden_size,
            self.intermediate_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.num_key_value_heads.unwrap_or(1),
            self.head_dim(),
            self.vocab_size,
            self.max_position_embeddings,
        ];
        if sizes.iter().any(|size| !(1..=MAX_DIMENSION).contains(size)) {
            return unsupported("a size in config.json is zero or beyond reason".to_owned());
        }
        let kv_heads = self.num_key_value_heads.unwrap_or(self.num_attention_heads);
        if !self.num_attention_heads.is_multiple_of(kv_heads) || !self.head_dim().is_multiple_of(2)
        {
            return unsupported("heads don't divide into key heads or head size is odd".to_owned());
        }
        Ok(())
    }

    /// Within the sliding window, attention is full attention: so the window limits the context.
    fn context(&self) -> usize {
        let windowed = self
            .use_sliding_window
            .unwrap_or(self.model_type == "mistral");
        let window = self
            .sliding_window
            .filter(|_| windowed)
            .unwrap_or(usize::MAX);
        self.max_position_embeddings.min(window.max(1))
    }

    fn inv_freq(&self, head_dim: usize) -> Result<Vec<f64>, LoadError> {
        let default = Rope::default();
        let rope = self.rope_scaling.as_ref().unwrap_or(&default);
        let theta = rope.rope_theta.or(self.rope_theta).unwrap_or(10_000.0);
        let plain =
            (0..head_dim / 2).map(|j| 1.0 / libm::pow(theta, 2.0 * j as f64 / head_dim as f64));
        let need = |value: Option<f64>, name: &str| {
            value.ok_or_else(|| LoadError::Config(format!("rope scaling lacks {name}")))
        };
        match rope.rope_type.as_deref() {
            None | Some("default") => Ok(plain.collect()),
            Some("linear") => {
                let factor = need(rope.factor, "factor")?;
                Ok(plain.map(|f| f / factor).collect())
            }
            // Llama 3.1: long wavelengths are stretched, short ones kept, those between blended.
            Some("llama3") => {
                let factor = need(rope.factor, "factor")?;
                let low = need(rope.low_freq_factor, "low_freq_factor")?;
                let high = need(rope.high_freq_factor, "high_freq_factor")?;
                let original = need(
                    rope.original_max_position_embeddings,
                    "original_max_position_embeddings",
                )?;
                let scaled = plain.map(|f| {
                    let turns = original * f / (2.0 * std::f64::consts::PI);
                    if turns < low {
                        f / factor
                    } else if turns > high {
                        f
                    } else {
                        let smooth = (turns - low) / (high - low);
                        (1.0 - smooth) * f / factor + smooth * f
                    }
                });
                Ok(scaled.collect())
            }
            Some(other) => Err(LoadError::Unsupported(format!("rope scaling {other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LLAMA: &str = r#"{"model_type":"llama","hidden_size":8,"intermediate_size":16,
        "num_hidden_layers":1,"num_attention_heads":2,"vocab_size":10,"rms_norm_eps":1e-5,
        "max_position_embeddings":64,"eos_token_id":[2,3]}"#;

    fn parse(from: &str, to: &str) -> Result<ModelConfig, LoadError> {
        ModelConfig::parse(LLAMA.replace(from, to).as_bytes(), None)
    }

    #[test]
    fn defaults_follow_hugging_face() {
        let config = parse("", "").unwrap();
        assert_eq!(
            (config.kv_heads, config.head_dim, config.context),
            (2, 4, 64)
        );
        assert_eq!(
            (config.inv_freq.clone(), config.eos),
            (vec![1.0, 0.01], vec![2, 3])
        );
    }

    #[test]
    fn the_sliding_window_limits_the_context_where_it_is_used() {
        let with = |more: &str| parse("\"llama\"", more).unwrap().context;
        assert_eq!(with(r#""mistral","sliding_window":32"#), 32);
        assert_eq!(with(r#""mistral","sliding_window":null"#), 64);
        assert_eq!(
            with(r#""qwen2","sliding_window":32,"use_sliding_window":false"#),
            64
        );
    }

    #[test]
    fn what_would_be_computed_wrongly_is_refused() {
        let act = parse("\"llama\"", r#""llama","hidden_act":"gelu""#);
        assert!(matches!(act, Err(LoadError::Unsupported(_))));
        assert!(parse("\"llama\"", "\"gpt2\"").is_err());
        assert!(parse("\"hidden_size\":8", "\"hidden_size\":0").is_err());
        let yarn = parse(
            "\"llama\"",
            r#""llama","rope_scaling":{"rope_type":"yarn"}"#,
        );
        assert!(matches!(yarn, Err(LoadError::Unsupported(_))));
        assert!(matches!(parse("{", "["), Err(LoadError::Config(_))));
    }

    #[test]
    fn llama3_scaling_keeps_short_waves_and_stretches_long_ones() {
        let rope = r#""llama","rope_scaling":{"rope_type":"llama3","factor":8.0,
            "low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":100}"#;
        let config = parse("\"llama\"", rope).unwrap();
        assert_eq!(config.inv_freq, vec![1.0, 0.01 / 8.0]);
    }
}
