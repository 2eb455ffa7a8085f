//! Softmax attention of one position over the blocks of its sequence.
// Loops over registers are written by index, as the tiles are thought of.
#![allow(clippy::needless_range_loop)]

use super::lanes::Lanes;
use super::rows::{exp, fold16, largest};
use super::simd::{Simd, kernel};

/// Positions per block of keys and values.
pub(crate) const BLOCK: usize = 32;

/// Where one layer's and one key head's part of every block lies: keys as `[head_dim][BLOCK]`, then
/// values as `[BLOCK][head_dim rounded up to BLOCK]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockPart {
    pub(crate) offset: usize,
    pub(crate) head_dim: usize,
}

impl BlockPart {
    pub(crate) fn value_stride(head_dim: usize) -> usize {
        head_dim.next_multiple_of(BLOCK)
    }

    /// Floats of one part.
    pub(crate) fn len(head_dim: usize) -> usize {
        BLOCK * (head_dim + Self::value_stride(head_dim))
    }

    /// Stores one position's key and value.
    pub(crate) fn write(&self, block: &mut [f32], position: usize, key: &[f32], value: &[f32]) {
        let part = &mut block[self.offset..][..Self::len(self.head_dim)];
        let (keys, values) = part.split_at_mut(self.head_dim * BLOCK);
        for (column, key) in keys.chunks_exact_mut(BLOCK).zip(key) {
            column[position] = *key;
        }
        let stride = Self::value_stride(self.head_dim);
        values[position * stride..][..self.head_dim].copy_from_slice(value);
    }

    fn keys<'a>(&self, block: &'a [f32]) -> &'a [f32] {
        &block[self.offset..][..self.head_dim * BLOCK]
    }

    fn values<'a>(&self, block: &'a [f32]) -> &'a [f32] {
        &block[self.offset + self.head_dim * BLOCK..][..BLOCK * Self::value_stride(self.head_dim)]
    }
}

/// One position's query heads that share a key head, over the first `len` positions of a sequence.
pub(crate) struct Attention<'a> {
    /// The queries, shaped `[heads][head_dim]`.
    pub(crate) queries: &'a [f32],
    pub(crate) blocks: &'a [Box<[f32]>],
    pub(crate) table: &'a [u32],
    pub(crate) part: BlockPart,
    pub(crate) len: usize,
    /// At least `min(heads, 4) * len` rounded up to blocks.
    pub(crate) scores: &'a mut Vec<f32>,
    /// Where the result goes, shaped `[heads][head_dim]`.
    pub(crate) out: &'a mut [f32],
}

kernel! {
    /// Computes softmax attention of one position.
    pub(crate) fn attend(attention: Attention<'_>) {
        let mut attention = attention;
        let width = attention.part.head_dim;
        let heads = attention.queries.len() / width;
        for head in (0..heads).step_by(4) {
            let at = head * width;
            match heads - head {
                1 => attention.heads::<V, 1>(at),
                2 => attention.heads::<V, 2>(at),
                3 => attention.heads::<V, 3>(at),
                _ => attention.heads::<V, 4>(at),
            }
        }
    }
}

impl Attention<'_> {
    /// `H` heads whose queries begin at `at`, together so that keys and values are read once.
    #[inline(always)]
    fn heads<V: Lanes, const H: usize>(&mut self, at: usize) {
        let width = self.part.head_dim;
        let padded = self.len.next_multiple_of(BLOCK);
        let table = &self.table[..padded / BLOCK];
        let scale = 1.0 / (width as f32).sqrt();
        self.scores.resize(H * padded, 0.0);
        let queries: [&[f32]; H] =
            std::array::from_fn(|h| &self.queries[at + h * width..][..width]);
        for (b, id) in table.iter().enumerate() {
            let keys = self.part.keys(&self.blocks[*id as usize]);
            let mut acc = [V::splat(0.0); H];
            for (i, key) in keys.as_chunks().0.iter().enumerate() {
                let key = V::load(key);
                for h in 0..H {
                    acc[h] = key.mul_add(queries[h][i], acc[h]);
                }
            }
            for h in 0..H {
                let mut scores = [0.0; BLOCK];
                acc[h].store(&mut scores);
                let out = &mut self.scores[h * padded + b * BLOCK..][..BLOCK];
                out.iter_mut()
                    .zip(scores)
                    .for_each(|(out, score)| *out = score * scale);
            }
        }
        let mut inverse = [0f32; H];
        for h in 0..H {
            let scores = &mut self.scores[h * padded..][..padded];
            inverse[h] = softmax(scores, self.len);
        }
        let stride = BlockPart::value_stride(width);
        for first in (0..width).step_by(BLOCK) {
            let mut acc = [V::splat(0.0); H];
            for (b, id) in table.iter().enumerate() {
                let values = self.part.values(&self.blocks[*id as usize]);
                let scores: [&[f32]; H] =
                    std::array::from_fn(|h| &self.scores[h * padded + b * BLOCK..][..BLOCK]);
                for p in 0..BLOCK.min(self.len - b * BLOCK) {
                    let value = V::load(&values[p * stride + first..].as_chunks().0[0]);
                    for h in 0..H {
                        acc[h] = value.mul_add(scores[h][p], acc[h]);
                    }
                }
            }
            for h in 0..H {
                let mut values = [0.0; BLOCK];
                acc[h].store(&mut values);
                let out = &mut self.out[at + h * width + first..];
                for (out, value) in out.iter_mut().zip(values).take(BLOCK.min(width - first)) {
                    *out = value * inverse[h];
                }
            }
        }
    }
}

/// Turns the first `len` scores into exponentials, the rest into zero; returns one over their sum.
#[inline(always)]
fn softmax(scores: &mut [f32], len: usize) -> f32 {
    scores[len..].fill(f32::NEG_INFINITY);
    let max = largest(scores);
    for score in &mut *scores {
        *score = exp(*score - max);
    }
    scores[len..].fill(0.0);
    let mut lanes = [0f32; 16];
    for chunk in scores.as_chunks::<16>().0 {
        for j in 0..16 {
            lanes[j] += chunk[j];
        }
    }
    1.0 / fold16(lanes)
}
