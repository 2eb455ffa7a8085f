//! Reads a Hugging Face `config.json` and refuses what the engine wouldn't compute exactly.

use serde::Deserialize;

use super::rope::{RopeConfig, Rotary};
use crate::checkpoint::json;
use crate::load_error::LoadError;
use crate::unsupported::Unsupported;

/// Sizes beyond this are mistakes or attacks: the largest dense Llama has 126 layers and a hidden
/// size of 16,384.
const MAX_DIMENSION: usize = 1 << 20;
/// Folders promise up to 1e30 positions; nobody trained more than a million.
const MAX_POSITIONS: f64 = 1_048_576.0;
/// As `model_type` names them.
const KNOWN_TYPES: [&str; 4] = ["llama", "mistral", "qwen2", "qwen3"];

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
    /// What the configuration promises; more than `context` where that is cut.
    pub(crate) promised: usize,
    pub(crate) rotary: Rotary,
    pub(crate) eos: Vec<u32>,
}

/// What decides whether the rest can be understood at all.
#[derive(Deserialize)]
struct Kind {
    model_type: String,
    quantization_config: Option<Quantization>,
}

#[derive(Deserialize)]
struct Quantization {
    #[serde(default)]
    quant_method: String,
}

#[derive(Deserialize)]
struct Raw {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    rms_norm_eps: f64,
    max_position_embeddings: f64,
    #[serde(default)]
    tie_word_embeddings: bool,
    hidden_act: Option<String>,
    rope_theta: Option<f64>,
    rope_scaling: Option<RopeConfig>,
    /// Its newer name; some files have both.
    rope_parameters: Option<RopeConfig>,
    partial_rotary_factor: Option<f64>,
    /// Its older name.
    rotary_pct: Option<f64>,
    rope_interleave: Option<bool>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
}

/// The end tokens, in either of the files that may have them.
#[derive(Deserialize)]
struct Ends {
    eos_token_id: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(u32),
    Many(Vec<u32>),
}

impl Kind {
    /// Refuses models that the engine can't compute whatever their sizes.
    fn check(&self) -> Result<(), Unsupported> {
        if !KNOWN_TYPES.contains(&self.model_type.as_str()) {
            return Err(Unsupported::ModelType {
                found: self.model_type.clone(),
                known: KNOWN_TYPES.join(", "),
            });
        }
        if let Some(Quantization { quant_method }) = &self.quantization_config {
            return Err(Unsupported::Quantised(Some(quant_method.clone())));
        }
        Ok(())
    }
}

impl Raw {
    fn kv_heads(&self) -> usize {
        self.num_key_value_heads.unwrap_or(self.num_attention_heads)
    }

    fn head_dim(&self) -> usize {
        let usual = self.hidden_size / self.num_attention_heads.max(1);
        self.head_dim.unwrap_or(usual)
    }

    /// What isn't a number becomes 0, which is refused.
    fn positions(&self) -> usize {
        self.max_position_embeddings.min(MAX_POSITIONS) as usize
    }

    /// Refuses sizes beyond reason, and what the engine would compute otherwise than was trained.
    fn check(&self) -> Result<(), Unsupported> {
        if let Some(act) = self.hidden_act.as_ref().filter(|act| *act != "silu") {
            return Err(Unsupported::Activation(act.clone()));
        }
        let (kv_heads, head_dim) = (self.kv_heads(), self.head_dim());
        let sizes = [
            (self.hidden_size, "hidden_size"),
            (self.intermediate_size, "intermediate_size"),
            (self.num_hidden_layers, "num_hidden_layers"),
            (self.num_attention_heads, "num_attention_heads"),
            (kv_heads, "num_key_value_heads"),
            (head_dim, "head_dim"),
            (self.vocab_size, "vocab_size"),
            (self.positions(), "max_position_embeddings"),
        ];
        let wrong = |(size, _): &(usize, _)| !(1..=MAX_DIMENSION).contains(size);
        if let Some((size, name)) = sizes.into_iter().find(wrong) {
            return Err(Unsupported::Size { name, size });
        }
        let norm_eps = self.rms_norm_eps as f32;
        if !(norm_eps.is_finite() && norm_eps >= 0.0) {
            let (name, value) = ("rms_norm_eps", self.rms_norm_eps);
            return Err(Unsupported::Epsilon { name, value });
        }
        let parts = [self.partial_rotary_factor, self.rotary_pct];
        if parts.iter().flatten().any(|part| *part != 1.0) {
            return Err(Unsupported::PartialRotation);
        }
        if self.rope_interleave == Some(true) {
            return Err(Unsupported::NeighbourRotation);
        }
        if !self.num_attention_heads.is_multiple_of(kv_heads) || !head_dim.is_multiple_of(2) {
            return Err(Unsupported::Heads);
        }
        Ok(())
    }
}

