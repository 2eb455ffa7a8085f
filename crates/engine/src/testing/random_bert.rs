//! Writes folders of BERT-type embedding models with random weights, as sentence-transformers does.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Map, Value, json};

use super::random::Random;

/// Shape of a model and how its folder describes it.
#[derive(Debug, Clone)]
pub struct RandomBert {
    /// Width of the hidden state.
    pub hidden: usize,
    /// Width within the feed-forward layers.
    pub intermediate: usize,
    /// How many transformer layers it has.
    pub layers: usize,
    /// How many heads a layer has.
    pub heads: usize,
    /// The longest text that the weights have places for, in tokens.
    pub positions: usize,
    /// Which pooling the folder asks for: `mean_tokens`, `cls_token` or `max_tokens`.
    pub pooling: &'static str,
    /// Before the names of all tensors: empty, or `bert.`.
    pub prefix: &'static str,
    /// Where the weights come from.
    pub seed: u64,
}

/// A tensor: its name, its shape, its values row by row.
type Named = (String, Vec<usize>, Vec<f32>);

impl RandomBert {
    /// One that runs in milliseconds.
    pub fn small() -> Self {
        Self {
            hidden: 48,
            intermediate: 100,
            layers: 2,
            heads: 4,
            positions: 80,
            pooling: "mean_tokens",
            prefix: "",
            seed: 1,
        }
    }

    /// Names, shapes and values of all tensors, those included that embeddings don't need.
    pub fn tensors(&self) -> Vec<Named> {
        let mut made = Made {
            random: Random::new(self.seed),
            prefix: self.prefix,
            tensors: Vec::new(),
        };
        let tables = [
            ("word", vocabulary().len()),
            ("position", self.positions),
            ("token_type", 2),
        ];
        for (name, rows) in tables {
            let name = format!("embeddings.{name}_embeddings.weight");
            made.add(&name, &[rows, self.hidden], (0.0, 1.0));
        }
        made.norm("embeddings.LayerNorm", self.hidden);
        for layer in 0..self.layers {
            let name = |part: &str| format!("encoder.layer.{layer}.{part}");
            let (hidden, inner) = (self.hidden, self.intermediate);
            for (part, rows, cols) in [
                ("attention.self.query", hidden, hidden),
                ("attention.self.key", hidden, hidden),
                ("attention.self.value", hidden, hidden),
                ("attention.output.dense", hidden, hidden),
                ("intermediate.dense", inner, hidden),
                ("output.dense", hidden, inner),
            ] {
                let spread = 1.5 / (cols as f32).sqrt();
                let weight = name(&format!("{part}.weight"));
                made.add(&weight, &[rows, cols], (0.0, spread));
                made.add(&name(&format!("{part}.bias")), &[rows], (0.0, 0.3));
            }
            made.norm(&name("attention.output.LayerNorm"), hidden);
            made.norm(&name("output.LayerNorm"), hidden);
        }
        let square = [self.hidden, self.hidden];
        made.add("pooler.dense.weight", &square, (0.0, 0.1));
        made.add("pooler.dense.bias", &square[..1], (0.0, 0.1));
        made.tensors
    }

    /// The text of its `config.json`.
    pub fn config(&self) -> Value {
        json!({
            "architectures": ["BertModel"],
            "model_type": "bert",
            "vocab_size": vocabulary().len(),
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "max_position_embeddings": self.positions,
            "type_vocab_size": 2,
            "initializer_range": 0.02,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
            "position_embedding_type": "absolute",
            "use_cache": true,
        })
    }

    /// Writes a complete folder: texts may have 16 tokens fewer than there are places.
    ///
    /// # Errors
    /// If the folder can't be made or written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder.join("1_Pooling"))?;
        let tensors: Vec<_> = self
            .tensors()
            .into_iter()
            .map(|(name, shape, values)| {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (name, shape, bytes)
            })
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.clone(), view))
        });
        let views = views
            .collect::<Result<Vec<_>, _>>()
            .map_err(std::io::Error::other)?;
        safetensors::serialize_to_file(views, None, &folder.join("model.safetensors"))
            .map_err(std::io::Error::other)?;
        let step = |idx: usize, path: &str, kind: &str| {
            let kind = format!("sentence_transformers.models.{kind}");
            json!({"idx": idx, "name": idx.to_string(), "path": path, "type": kind})
        };
        let modules = json!([
            step(0, "", "Transformer"),
            step(1, "1_Pooling", "Pooling"),
            step(2, "2_Normalize", "Normalize")
        ]);
        let mut pooling =
            Map::from_iter([("word_embedding_dimension".to_owned(), json!(self.hidden))]);
        for mode in ["cls_token", "mean_tokens", "max_tokens"] {
            pooling.insert(format!("pooling_mode_{mode}"), json!(mode == self.pooling));
        }
        let limits = json!({"max_seq_length": self.positions - 16, "do_lower_case": false});
        for (name, text) in [
            ("config.json", self.config()),
            ("modules.json", modules),
            ("1_Pooling/config.json", Value::Object(pooling)),
            ("sentence_bert_config.json", limits),
            ("tokenizer.json", tokenizer()),
        ] {
            std::fs::write(folder.join(name), text.to_string())?;
        }
        Ok(())
    }
}

/// Tensors in the making.
struct Made {
    random: Random,
    prefix: &'static str,
    tensors: Vec<Named>,
}

impl Made {
    /// Adds a tensor of numbers around `middle`.
    fn add(&mut self, name: &str, shape: &[usize], (middle, spread): (f32, f32)) {
        let count = shape.iter().product();
        let values = (0..count).map(|_| middle + self.random.normal() * spread);
        let values = values.collect();
        let name = format!("{}{name}", self.prefix);
        self.tensors.push((name, shape.to_vec(), values));
    }

    /// Adds scale and shift of a layer norm.
    fn norm(&mut self, name: &str, width: usize) {
        self.add(&format!("{name}.weight"), &[width], (1.0, 0.3));
        self.add(&format!("{name}.bias"), &[width], (0.0, 0.3));
    }
}

/// Special tokens, some words, and letters, at the beginning of words and within them.
fn vocabulary() -> Vec<String> {
    let fixed = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sun", "moon", "is", "a", "star",
        "##s", "##ing", ",", ".", "?",
    ];
    let letters = ('a'..='z')
        .filter(|letter| *letter != 'a')
        .map(String::from);
    let within = ('a'..='z')
        .filter(|letter| *letter != 's')
        .map(|c| format!("##{c}"));
    let fixed = fixed.into_iter().map(str::to_owned);
    fixed.chain(letters).chain(within).collect()
}

/// A WordPiece tokenizer that writes everything small, as uncased BERTs have it.
fn tokenizer() -> Value {
    let vocabulary = vocabulary();
    let special = vocabulary.iter().take(5).enumerate().map(|(id, content)| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    });
    let ids = vocabulary
        .iter()
        .cloned()
        .zip((0..).map(|id: u32| json!(id)));
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": special.collect::<Vec<_>>(),
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": Map::from_iter(ids)},
    })
}
