//! The arithmetic of the embedded engine.
//!
//! # Why every result has the same bits everywhere
//!
//! * Each element of a matrix product is *one* chain of fused multiply-adds over `k`, from
//!   `k = 0` upwards. Vector lanes and threads run over columns and rows, never over `k`. So neither
//!   the number of rows, nor the blocking, nor threads, nor the vector width can change a bit.
//! * Sums within a row (norms, softmax) go into 16 lanes by *position* and are folded in one order.
//! * Only IEEE 754 operations: add, mul, div, sqrt, fused multiply-add, comparisons, conversions.
//!   `exp` is a polynomial of these. Nothing is contracted or reassociated behind our back: Rust
//!   doesn't do that.
//!
//! Kernels are compiled once per instruction set; what must stay in registers is written in
//! [`lanes`], the rest is plain loops. `unsafe` code is in [`simd`], [`lanes`] and [`matrix`] only,
//! justified at their heads, and nowhere else in the project.

mod attention;
mod bf16;
mod lanes;
mod matrix;
mod rows;
mod simd;
mod weight;

pub(crate) use self::attention::{Attention, BLOCK, BlockPart, attend};
pub(crate) use self::bf16::Bf16;
pub(crate) use self::matrix::{Matrix, Store, gemm};
pub(crate) use self::rows::{
    argmax, digest_row, exp_shifted, gelu, layer_norm, rms_norm, silu_mul,
};
pub use self::simd::Isa;
pub(crate) use self::simd::Simd;
pub(crate) use self::weight::Weight;

/// Columns of a panel: two AVX-512 or four AVX2 registers.
const NR: usize = 32;

#[cfg(test)]
#[path = "kern_test.rs"]
mod tests;