impl Ends {
    /// The end tokens of a model. The generation's are the complete list where both files have one.
    fn of_model(config: &[u8], generation: Option<&[u8]>) -> Result<Vec<u32>, LoadError> {
        let ends = |file, text| json::<Self>(file, text).map(|ends| ends.eos_token_id);
        let generation = generation.map(|text| ends("generation_config.json", text));
        let found = match generation.transpose()?.flatten() {
            Some(found) => Some(found),
            None => ends("config.json", config)?,
        };
        Ok(match found {
            None => Vec::new(),
            Some(OneOrMany::One(id)) => vec![id],
            Some(OneOrMany::Many(ids)) => ids,
        })
    }
}

impl ModelConfig {
    /// From the texts of `config.json` and, if there is one, `generation_config.json`.
    pub(crate) fn parse(config: &[u8], generation: Option<&[u8]>) -> Result<Self, LoadError> {
        let kind: Kind = json("config.json", config)?;
        kind.check()?;
        let raw: Raw = json("config.json", config)?;
        raw.check()?;
        let (kv_heads, head_dim, positions) = (raw.kv_heads(), raw.head_dim(), raw.positions());
        let eos = Ends::of_model(config, generation)?;
        // Within the sliding window, attention is full attention: so the window limits the context.
        let windowed = raw
            .use_sliding_window
            .unwrap_or(kind.model_type == "mistral");
        let window = raw
            .sliding_window
            .filter(|_| windowed)
            .unwrap_or(MAX_DIMENSION);
        let rope = raw.rope_parameters.or(raw.rope_scaling).unwrap_or_default();
        let rotary = rope.rotary(raw.rope_theta, head_dim, positions)?;
        // A float beyond the integers becomes the largest, and the window holds it.
        let reach = rotary
            .reach
            .map_or(positions, |reach| positions.max(reach as usize));
        Ok(Self {
            hidden: raw.hidden_size,
            intermediate: raw.intermediate_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            kv_heads,
            head_dim,
            vocab: raw.vocab_size,
            norm_eps: raw.rms_norm_eps as f32,
            tied: raw.tie_word_embeddings,
            context: reach.min(window.clamp(1, MAX_DIMENSION)),
            promised: reach,
            rotary,
            eos,
        })
    }
}

