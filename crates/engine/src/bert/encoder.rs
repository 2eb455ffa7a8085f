//! The encoder: texts side by side in one pass, each attending to itself alone.
//!
//! Every number of a text is computed by the kernels of [`crate::embedded::kern`], so its vector has
//! the same bits whatever its companions, the threads and the processor. There is no padding.

use rayon::prelude::*;

use super::config::BertConfig;
use crate::checkpoint::Checkpoint;
use crate::embedded::kern::{
    Attention, BLOCK, BlockPart, Matrix, Simd, Store::Add, Store::Set, Weight, attend, gelu, gemm,
    layer_norm,
};
use crate::embedded::tensors::{matrix, vector};
use crate::load_error::LoadError;

/// Below this many multiply-adds of attention a second thread costs more than it brings.
const PARALLEL_ATTENTION_MACS: usize = 1 << 16;
/// Rows that one thread takes of the work between the products: fewer aren't worth a switch.
const ROWS_PER_TASK: usize = 8;

/// Scale and shift of a layer norm.
struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

struct Layer<T> {
    /// Queries, keys and values, one above the other.
    qkv: Matrix<T>,
    output: Matrix<T>,
    attention_norm: Norm,
    up: Matrix<T>,
    down: Matrix<T>,
    norm: Norm,
}

/// A loaded encoder.
pub(super) struct Encoder<T> {
    config: BertConfig,
    simd: Simd,
    words: Matrix<T>,
    /// What a token's place adds, that of the first segment included: `[positions][hidden]`.
    places: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer<T>>,
}

/// Where a text's rows and blocks begin, and how many tokens it has.
#[derive(Debug, Clone, Copy)]
struct Span {
    row: usize,
    block: usize,
    len: usize,
}

