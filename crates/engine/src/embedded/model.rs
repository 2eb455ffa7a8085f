//! The decoder: Llama, Mistral, Qwen2 and Qwen3 over any mix of rows of any sequences.
//!
//! A row is one token at one position. [`Model::forward`] takes prefill chunks and decode steps of
//! different requests together; as each row's numbers depend on its own sequence only, bit by bit,
//! how requests are batched is a matter of speed alone.

use rayon::prelude::*;

use super::config::ModelConfig;
use super::kern::{
    Attention, BLOCK, BlockPart, Matrix, Simd, Store::Add, Store::Set, Weight, attend, gemm,
    rms_norm, silu_mul,
};
use super::kv::BlockPool;
use super::rope::Rotary;
use super::tensors::{matrix, vector};
use crate::checkpoint::Checkpoint;
use crate::load_error::LoadError;

/// Below this many multiply-adds of attention a second thread costs more than it brings.
const PARALLEL_ATTENTION_MACS: usize = 1 << 16;
/// Rows that one thread takes of the work between the products: fewer aren't worth a switch.
const ROWS_PER_TASK: usize = 8;

struct Layer<T> {
    attention_norm: Vec<f32>,
    mlp_norm: Vec<f32>,
    /// Queries, keys and values, one above the other.
    qkv: Matrix<T>,
    /// Norms of each query and key head (Qwen3).
    head_norms: Option<(Vec<f32>, Vec<f32>)>,
    output: Matrix<T>,
    gate_up: Matrix<T>,
    down: Matrix<T>,
}

/// A loaded model.
pub(crate) struct Model<T> {
    pub(crate) config: ModelConfig,
    pub(crate) simd: Simd,
    embeddings: Matrix<T>,
    /// None when the embeddings serve as the head, too.
    head: Option<Matrix<T>>,
    norm: Vec<f32>,
    layers: Vec<Layer<T>>,
    /// `[position][head_dim / 2]` cosines and sines.
    rotary: Vec<(f32, f32)>,
}

/// One token at one position of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) token: u32,
    pub(crate) position: usize,
    /// Index into the tables given to [`Model::forward`].
    pub(crate) table: usize,
}

/// Buffers of a step, kept from one step to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    x: Vec<f32>,
    normed: Vec<f32>,
    qkv: Vec<f32>,
    mixed: Vec<f32>,
    gate_up: Vec<f32>,
    activated: Vec<f32>,
}

impl<T: Weight> Model<T> {
    /// Reads and packs all tensors. `context` may be smaller than the configuration's.
    pub(crate) fn load(
        config: ModelConfig,
        context: usize,
        checkpoint: &mut Checkpoint,
        simd: Simd,
    ) -> Result<Self, LoadError> {
        let hidden = config.hidden;
        let embeddings = matrix(checkpoint, &[("model.embed_tokens", config.vocab)], hidden)?;
        let head = if config.tied {
            None
        } else {
            Some(matrix(checkpoint, &[("lm_head", config.vocab)], hidden)?)
        };
        let norm = vector(checkpoint, "model.norm.weight", hidden)?;
        let layers = (0..config.layers)
            .map(|i| Layer::load(&config, checkpoint, i))
            .collect::<Result<_, _>>()?;
        let Rotary {
            inv_freq,
            magnitude,
            ..
        } = &config.rotary;
        let scaled = |wave: f64| (magnitude * wave) as f32;
        let rotary = (0..context)
            .flat_map(|p| inv_freq.iter().map(move |f| p as f64 * f))
            .map(|angle| (scaled(libm::cos(angle)), scaled(libm::sin(angle))))
            .collect();
        Ok(Self {
            config,
            simd,
            embeddings,
            head,
            norm,
            layers,
            rotary,
        })
    }

    /// Floats of one block of keys and values over all layers.
    pub(crate) fn block_len(config: &ModelConfig) -> usize {
        config.layers * config.kv_heads * BlockPart::len(config.head_dim)
    }