#[cfg(feature = "fuzzing")]
impl ModelConfig {
    /// Panics unless a model of this shape can be computed.
    pub(crate) fn assert_sound(&self) {
        let sizes = [
            self.hidden,
            self.intermediate,
            self.layers,
            self.heads,
            self.vocab,
        ];
        assert!(
            sizes.iter().all(|size| (1..=MAX_DIMENSION).contains(size)),
            "{self:?}"
        );
        assert!(self.heads.is_multiple_of(self.kv_heads), "{self:?}");
        assert!((1..=MAX_DIMENSION).contains(&self.context), "{self:?}");
        assert_eq!(self.rotary.inv_freq.len(), self.head_dim / 2);
        let angles = self.rotary.inv_freq.iter();
        let numbers = angles.chain([&self.rotary.magnitude]);
        assert!(
            numbers.into_iter().all(|number| number.is_finite()),
            "{self:?}"
        );
        assert!(
            self.norm_eps.is_finite() && self.norm_eps >= 0.0,
            "{self:?}"
        );
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
            (config.rotary.inv_freq, config.eos),
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
        assert!(parse("1e-5", "1e300").is_err() && parse("1e-5", "-1.0").is_err());
        let gptq = r#""llama","quantization_config":{"quant_method":"gptq","bits":4}"#;
        let refused = parse("\"llama\"", gptq).unwrap_err().to_string();
        assert!(refused.contains("gptq"), "{refused}");
        // The type is named even where the rest has other fields.
        let other = ModelConfig::parse(br#"{"model_type":"mamba"}"#, None).unwrap_err();
        assert!(other.to_string().contains("mamba"), "{other}");
        assert!(matches!(parse("{", "["), Err(LoadError::Json { .. })));
    }

    #[test]
    fn huge_contexts_are_clamped_and_senseless_ones_refused() {
        let with = |positions: &str| {
            let text = format!("\"max_position_embeddings\":{positions}");
            parse("\"max_position_embeddings\":64", &text).map(|config| config.context)
        };
        assert_eq!(with("1e30").unwrap(), 1 << 20);
        assert_eq!(with("4194304").unwrap(), 1 << 20);
        assert_eq!(with("32768.0").unwrap(), 32_768);
        assert!(with("0").is_err() && with("-5").is_err() && with("\"x\"").is_err());
    }

    #[test]
    fn rotations_that_the_engine_does_not_compute_are_refused() {
        for more in [
            r#""partial_rotary_factor":0.5"#,
            r#""rotary_pct":0.25"#,
            r#""rope_interleave":true"#,
            r#""rope_scaling":{"rope_type":"longrope","factor":2.0}"#,
            r#""rope_scaling":{"type":"su","factor":2.0}"#,
            r#""rope_parameters":{"full_attention":{"rope_type":"default"},"sliding_attention":{}}"#,
            r#""rope_parameters":{"rope_type":"default","partial_rotary_factor":0.5}"#,
        ] {
            let refused = parse("\"llama\"", &format!("\"llama\",{more}"));
            assert!(matches!(refused, Err(LoadError::Unsupported(_))), "{more}");
        }
        let whole = r#""llama","partial_rotary_factor":1.0,"rope_interleave":false"#;
        assert!(parse("\"llama\"", whole).is_ok());
    }

    #[test]
    fn the_generations_end_tokens_win_where_there_are_any() {
        let eos = |generation: Option<&str>| {
            let generation = generation.map(str::as_bytes);
            ModelConfig::parse(LLAMA.as_bytes(), generation).map(|config| config.eos)
        };
        assert_eq!(eos(None).unwrap(), [2, 3]);
        assert_eq!(eos(Some(r#"{"eos_token_id":[7,8,9]}"#)).unwrap(), [7, 8, 9]);
        assert_eq!(eos(Some(r#"{"eos_token_id":7}"#)).unwrap(), [7]);
        assert_eq!(eos(Some(r#"{"eos_token_id":null}"#)).unwrap(), [2, 3]);
        assert!(eos(Some(r#"{"eos_token_id":"x"}"#)).is_err());
    }

    #[test]
    fn scaling_by_either_name_and_yarn_reaches_further() {
        for name in ["rope_scaling", "rope_parameters"] {
            let more =
                format!(r#""llama","{name}":{{"rope_type":"yarn","type":"yarn","factor":4.0}}"#);
            let config = parse("\"llama\"", &more).unwrap();
            assert_eq!(config.context, 256);
            assert!(config.rotary.magnitude > 1.1);
        }
        let both = r#""llama","rope_scaling":null,"rope_parameters":{"rope_theta":100.0}"#;
        let config = parse("\"llama\"", both).unwrap();
        assert_eq!(
            (config.rotary.inv_freq, config.context),
            (vec![1.0, 0.1], 64)
        );
    }
}
