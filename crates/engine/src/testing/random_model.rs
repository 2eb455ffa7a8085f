//! Writes Hugging Face folders with random weights, of any shape and family.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::random::Random;

/// Shape and family of a model.
#[derive(Debug, Clone)]
pub struct RandomModel {
    /// `llama`, `mistral`, `qwen2` (biases) or `qwen3` (norms of queries and keys).
    pub family: &'static str,
    /// Width of the hidden state.
    pub hidden: usize,
    /// Width within the feed-forward layers.
    pub intermediate: usize,
    /// How many transformer layers it has.
    pub layers: usize,
    /// How many query heads a layer has.
    pub heads: usize,
    /// How many key heads a layer has.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Number of token ids; from 2048 on, the tokenizer's fit in.
    pub vocab: usize,
    /// The longest context, in tokens.
    pub context: usize,
    /// Whether the embeddings serve as the head.
    pub tied: bool,
    /// Whether weights are stored in bf16.
    pub bf16: bool,
    /// Where the weights come from.
    pub seed: u64,
}

impl RandomModel {
    /// A Llama that runs in milliseconds.
    pub fn small() -> Self {
        Self {
            family: "llama",
            hidden: 64,
            intermediate: 160,
            layers: 2,
            heads: 4,
            kv_heads: 2,
            head_dim: 16,
            vocab: 2048,
            context: 512,
            tied: true,
            bf16: false,
            seed: 1,
        }
    }

    /// The 107 M parameters that the benchmarks use.
    pub fn m110() -> Self {
        Self {
            hidden: 768,
            intermediate: 2048,
            layers: 16,
            heads: 12,
            kv_heads: 4,
            head_dim: 64,
            vocab: 8192,
            context: 2048,
            ..Self::small()
        }
    }

    /// Names, shapes and values of all tensors, in f32.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>, Vec<f32>)> {
        let mut random = Random::new(self.seed);
        let mut tensors = Vec::new();
        let mut normal = |name: String, shape: &[usize], scale: f32| {
            let count = shape.iter().product();
            let values: Vec<f32> = (0..count).map(|_| random.normal() * scale).collect();
            tensors.push((name, shape.to_vec(), values));
        };
        let scale = 0.03 * (768.0 / self.hidden as f32).sqrt();
        let (q_width, kv_width) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        normal(
            "model.embed_tokens.weight".into(),
            &[self.vocab, self.hidden],
            0.05,
        );
        for layer in 0..self.layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}");
            let attention = [
                ("q_proj", q_width, self.hidden, 2.0 * scale),
                ("k_proj", kv_width, self.hidden, 2.0 * scale),
                ("v_proj", kv_width, self.hidden, scale),
                ("o_proj", self.hidden, q_width, scale),
            ];
            for (part, rows, cols, scale) in attention {
                normal(
                    name(&format!("self_attn.{part}.weight")),
                    &[rows, cols],
                    scale,
                );
                if self.family == "qwen2" && part != "o_proj" {
                    normal(name(&format!("self_attn.{part}.bias")), &[rows], 0.5);
                }
            }
            let mlp = [
                ("gate_proj", self.intermediate, self.hidden),
                ("up_proj", self.intermediate, self.hidden),
                ("down_proj", self.hidden, self.intermediate),
            ];
            for (part, rows, cols) in mlp {
                normal(name(&format!("mlp.{part}.weight")), &[rows, cols], scale);
            }
            for norm in ["input_layernorm", "post_attention_layernorm"] {
                normal(name(&format!("{norm}.weight")), &[self.hidden], 1.0);
            }
            if self.family == "qwen3" {
                for norm in ["self_attn.q_norm", "self_attn.k_norm"] {
                    normal(name(&format!("{norm}.weight")), &[self.head_dim], 1.0);
                }
            }
        }
        normal("model.norm.weight".into(), &[self.hidden], 1.0);
        if !self.tied {
            normal("lm_head.weight".into(), &[self.vocab, self.hidden], 0.05);
        }
        if self.bf16 {
            let upper = |v: &mut f32| *v = f32::from_bits(v.to_bits() & 0xffff_0000);
            tensors
                .iter_mut()
                .for_each(|(_, _, values)| values.iter_mut().for_each(upper));
        }
        tensors
    }

    /// The text of its `config.json`.
    pub fn config(&self) -> serde_json::Value {
        serde_json::json!({
            "architectures": [match self.family {
                "mistral" => "MistralForCausalLM",
                "qwen2" => "Qwen2ForCausalLM",
                "qwen3" => "Qwen3ForCausalLM",
                _ => "LlamaForCausalLM",
            }],
            "model_type": self.family,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "vocab_size": self.vocab,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "max_position_embeddings": self.context,
            "tie_word_embeddings": self.tied,
            "hidden_act": "silu",
            "attention_bias": self.family == "qwen2",
            "sliding_window": self.context,
            "use_sliding_window": false,
            "max_window_layers": self.layers,
            "torch_dtype": if self.bf16 { "bfloat16" } else { "float32" },
        })
    }

    /// Writes a complete folder, with the built-in model's tokenizer.
    ///
    /// # Errors
    /// If the folder can't be made or written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let tensors: Vec<_> = self
            .tensors()
            .into_iter()
            .map(|(name, shape, values)| (name, shape, self.bytes(&values)))
            .collect();
        let dtype = if self.bf16 { Dtype::BF16 } else { Dtype::F32 };
        let views = tensors.iter().map(|(name, shape, bytes)| {
            TensorView::new(dtype, shape.clone(), bytes).map(|view| (name.clone(), view))
        });
        let views = views
            .collect::<Result<Vec<_>, _>>()
            .map_err(std::io::Error::other)?;
        safetensors::serialize_to_file(views, None, &folder.join("model.safetensors"))
            .map_err(std::io::Error::other)?;
        std::fs::write(folder.join("config.json"), self.config().to_string())?;
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            if let Some(bytes) = crate::builtin::file(name) {
                std::fs::write(folder.join(name), bytes)?;
            }
        }
        Ok(())
    }

    fn bytes(&self, values: &[f32]) -> Vec<u8> {
        let half = |v: &f32| ((v.to_bits() >> 16) as u16).to_le_bytes();
        if self.bf16 {
            values.iter().flat_map(half).collect()
        } else {
            values.iter().flat_map(|v| v.to_le_bytes()).collect()
        }
    }
}
