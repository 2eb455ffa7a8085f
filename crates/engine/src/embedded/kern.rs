//! The arithmetic of the embedded engine. **The only file of the project with `unsafe` code.**
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
//! # Why `unsafe`
//!
//! 1. `#[target_feature]` functions: calling one is sound only on a processor that has the feature.
//!    [`Simd`] can be made by [`Simd::new`] only, which asks the processor.
//! 2. Tasks of [`gemm`] write disjoint column ranges of one row-major output through a pointer,
//!    which slices can't express.
//! 3. Bounds checks in the innermost loop cost a third of the speed; each unchecked access is
//!    covered by an assertion at the entry of [`gemm`].
//! 4. Weights live in anonymous mappings, so that the kernel can back them with huge pages.
//!
//! Kernels are plain loops over fixed-size arrays, vectorised by the compiler once per instruction
//! set; there are no intrinsics but the prefetch hint.
#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::fingerprint::{LANES, RowDigest};

/// Columns of a panel: two AVX-512 or four AVX2 registers.
pub(crate) const NR: usize = 32;
/// Rows of the largest register tile: 12 x 32 floats fill 24 of the 32 AVX-512 registers.
const MAX_ROWS: usize = 12;
/// Rows of a tile with 16 registers (AVX2): 2 x 32 floats fill 8.
const MAX_ROWS_NARROW: usize = 2;
/// Below this many multiply-adds a second thread costs more than it brings.
const PARALLEL_MACS: usize = 1 << 17;
/// How far ahead of a stream of weights to prefetch, in rows of a panel.
const PREFETCH_ROWS: usize = 24;

/// Instruction sets there are kernels for. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// Whatever the target has at least; on aarch64 this is NEON with fused multiply-add.
    Portable,
}

/// Proof that the processor has an instruction set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Simd(Isa);

/// A computation that is compiled once per instruction set.
trait Kernel {
    type Out;
    /// `WIDE`: there are 32 vector registers of 64 bytes.
    fn run<const WIDE: bool>(self) -> Self::Out;
}

impl Simd {
    /// The best instruction set, or `wanted` if the processor has it.
    pub(crate) fn new(wanted: Option<Isa>) -> Option<Self> {
        match wanted {
            Some(isa) => has(isa).then_some(Self(isa)),
            None => [Isa::Avx512, Isa::Avx2, Isa::Portable]
                .into_iter()
                .find(|i| has(*i))
                .map(Self),
        }
    }

    pub(crate) fn isa(self) -> Isa {
        self.0
    }

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> K::Out {
        match self.0 {
            // SAFETY (both): `Simd::new` has asked the processor.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { run_avx512(kernel) },
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { run_avx2(kernel) },
            _ => kernel.run::<false>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has(isa: Isa) -> bool {
    match isa {
        Isa::Avx512 => {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && has(Isa::Avx2)
        }
        Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
        Isa::Portable => true,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn has(isa: Isa) -> bool {
    isa == Isa::Portable
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
fn run_avx512<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<true>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<false>()
}

// === weights ===

/// How a weight is stored; arithmetic is in f32.
pub(crate) trait Weight: Copy + Send + Sync + 'static {
    fn widen(self) -> f32;
    fn narrow(value: f32) -> Self;
}

impl Weight for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }
    fn narrow(value: f32) -> Self {
        value
    }
}

/// The upper half of an f32.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Bf16(u16);

impl Weight for Bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }
    /// To nearest, ties to even.
    fn narrow(value: f32) -> Self {
        let bits = value.to_bits();
        Self(((bits.wrapping_add(0x7fff + ((bits >> 16) & 1))) >> 16) as u16)
    }
}

/// `rows` x `cols` weights as panels of [`NR`] rows: `[rows / NR][cols][NR]`.
pub(crate) struct Matrix<T> {
    map: memmap2::MmapMut,
    rows: usize,
    cols: usize,
    bias: Option<Vec<f32>>,
    weight: std::marker::PhantomData<T>,
}

