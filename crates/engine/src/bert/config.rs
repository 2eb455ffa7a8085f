//! Reads the `config.json` of a BERT and refuses what the engine wouldn't compute exactly.

use serde::Deserialize;

use crate::checkpoint::json;
use crate::load_error::LoadError;
use crate::unsupported::Unsupported;

/// The `model_type` of these models.
pub(crate) const MODEL_TYPE: &str = "bert";
/// Sizes beyond this are mistakes or attacks: the largest BERT has a hidden size of 1,024 and, with all
/// languages, half a million tokens.
const MAX_DIMENSION: usize = 1 << 20;

/// Shape of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BertConfig {
    pub(super) vocab: usize,
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) positions: usize,
    /// Kinds of segments that a token may be in; a text alone is in the first.
    pub(super) segments: usize,
    pub(super) norm_eps: f32,
}

#[derive(Deserialize)]
struct Raw {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "usual_eps")]
    layer_norm_eps: f64,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
    quantization_config: Option<serde::de::IgnoredAny>,
}

fn two() -> usize {
    2
}

fn usual_eps() -> f64 {
    1e-12
}

impl BertConfig {
    /// From the text of `config.json`.
    pub(super) fn parse(config: &[u8]) -> Result<Self, LoadError> {
        let raw: Raw = json("config.json", config)?;
        if raw.quantization_config.is_some() {
            return Err(Unsupported::Quantised(None).into());
        }
        if raw.is_decoder {
            return Err(Unsupported::Decoder.into());
        }
        if let Some(act) = raw.hidden_act.filter(|act| act != "gelu") {
            return Err(Unsupported::Activation(act).into());
        }
        let positions = raw.position_embedding_type;
        if let Some(kind) = positions.filter(|kind| kind != "absolute") {
            return Err(Unsupported::Positions(kind).into());
        }
        let sizes = [
            (raw.vocab_size, "vocab_size"),
            (raw.hidden_size, "hidden_size"),
            (raw.intermediate_size, "intermediate_size"),
            (raw.num_hidden_layers, "num_hidden_layers"),
            (raw.num_attention_heads, "num_attention_heads"),
            (raw.max_position_embeddings, "max_position_embeddings"),
            (raw.type_vocab_size, "type_vocab_size"),
        ];
        let wrong = |(size, _): &(usize, _)| !(1..=MAX_DIMENSION).contains(size);
        if let Some((size, name)) = sizes.into_iter().find(wrong) {
            return Err(Unsupported::Size { name, size }.into());
        }
        if !raw.hidden_size.is_multiple_of(raw.num_attention_heads) {
            return Err(Unsupported::HiddenSize.into());
        }
        let norm_eps = raw.layer_norm_eps as f32;
        if !(norm_eps.is_finite() && norm_eps >= 0.0) {
            let (name, value) = ("layer_norm_eps", raw.layer_norm_eps);
            return Err(Unsupported::Epsilon { name, value }.into());
        }
        Ok(Self {
            vocab: raw.vocab_size,
            hidden: raw.hidden_size,
            intermediate: raw.intermediate_size,
            layers: raw.num_hidden_layers,
            heads: raw.num_attention_heads,
            positions: raw.max_position_embeddings,
            segments: raw.type_vocab_size,
            norm_eps,
        })
    }

    /// Width of a head.
    pub(super) fn head_dim(&self) -> usize {
        self.hidden / self.heads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERT: &str = r#"{"model_type":"bert","vocab_size":100,"hidden_size":8,"intermediate_size":16,
        "num_hidden_layers":1,"num_attention_heads":2,"max_position_embeddings":64}"#;

    fn parse(from: &str, to: &str) -> Result<BertConfig, LoadError> {
        BertConfig::parse(BERT.replace(from, to).as_bytes())
    }

    #[test]
    fn what_is_left_out_is_as_hugging_face_has_it() {
        let config = parse("", "").unwrap();
        assert_eq!((config.segments, config.norm_eps), (2, 1e-12));
        assert_eq!(config.head_dim(), 4);
    }

    #[test]
    fn what_would_be_computed_wrongly_is_refused() {
        for more in [
            r#""hidden_act":"gelu_new""#,
            r#""position_embedding_type":"relative_key""#,
            r#""is_decoder":true"#,
            r#""layer_norm_eps":-1.0"#,
            r#""layer_norm_eps":1e300"#,
            r#""quantization_config":{"quant_method":"gptq"}"#,
        ] {
            let refused = parse("\"bert\"", &format!("\"bert\",{more}"));
            assert!(matches!(refused, Err(LoadError::Unsupported(_))), "{more}");
        }
        assert!(parse("\"hidden_size\":8", "\"hidden_size\":0").is_err());
        assert!(parse("\"hidden_size\":8", "\"hidden_size\":9").is_err());
        assert!(matches!(parse("{", "["), Err(LoadError::Json { .. })));
    }
}