    /// Runs rows through all layers and stores their keys and values. Rows of one sequence are in
    /// order of position, and all earlier positions are in its blocks or in earlier rows.
    pub(crate) fn forward(
        &self,
        rows: &[Row],
        tables: &[&[u32]],
        kv: &mut BlockPool,
        scratch: &mut Scratch,
    ) {
        let (c, n, simd, s) = (&self.config, rows.len(), self.simd, scratch);
        let q_width = c.heads * c.head_dim;
        for (buffer, width) in [
            (&mut s.x, c.hidden),
            (&mut s.normed, c.hidden),
            (&mut s.qkv, q_width + 2 * c.kv_heads * c.head_dim),
            (&mut s.mixed, q_width),
            (&mut s.gate_up, 2 * c.intermediate),
            (&mut s.activated, c.intermediate),
        ] {
            buffer.resize(n * width, 0.0);
        }
        for (row, x) in rows.iter().zip(s.x.chunks_exact_mut(c.hidden)) {
            self.embeddings.row(row.token as usize, x);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            self.normalise(&s.x, &layer.attention_norm, &mut s.normed);
            gemm(simd, &s.normed, &layer.qkv, &mut s.qkv, Set);
            self.rotate(layer, rows, &mut s.qkv);
            self.store(index, rows, tables, &s.qkv, kv);
            self.mix(index, rows, tables, &s.qkv, kv, &mut s.mixed);
            gemm(simd, &s.mixed, &layer.output, &mut s.x, Add);

            self.normalise(&s.x, &layer.mlp_norm, &mut s.normed);
            gemm(simd, &s.normed, &layer.gate_up, &mut s.gate_up, Set);
            s.activated
                .par_chunks_exact_mut(c.intermediate)
                .zip(s.gate_up.par_chunks_exact(2 * c.intermediate))
                .with_min_len(ROWS_PER_TASK)
                .for_each(|(out, gate_up)| silu_mul(simd, gate_up, out));
            gemm(simd, &s.activated, &layer.down, &mut s.x, Add);
        }
    }

    /// Appends the final hidden state of a row of the last step.
    pub(crate) fn hidden(&self, scratch: &Scratch, row: usize, out: &mut Vec<f32>) {
        let (width, at) = (self.config.hidden, out.len());
        out.resize(at + width, 0.0);
        let (x, eps) = (&scratch.x[row * width..][..width], self.config.norm_eps);
        rms_norm(self.simd, x, &self.norm, eps, &mut out[at..]);
    }

    /// One row of logits per final hidden state.
    pub(crate) fn logits(&self, hidden: &[f32], out: &mut Vec<f32>) {
        let n = hidden.len() / self.config.hidden;
        out.resize(n * self.config.vocab, 0.0);
        let head = self.head.as_ref().unwrap_or(&self.embeddings);
        gemm(self.simd, hidden, head, out, Set);
    }

    fn normalise(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        let (width, eps) = (self.config.hidden, self.config.norm_eps);
        out.par_chunks_exact_mut(width)
            .zip(x.par_chunks_exact(width))
            .with_min_len(ROWS_PER_TASK)
            .for_each(|(out, x)| rms_norm(self.simd, x, weight, eps, out));
    }

