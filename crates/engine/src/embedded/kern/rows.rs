//! Functions of single rows: norms, activations, maxima, digests.
// Loops over lanes are written by index.
#![allow(clippy::needless_range_loop)]

use super::NR;
use super::simd::{Simd, kernel};
use crate::fingerprint::{LANES, RowDigest};

/// Folds 16 lanes in the one order that is used everywhere.
#[inline(always)]
pub(super) fn fold16(mut lanes: [f32; 16]) -> f32 {
    let mut half = 8;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest value; the order doesn't matter, lanes are for speed.
#[inline(always)]
pub(super) fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; NR];
    let (body, tail) = values.as_chunks::<NR>();
    for chunk in body {
        for j in 0..NR {
            // Not `max`, which says nothing about the order of zeros.
            if chunk[j] > lanes[j] {
                lanes[j] = chunk[j];
            }
        }
    }
    lanes
        .iter()
        .chain(tail)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max)
}

/// `e^x` by Cephes' single-precision polynomial, in fused multiply-adds; within 2 units in the last
/// place. The argument is clamped to -87..88, so no result is subnormal or infinite.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, the first exact in few bits
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut y = 1.987_569_1e-4f32;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
    ] {
        y = y.mul_add(r, c);
    }
    let y = y.mul_add(r * r, r) + 1.0;
    y * f32::from_bits(((n as i32 + 127) as u32) << 23)
}

kernel! {
    /// `out = x / rms(x) * weight`, row by row.
    pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
        let width = weight.len();
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let mut lanes = [0f32; 16];
            let (body, tail) = x.as_chunks::<16>();
            for chunk in body {
                for j in 0..16 {
                    lanes[j] = chunk[j].mul_add(chunk[j], lanes[j]);
                }
            }
            for (lane, x) in lanes.iter_mut().zip(tail) {
                *lane = x.mul_add(*x, *lane);
            }
            let scale = 1.0 / (fold16(lanes) / width as f32 + eps).sqrt();
            for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
                *out = x * scale * weight;
            }
        }
    }
}

kernel! {
    /// `out = silu(gate) * up` for rows `[gate | up]`.
    pub(crate) fn silu_mul(gate_up: &[f32], out: &mut [f32]) {
        let (gate, up) = gate_up.split_at(out.len());
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = *gate / (1.0 + exp(-*gate)) * *up;
        }
    }
}

/// Sum over a row in 16 lanes by position.
#[inline(always)]
fn sum16(row: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0f32; 16];
    let (body, tail) = row.as_chunks::<16>();
    for chunk in body {
        for j in 0..16 {
            lanes[j] = term(chunk[j], lanes[j]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(tail) {
        *lane = term(*x, *lane);
    }
    fold16(lanes)
}

kernel! {
    /// `row = (row - mean) / deviation * scale + shift`, the variance over all of the row.
    pub(crate) fn layer_norm(row: &mut [f32], scale: &[f32], shift: &[f32], eps: f32) {
        let width = row.len() as f32;
        let mean = sum16(row, |x, sum| sum + x) / width;
        row.iter_mut().for_each(|x| *x -= mean);
        let variance = sum16(row, |x, sum| x.mul_add(x, sum)) / width;
        let inverse = 1.0 / (variance + eps).sqrt();
        for ((x, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
            *x = (*x * inverse).mul_add(*scale, *shift);
        }
    }
}

kernel! {
    /// `x = x * Phi(x)` with the normal distribution's `Phi`, within 3e-7.
    ///
    /// Computed as `max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2)`, which cancels nothing, with
    /// `erfc(z / sqrt 2) = e^(-z^2 / 2) * t * P(t)`, `t = 1 / (1 + 0.36 z)`. `P` was fitted to the
    /// least relative error, 6e-7, over `z` from 0 to 12.
    pub(crate) fn gelu(values: &mut [f32]) {
        const P: [f32; 7] = [
            0.095_888_4,
            -0.365_604_4,
            0.370_182_66,
            0.047_386_11,
            0.281_534_8,
            0.283_159_3,
            0.287_453_77,
        ];
        for value in values {
            let x = *value;
            let z = x.abs();
            let t = 1.0 / z.mul_add(0.36, 1.0);
            let mut tail = P[0];
            for c in &P[1..] {
                tail = tail.mul_add(t, *c);
            }
            let tail = tail * t * exp(-0.5 * z * z);
            let positive = if x > 0.0 { x } else { 0.0 };
            *value = (-0.5 * z).mul_add(tail, positive);
        }
    }
}

kernel! {
    /// `values = exp(values - max)`.
    pub(crate) fn exp_shifted(values: &mut [f32], max: f32) {
        for value in values {
            *value = exp(*value - max);
        }
    }
}

kernel! {
    /// The largest value and where it stands first. Not-a-numbers never win.
    pub(crate) fn argmax(values: &[f32]) -> (usize, f32) {
        let max = largest(values);
        (values.iter().position(|v| *v == max).unwrap_or(0), max)
    }
}

kernel! {
    /// The [`RowDigest`] of a row of logits.
    pub(crate) fn digest_row(values: &[f32]) -> RowDigest {
        const MULTIPLIER: u32 = 0x9E37_79B1;
        let fold = |lane: u32, value: f32| {
            (lane ^ value.to_bits()).rotate_left(5).wrapping_mul(MULTIPLIER)
        };
        let mut lanes: RowDigest = std::array::from_fn(|j| j as u32 + 1);
        let (body, tail) = values.as_chunks::<LANES>();
        for chunk in body {
            for j in 0..LANES {
                lanes[j] = fold(lanes[j], chunk[j]);
            }
        }
        for (lane, value) in lanes.iter_mut().zip(tail) {
            *lane = fold(*lane, *value);
        }
        lanes
    }
}
