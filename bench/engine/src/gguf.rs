//! Writes the same weights as a GGUF file for llama.cpp, in f32.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

use atoma_engine::testing::RandomModel;

/// Tensors begin at multiples of this.
const ALIGNMENT: usize = 32;

/// Values of the header, by their numbers in the format.
enum Value {
    U32(u32),
    F32(f32),
    Text(String),
    Texts(Vec<String>),
    I32s(Vec<i32>),
}

/// Writes `model` to `path`.
pub fn write(model: &RandomModel, path: &Path) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    let tensors: Vec<_> = model
        .tensors()
        .into_iter()
        .map(|(name, shape, values)| {
            let values = match name.as_str() {
                n if n.contains("q_proj") => interleave(&values, &shape, model.heads),
                n if n.contains("k_proj") => interleave(&values, &shape, model.kv_heads),
                _ => values,
            };
            (rename(&name), shape, values)
        })
        .collect();
    let header = header(model);
    out.write_all(b"GGUF")?;
    out.write_all(&3u32.to_le_bytes())?;
    out.write_all(&(tensors.len() as u64).to_le_bytes())?;
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    let mut written = 24;
    let mut buffer = Vec::new();
    for (key, value) in &header {
        text(&mut buffer, key);
        value.write(&mut buffer);
    }
    let mut offset = 0u64;
    for (name, shape, values) in &tensors {
        text(&mut buffer, name);
        buffer.extend((shape.len() as u32).to_le_bytes());
        // The fastest dimension comes first.
        shape
            .iter()
            .rev()
            .for_each(|d| buffer.extend((*d as u64).to_le_bytes()));
        buffer.extend(0u32.to_le_bytes()); // f32
        buffer.extend(offset.to_le_bytes());
        offset += (values.len() * 4).next_multiple_of(ALIGNMENT) as u64;
    }
    written += buffer.len();
    buffer.resize(
        buffer.len() + written.next_multiple_of(ALIGNMENT) - written,
        0,
    );
    out.write_all(&buffer)?;
    for (_, _, values) in &tensors {
        let mut bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        out.write_all(&bytes)?;
    }
    out.flush()
}

fn header(model: &RandomModel) -> Vec<(String, Value)> {
    let number = |key: &str, value: usize| (format!("llama.{key}"), Value::U32(value as u32));
    let plain = |key: &str, value: Value| (key.to_owned(), value);
    vec![
        plain("general.architecture", Value::Text("llama".into())),
        plain("general.file_type", Value::U32(0)),
        number("context_length", model.context),
        number("embedding_length", model.hidden),
        number("block_count", model.layers),
        number("feed_forward_length", model.intermediate),
        number("attention.head_count", model.heads),
        number("attention.head_count_kv", model.kv_heads),
        number("rope.dimension_count", model.head_dim),
        number("vocab_size", model.vocab),
        plain("llama.rope.freq_base", Value::F32(10_000.0)),
        plain("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        // Token ids only: the vocabulary has to have the right size and nothing else.
        plain("tokenizer.ggml.model", Value::Text("gpt2".into())),
        plain("tokenizer.ggml.pre", Value::Text("gpt-2".into())),
        plain(
            "tokenizer.ggml.tokens",
            Value::Texts((0..model.vocab).map(|i| format!("t{i}")).collect()),
        ),
        plain(
            "tokenizer.ggml.token_type",
            Value::I32s(vec![1; model.vocab]),
        ),
        plain("tokenizer.ggml.merges", Value::Texts(vec!["t 1".into()])),
    ]
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        let kind = |out: &mut Vec<u8>, kind: u32| out.extend(kind.to_le_bytes());
        match self {
            Self::U32(value) => {
                kind(out, 4);
                out.extend(value.to_le_bytes());
            }
            Self::F32(value) => {
                kind(out, 6);
                out.extend(value.to_le_bytes());
            }
            Self::Text(value) => {
                kind(out, 8);
                text(out, value);
            }
            Self::Texts(values) => {
                kind(out, 9);
                kind(out, 8);
                out.extend((values.len() as u64).to_le_bytes());
                values.iter().for_each(|value| text(out, value));
            }
            Self::I32s(values) => {
                kind(out, 9);
                kind(out, 5);
                out.extend((values.len() as u64).to_le_bytes());
                values
                    .iter()
                    .for_each(|value| out.extend(value.to_le_bytes()));
            }
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

fn rename(name: &str) -> String {
    let parts = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers.", "blk."),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
    ];
    parts
        .iter()
        .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// llama.cpp rotates neighbours where Hugging Face rotates halves: rows within a head change places.
fn interleave(values: &[f32], shape: &[usize], heads: usize) -> Vec<f32> {
    let (rows, cols) = (shape[0], shape[1]);
    let width = rows / heads;
    let mut out = Vec::with_capacity(values.len());
    for row in 0..rows {
        let (head, at) = (row / width, row % width);
        let from = head * width + at % 2 * (width / 2) + at / 2;
        out.extend_from_slice(&values[from * cols..][..cols]);
    }
    out
}