impl<T: Weight> Matrix<T> {
    /// All zero.
    pub(crate) fn zeros(rows: usize, cols: usize) -> std::io::Result<Self> {
        let len = rows.div_ceil(NR) * NR * cols;
        let map = memmap2::MmapMut::map_anon((len * size_of::<T>()).max(1))?;
        #[cfg(target_os = "linux")]
        // Only a hint; without it, address translation costs part of the memory bandwidth.
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self {
            map,
            rows,
            cols,
            bias: None,
            weight: std::marker::PhantomData,
        })
    }

    /// Fills the rows from `first` on; `at(row, col)` counts from `first`.
    pub(crate) fn fill(
        &mut self,
        first: usize,
        rows: usize,
        at: impl Fn(usize, usize) -> f32 + Sync,
    ) {
        assert!(first + rows <= self.rows);
        let panel = self.cols * NR;
        let cols = self.cols;
        self.weights_mut()
            .par_chunks_mut(panel)
            .enumerate()
            .for_each(|(p, panel)| {
                let begin = (p * NR).max(first);
                let end = ((p + 1) * NR).min(first + rows);
                for row in begin..end {
                    for col in 0..cols {
                        panel[col * NR + row % NR] = T::narrow(at(row - first, col));
                    }
                }
            });
    }

    pub(crate) fn set_bias(&mut self, bias: Vec<f32>) {
        assert_eq!(bias.len(), self.rows);
        self.bias = Some(bias);
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Copies one row out.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let panel = &self.weights()[row / NR * NR * self.cols..][..NR * self.cols];
        for (out, column) in out.iter_mut().zip(panel.chunks_exact(NR)) {
            *out = column[row % NR].widen();
        }
    }

    fn weights(&self) -> &[T] {
        // SAFETY: the mapping is page-aligned, at least `len` values long and zeroed at first, and
        // both weight types are valid for every bit pattern.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.len()) }
    }

    fn weights_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the borrow of `self` is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().cast(), self.len()) }
    }

    fn len(&self) -> usize {
        self.rows.div_ceil(NR) * NR * self.cols
    }
}

// === matrix product ===

/// Whether a product overwrites its output or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Set,
    Add,
}

/// `out[m][rows] = x[m][cols] * w^T (+ bias)`, or that added to `out`.
pub(crate) fn gemm<T: Weight>(
    simd: Simd,
    x: &[f32],
    m: usize,
    w: &Matrix<T>,
    out: &mut [f32],
    store: Store,
) {
    assert!(x.len() == m * w.cols && out.len() == m * w.rows);
    if m == 0 {
        return;
    }
    let panels = w.rows.div_ceil(NR);
    let group = if m <= 2 {
        4
    } else if m <= 4 {
        2
    } else {
        1
    };
    let groups = panels.div_ceil(group);
    let out = OutPtr(out.as_mut_ptr());
    let task = |first: usize, last: usize| {
        let end = (last * group).min(panels);
        simd.run(Gemm {
            x,
            m,
            w,
            out,
            store,
            first: first * group,
            end,
        });
    };
    let threads = rayon::current_num_threads();
    if threads == 1 || m * w.rows * w.cols < PARALLEL_MACS {
        return task(0, groups);
    }
    // A few tasks per thread, so that a thread that the system interrupts doesn't hold up the rest.
    let per_task = groups.div_ceil(4 * threads);
    (0..groups.div_ceil(per_task))
        .into_par_iter()
        .with_max_len(1)
        .for_each(|t| task(t * per_task, ((t + 1) * per_task).min(groups)));
}

#[derive(Clone, Copy)]
struct OutPtr(*mut f32);
// SAFETY: tasks write disjoint columns, see `Gemm::put`.
unsafe impl Send for OutPtr {}
unsafe impl Sync for OutPtr {}

/// The panels `first..end` of a product.
struct Gemm<'a, T> {
    x: &'a [f32],
    m: usize,
    w: &'a Matrix<T>,
    out: OutPtr,
    store: Store,
    first: usize,
    end: usize,
}