    /// Norms (Qwen3) and rotary embedding of queries and keys.
    fn rotate(&self, layer: &Layer<T>, rows: &[Row], qkv: &mut [f32]) {
        let c = &self.config;
        let (width, half) = (c.head_dim, c.head_dim / 2);
        let stride = qkv.len() / rows.len();
        let rows = rows.par_iter().zip(qkv.par_chunks_exact_mut(stride));
        rows.with_min_len(ROWS_PER_TASK).for_each(|(row, qkv)| {
            let angles = &self.rotary[row.position * half..][..half];
            let heads = qkv.chunks_exact_mut(width).take(c.heads + c.kv_heads);
            for (h, head) in heads.enumerate() {
                if let Some((query_norm, key_norm)) = &layer.head_norms {
                    let norm = if h < c.heads { query_norm } else { key_norm };
                    let plain = head.to_vec();
                    rms_norm(self.simd, &plain, norm, c.norm_eps, head);
                }
                let (first, second) = head.split_at_mut(half);
                for ((a, b), (cos, sin)) in first.iter_mut().zip(second).zip(angles) {
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        });
    }

    fn part(&self, layer: usize, head: usize) -> BlockPart {
        let head_dim = self.config.head_dim;
        let offset = (layer * self.config.kv_heads + head) * BlockPart::len(head_dim);
        BlockPart { offset, head_dim }
    }

    /// Writes keys and values into the sequences' blocks.
    fn store(
        &self,
        layer: usize,
        rows: &[Row],
        tables: &[&[u32]],
        qkv: &[f32],
        kv: &mut BlockPool,
    ) {
        let c = &self.config;
        let stride = qkv.len() / rows.len();
        for (row, qkv) in rows.iter().zip(qkv.chunks_exact(stride)) {
            let id = tables[row.table][row.position / BLOCK];
            let keys_values = &qkv[c.heads * c.head_dim..];
            let (keys, values) = keys_values.split_at(c.kv_heads * c.head_dim);
            for head in 0..c.kv_heads {
                let range = head * c.head_dim..(head + 1) * c.head_dim;
                self.part(layer, head).write(
                    &mut kv.data[id as usize],
                    row.position % BLOCK,
                    &keys[range.clone()],
                    &values[range],
                );
            }
        }
    }

    /// Attention: each row over its own sequence up to itself.
    fn mix(
        &self,
        layer: usize,
        rows: &[Row],
        tables: &[&[u32]],
        qkv: &[f32],
        kv: &BlockPool,
        out: &mut [f32],
    ) {
        let c = &self.config;
        let group = c.heads / c.kv_heads * c.head_dim;
        let stride = qkv.len() / rows.len();
        let attend_one = |scores: &mut Vec<f32>, (i, out): (usize, &mut [f32])| {
            let (row, head) = (i / c.kv_heads, i % c.kv_heads);
            let job = Attention {
                queries: &qkv[row * stride + head * group..][..group],
                blocks: &kv.data,
                table: tables[rows[row].table],
                part: self.part(layer, head),
                len: rows[row].position + 1,
                scores,
                out,
            };
            attend(self.simd, job);
        };
        let positions: usize = rows.iter().map(|row| row.position + 1).sum();
        let alone = positions * c.heads * c.head_dim < PARALLEL_ATTENTION_MACS;
        out.par_chunks_exact_mut(group)
            .enumerate()
            .with_min_len(if alone { usize::MAX } else { 1 })
            .for_each_init(Vec::new, attend_one);
    }
}

impl<T: Weight> Layer<T> {
    fn load(c: &ModelConfig, checkpoint: &mut Checkpoint, index: usize) -> Result<Self, LoadError> {
        let (hidden, inner) = (c.hidden, c.intermediate);
        let (q_width, kv_width) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let name = |part: &str| format!("model.layers.{index}.{part}");
        let norm = |checkpoint: &mut Checkpoint, part: &str, width: usize| {
            vector(checkpoint, &name(&format!("{part}.weight")), width)
        };
        let linear = |checkpoint: &mut Checkpoint, parts: &[(&str, usize)], cols: usize| {
            let parts: Vec<_> = parts
                .iter()
                .map(|(part, rows)| (name(part), *rows))
                .collect();
            matrix(checkpoint, &parts, cols)
        };
        let qkv = [
            ("self_attn.q_proj", q_width),
            ("self_attn.k_proj", kv_width),
            ("self_attn.v_proj", kv_width),
        ];
        let gate_up = [("mlp.gate_proj", inner), ("mlp.up_proj", inner)];
        let head_norms = if checkpoint.has(&name("self_attn.q_norm.weight")) {
            let queries = norm(checkpoint, "self_attn.q_norm", c.head_dim)?;
            Some((queries, norm(checkpoint, "self_attn.k_norm", c.head_dim)?))
        } else {
            None
        };
        Ok(Self {
            attention_norm: norm(checkpoint, "input_layernorm", hidden)?,
            mlp_norm: norm(checkpoint, "post_attention_layernorm", hidden)?,
            qkv: linear(checkpoint, &qkv, hidden)?,
            head_norms,
            output: linear(checkpoint, &[("self_attn.o_proj", hidden)], q_width)?,
            gate_up: linear(checkpoint, &gate_up, hidden)?,
            down: linear(checkpoint, &[("mlp.down_proj", hidden)], inner)?,
        })
    }
}
