//! Softmax attention of one position over the blocks of its sequence.
// Loops over registers are written by index, as the tiles are thought of.
#![allow(clippy::needless_range_loop)]

use super::rows::{exp, fold16, largest};
use super::simd::{Kernel, Simd};

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
    /// `[heads][head_dim]`
    pub(crate) queries: &'a [f32],
    pub(crate) blocks: &'a [Box<[f32]>],
    pub(crate) table: &'a [u32],
    pub(crate) part: BlockPart,
    pub(crate) len: usize,
    /// At least `min(heads, 4) * len` rounded up to blocks.
    pub(crate) scores: &'a mut Vec<f32>,
    /// `[heads][head_dim]`
    pub(crate) out: &'a mut [f32],
}

/// Softmax attention.
pub(crate) fn attend(simd: Simd, attention: Attention<'_>) {
    simd.run(attention);
}

impl Kernel for Attention<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const WIDE: bool>(mut self) {
        let width = self.part.head_dim;
        let heads = self.queries.len() / width;
        let mut head = 0;
        while head < heads {
            let (at, some) = (head * width, (heads - head).min(4));
            match some {
                1 => self.heads::<1>(at),
                2 => self.heads::<2>(at),
                3 => self.heads::<3>(at),
                _ => self.heads::<4>(at),
            }
            head += some;
        }
    }
}

impl Attention<'_> {
    /// `H` heads whose queries begin at `at`, together so that keys and values are read once.
    #[inline(always)]
    fn heads<const H: usize>(&mut self, at: usize) {
        let width = self.part.head_dim;
        let padded = self.len.next_multiple_of(BLOCK);
        let table = &self.table[..padded / BLOCK];
        let scale = 1.0 / (width as f32).sqrt();
        self.scores.resize(H * padded, 0.0);
        let queries: [&[f32]; H] =
            std::array::from_fn(|h| &self.queries[at + h * width..][..width]);
        for (b, id) in table.iter().enumerate() {
            let (keys, _) = self
                .part
                .keys(&self.blocks[*id as usize])
                .as_chunks::<BLOCK>();
            let mut acc = [[0f32; BLOCK]; H];
            for (i, key) in keys.iter().enumerate() {
                for h in 0..H {
                    let q = queries[h][i];
                    for j in 0..BLOCK {
                        acc[h][j] = q.mul_add(key[j], acc[h][j]);
                    }
                }
            }
            for h in 0..H {
                let scores = &mut self.scores[h * padded + b * BLOCK..][..BLOCK];
                for j in 0..BLOCK {
                    scores[j] = acc[h][j] * scale;
                }
            }
        }
        let mut inverse = [0f32; H];
        for h in 0..H {
            let scores = &mut self.scores[h * padded..][..padded];
            inverse[h] = softmax(scores, self.len);
        }
        let stride = BlockPart::value_stride(width);
        for first in (0..width).step_by(BLOCK) {
            let mut acc = [[0f32; BLOCK]; H];
            for (b, id) in table.iter().enumerate() {
                let values = self.part.values(&self.blocks[*id as usize]);
                for p in 0..BLOCK.min(self.len - b * BLOCK) {
                    let (value, _) = values[p * stride + first..][..BLOCK].as_chunks::<BLOCK>();
                    for h in 0..H {
                        let s = self.scores[h * padded + b * BLOCK + p];
                        for j in 0..BLOCK {
                            acc[h][j] = s.mul_add(value[0][j], acc[h][j]);
                        }
                    }
                }
            }
            for h in 0..H {
                let out = &mut self.out[at + h * width + first..];
                for (out, acc) in out.iter_mut().zip(acc[h]).take(BLOCK.min(width - first)) {
                    *out = acc * inverse[h];
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