impl<T: Weight> Kernel for Gemm<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run<const WIDE: bool>(self) {
        let max_rows = if WIDE { MAX_ROWS } else { MAX_ROWS_NARROW };
        // Rows in blocks of nearly equal size.
        let blocks = self.m.div_ceil(max_rows);
        let mut panel = self.first;
        while panel < self.end {
            let left = self.end - panel;
            let wide = match self.m {
                1 | 2 if WIDE => 4,
                3 | 4 if WIDE => 2,
                1 => 2,
                _ => 1,
            };
            let step = if left >= wide { wide } else { 1 };
            let mut row = 0;
            for block in 0..blocks {
                let rows = (self.m - row).div_ceil(blocks - block);
                self.block::<WIDE>(row, rows, panel, step);
                row += rows;
            }
            panel += step;
        }
    }
}

impl<T: Weight> Gemm<'_, T> {
    #[inline(always)]
    fn block<const WIDE: bool>(&self, row: usize, rows: usize, panel: usize, step: usize) {
        match (rows, step) {
            (1, 1) => self.tile::<1, 1>(row, panel),
            (1, 2) => self.tile::<1, 2>(row, panel),
            (1, 4) if WIDE => self.tile::<1, 4>(row, panel),
            (2, 1) => self.tile::<2, 1>(row, panel),
            (2, 4) if WIDE => self.tile::<2, 4>(row, panel),
            (3, 1) if WIDE => self.tile::<3, 1>(row, panel),
            (3, 2) if WIDE => self.tile::<3, 2>(row, panel),
            (4, 1) if WIDE => self.tile::<4, 1>(row, panel),
            (4, 2) if WIDE => self.tile::<4, 2>(row, panel),
            (5, 1) if WIDE => self.tile::<5, 1>(row, panel),
            (6, 1) if WIDE => self.tile::<6, 1>(row, panel),
            (7, 1) if WIDE => self.tile::<7, 1>(row, panel),
            (8, 1) if WIDE => self.tile::<8, 1>(row, panel),
            (9, 1) if WIDE => self.tile::<9, 1>(row, panel),
            (10, 1) if WIDE => self.tile::<10, 1>(row, panel),
            (11, 1) if WIDE => self.tile::<11, 1>(row, panel),
            (12, 1) if WIDE => self.tile::<12, 1>(row, panel),
            _ => unreachable!("no tile of {rows} rows and {step} panels"),
        }
    }

    /// `R` rows times `P` panels, held in registers over the whole of `k`.
    #[inline(always)]
    fn tile<const R: usize, const P: usize>(&self, row: usize, panel: usize) {
        let k = self.w.cols;
        debug_assert!(row + R <= self.m && panel + P <= self.w.rows.div_ceil(NR));
        // SAFETY: `row + R <= m` and `x` has `m * k` elements; `panel + P` panels of `k * NR`
        // weights exist. `gemm` asserts the lengths, `run` and `block` keep the ranges.
        let acc = unsafe {
            let x = self.x.as_ptr().add(row * k);
            let base = self.w.weights().as_ptr();
            let panels: [*const T; P] = std::array::from_fn(|p| base.add((panel + p) * k * NR));
            let mut acc = [[[0f32; NR]; P]; R];
            for i in 0..k {
                let mut b = [[0f32; NR]; P];
                for p in 0..P {
                    prefetch(panels[p].wrapping_add((i + PREFETCH_ROWS) * NR));
                    let weights = &*panels[p].add(i * NR).cast::<[T; NR]>();
                    for j in 0..NR {
                        b[p][j] = weights[j].widen();
                    }
                }
                for r in 0..R {
                    let a = *x.add(r * k + i);
                    for p in 0..P {
                        for j in 0..NR {
                            acc[r][p][j] = a.mul_add(b[p][j], acc[r][p][j]);
                        }
                    }
                }
            }
            acc
        };
        for (r, panels) in acc.iter().enumerate() {
            for (p, values) in panels.iter().enumerate() {
                self.put(row + r, panel + p, values);
            }
        }
    }

    #[inline(always)]
    fn put(&self, row: usize, panel: usize, values: &[f32; NR]) {
        let column = panel * NR;
        let width = NR.min(self.w.rows - column);
        // SAFETY: `row < m` and `column + width <= rows`, so the range lies within the output,
        // whose length `gemm` asserts. Panels belong to one task each, so nobody else writes here,
        // and the output is borrowed exclusively while the tasks run.
        let out = unsafe {
            std::slice::from_raw_parts_mut(self.out.0.add(row * self.w.rows + column), width)
        };
        for (j, out) in out.iter_mut().enumerate() {
            let mut value = values[j];
            if let Some(bias) = &self.w.bias {
                value += bias[column + j];
            }
            *out = if self.store == Store::Add {
                *out + value
            } else {
                value
            };
        }
    }
}