impl<T: Weight> Encoder<T> {
    /// Reads and packs all tensors.
    pub(super) fn load(
        config: BertConfig,
        checkpoint: &mut Checkpoint,
        simd: Simd,
    ) -> Result<Self, LoadError> {
        // Models that were saved with a head have a name before all.
        let first = "embeddings.word_embeddings.weight";
        let prefix = if checkpoint.has(first) { "" } else { "bert." };
        let (hidden, name) = (config.hidden, |part: &str| format!("{prefix}{part}"));
        let table = |checkpoint: &mut Checkpoint, part: &str, rows: usize| {
            let name = name(&format!("embeddings.{part}_embeddings.weight"));
            Ok::<_, LoadError>(checkpoint.take(&name, &[rows, hidden])?.to_vec())
        };
        let mut places = table(checkpoint, "position", config.positions)?;
        let segments = table(checkpoint, "token_type", config.segments)?;
        for place in places.chunks_exact_mut(hidden) {
            place.iter_mut().zip(&segments).for_each(|(p, s)| *p += s);
        }
        let words = [(name("embeddings.word_embeddings"), config.vocab)];
        let words = matrix(checkpoint, &words, hidden)?;
        let norm = Norm::load(checkpoint, &name("embeddings.LayerNorm"), hidden)?;
        let layer = |i| {
            let layer = name(&format!("encoder.layer.{i}"));
            Layer::load(&config, checkpoint, &layer)
        };
        let layers = (0..config.layers).map(layer).collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            simd,
            words,
            places,
            norm,
            layers,
        })
    }

    /// The final hidden states of all tokens, `[tokens of all texts][hidden]`. No text may be empty or
    /// longer than there are positions.
    pub(super) fn encode(&self, texts: &[Vec<u32>]) -> Vec<f32> {
        let (c, simd) = (&self.config, self.simd);
        let (mut rows, mut blocks, mut spans) = (0, 0, Vec::with_capacity(texts.len()));
        for text in texts {
            let (row, block, len) = (rows, blocks, text.len());
            spans.push(Span { row, block, len });
            rows += len;
            blocks += len.div_ceil(BLOCK);
        }
        let part_len = BlockPart::len(c.head_dim());
        let mut blocks = vec![vec![0.0; c.heads * part_len].into_boxed_slice(); blocks];
        let mut x = self.embed(texts, rows);
        let mut qkv = vec![0.0; rows * 3 * c.hidden];
        let mut mixed = vec![0.0; rows * c.hidden];
        let mut inner = vec![0.0; rows * c.intermediate];
        self.normalise(&mut x, &self.norm);
        for layer in &self.layers {
            gemm(simd, &x, &layer.qkv, &mut qkv, Set);
            self.store(&spans, &qkv, &mut blocks);
            self.mix(&spans, &qkv, &blocks, &mut mixed);
            gemm(simd, &mixed, &layer.output, &mut x, Add);
            self.normalise(&mut x, &layer.attention_norm);

            gemm(simd, &x, &layer.up, &mut inner, Set);
            inner
                .par_chunks_exact_mut(c.intermediate)
                .with_min_len(ROWS_PER_TASK)
                .for_each(|row| gelu(simd, row));
            gemm(simd, &inner, &layer.down, &mut x, Add);
            self.normalise(&mut x, &layer.norm);
        }
        x
    }

    /// What goes into the first layer.
    fn embed(&self, texts: &[Vec<u32>], rows: usize) -> Vec<f32> {
        let width = self.config.hidden;
        let mut x = vec![0.0; rows * width];
        let tokens = texts.iter().flat_map(|text| text.iter().zip(0usize..));
        for (x, (token, position)) in x.chunks_exact_mut(width).zip(tokens) {
            self.words.row(*token as usize, x);
            let place = &self.places[position * width..][..width];
            x.iter_mut().zip(place).for_each(|(x, place)| *x += place);
        }
        x
    }

    fn normalise(&self, x: &mut [f32], norm: &Norm) {
        let (width, eps) = (self.config.hidden, self.config.norm_eps);
        x.par_chunks_exact_mut(width)
            .with_min_len(ROWS_PER_TASK)
            .for_each(|x| layer_norm(self.simd, x, &norm.scale, &norm.shift, eps));
    }

    fn part(&self, head: usize) -> BlockPart {
        let head_dim = self.config.head_dim();
        let offset = head * BlockPart::len(head_dim);
        BlockPart { offset, head_dim }
    }

    /// Writes keys and values into the texts' blocks.
    fn store(&self, spans: &[Span], qkv: &[f32], blocks: &mut [Box<[f32]>]) {
        let (hidden, width) = (self.config.hidden, self.config.head_dim());
        for span in spans {
            for position in 0..span.len {
                let block = &mut blocks[span.block + position / BLOCK];
                let keys_values = &qkv[((span.row + position) * 3 + 1) * hidden..][..2 * hidden];
                let (keys, values) = keys_values.split_at(hidden);
                let heads = keys.chunks_exact(width).zip(values.chunks_exact(width));
                for (head, (key, value)) in heads.enumerate() {
                    let place = position % BLOCK;
                    self.part(head).write(block, place, key, value);
                }
            }
        }
    }

    /// Attention of every token to all of its text. As all of them have the same keys, they are taken
    /// together as the queries of one head.
    fn mix(&self, spans: &[Span], qkv: &[f32], blocks: &[Box<[f32]>], out: &mut [f32]) {
        let (hidden, width) = (self.config.hidden, self.config.head_dim());
        let ids: Vec<u32> = (0..blocks.len() as u32).collect();
        let attend_head = |head: usize| {
            let mut mixed = vec![0.0; out.len() / self.config.heads];
            let (mut queries, mut scores) = (Vec::new(), Vec::new());
            for span in spans {
                queries.clear();
                for row in span.row..span.row + span.len {
                    queries.extend(&qkv[row * 3 * hidden + head * width..][..width]);
                }
                let attention = Attention {
                    queries: &queries,
                    blocks,
                    table: &ids[span.block..],
                    part: self.part(head),
                    len: span.len,
                    scores: &mut scores,
                    out: &mut mixed[span.row * width..][..span.len * width],
                };
                attend(self.simd, attention);
            }
            mixed
        };
        let positions: usize = spans.iter().map(|span| span.len * span.len).sum();
        let alone = positions * hidden < PARALLEL_ATTENTION_MACS;
        let heads: Vec<Vec<f32>> = (0..self.config.heads)
            .into_par_iter()
            .with_min_len(if alone { usize::MAX } else { 1 })
            .map(attend_head)
            .collect();
        for (row, out) in out.chunks_exact_mut(hidden).enumerate() {
            for (out, head) in out.chunks_exact_mut(width).zip(&heads) {
                out.copy_from_slice(&head[row * width..][..width]);
            }
        }
    }
}

impl Norm {
    fn load(checkpoint: &mut Checkpoint, name: &str, width: usize) -> Result<Self, LoadError> {
        Ok(Self {
            scale: vector(checkpoint, &format!("{name}.weight"), width)?,
            shift: vector(checkpoint, &format!("{name}.bias"), width)?,
        })
    }
}

impl<T: Weight> Layer<T> {
    fn load(c: &BertConfig, checkpoint: &mut Checkpoint, name: &str) -> Result<Self, LoadError> {
        let (hidden, inner) = (c.hidden, c.intermediate);
        let mut linear = |parts: &[&str], rows: usize, cols: usize| {
            let named = parts.iter().map(|part| (format!("{name}.{part}"), rows));
            matrix(checkpoint, &named.collect::<Vec<_>>(), cols)
        };
        let qkv = [
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
        ];
        let qkv = linear(&qkv, hidden, hidden)?;
        let output = linear(&["attention.output.dense"], hidden, hidden)?;
        let up = linear(&["intermediate.dense"], inner, hidden)?;
        let down = linear(&["output.dense"], hidden, inner)?;
        let attention_norm = format!("{name}.attention.output.LayerNorm");
        Ok(Self {
            qkv,
            output,
            attention_norm: Norm::load(checkpoint, &attention_norm, hidden)?,
            up,
            down,
            norm: Norm::load(checkpoint, &format!("{name}.output.LayerNorm"), hidden)?,
        })
    }
}