#[inline(always)]
fn prefetch<T>(address: *const T) {
    // SAFETY: a hint; no address can make it fault.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

// === sums and functions ===

/// Folds 16 lanes in the one order that is used everywhere.
#[inline(always)]
fn fold16(mut lanes: [f32; 16]) -> f32 {
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
fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; NR];
    let (body, tail) = values.as_chunks::<NR>();
    for chunk in body {
        for j in 0..NR {
            lanes[j] = if chunk[j] > lanes[j] {
                chunk[j]
            } else {
                lanes[j]
            };
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
fn exp(x: f32) -> f32 {
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

/// `out = x / rms(x) * weight`, row by row.
pub(crate) fn rms_norm(simd: Simd, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    simd.run(RmsNorm {
        x,
        weight,
        eps,
        out,
    });
}

struct RmsNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: &'a mut [f32],
}

impl Kernel for RmsNorm<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const WIDE: bool>(self) {
        let width = self.weight.len();
        for (x, out) in self
            .x
            .chunks_exact(width)
            .zip(self.out.chunks_exact_mut(width))
        {
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
            let scale = 1.0 / (fold16(lanes) / width as f32 + self.eps).sqrt();
            for ((out, x), weight) in out.iter_mut().zip(x).zip(self.weight) {
                *out = x * scale * weight;
            }
        }
    }
}

/// `out = silu(gate) * up` for rows `[gate | up]`.
pub(crate) fn silu_mul(simd: Simd, gate_up: &[f32], out: &mut [f32]) {
    simd.run(SiluMul { gate_up, out });
}

struct SiluMul<'a> {
    gate_up: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for SiluMul<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const WIDE: bool>(self) {
        let (gate, up) = self.gate_up.split_at(self.out.len());
        for ((out, gate), up) in self.out.iter_mut().zip(gate).zip(up) {
            *out = *gate / (1.0 + exp(-*gate)) * *up;
        }
    }
}

/// `values = exp(values - max)`.
pub(crate) fn exp_shifted(simd: Simd, values: &mut [f32], max: f32) {
    simd.run(ExpShifted { values, max });
}

struct ExpShifted<'a> {
    values: &'a mut [f32],
    max: f32,
}

impl Kernel for ExpShifted<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const WIDE: bool>(self) {
        for value in self.values {
            *value = exp(*value - self.max);
        }
    }
}

/// The largest value and where it stands first. Not-a-numbers never win.
pub(crate) fn argmax(simd: Simd, values: &[f32]) -> (usize, f32) {
    simd.run(ArgMax { values })
}

struct ArgMax<'a> {
    values: &'a [f32],
}

impl Kernel for ArgMax<'_> {
    type Out = (usize, f32);

    #[inline(always)]
    fn run<const WIDE: bool>(self) -> (usize, f32) {
        let max = largest(self.values);
        (self.values.iter().position(|v| *v == max).unwrap_or(0), max)
    }
}

/// See [`RowDigest`].
pub(crate) fn digest_row(simd: Simd, values: &[f32]) -> RowDigest {
    simd.run(DigestRow { values })
}

struct DigestRow<'a> {
    values: &'a [f32],
}

impl Kernel for DigestRow<'_> {
    type Out = RowDigest;

    #[inline(always)]
    fn run<const WIDE: bool>(self) -> RowDigest {
        const MULTIPLIER: u32 = 0x9E37_79B1;
        let fold = |lane: u32, value: f32| {
            (lane ^ value.to_bits())
                .rotate_left(5)
                .wrapping_mul(MULTIPLIER)
        };
        let mut lanes: RowDigest = std::array::from_fn(|j| j as u32 + 1);
        let (body, tail) = self.values.as_chunks::<LANES>();
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

// === attention ===

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

#[cfg(test)]
#[path = "kern_test.rs"]
mod tests;
