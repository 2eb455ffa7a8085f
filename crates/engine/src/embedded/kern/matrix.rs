//! Weights packed for streaming, and the product that is one chain per element.
//!
//! # Why `unsafe`
//!
//! 1. Tasks of [`gemm`] write disjoint column ranges of one row-major output through a pointer,
//!    which slices can't express.
//! 2. Bounds checks in the innermost loop cost a third of the speed; each unchecked access is
//!    covered by an assertion at the entry of [`gemm`].
//! 3. Weights live in anonymous mappings, so that the kernel can back them with huge pages.
#![allow(unsafe_code)]
// Loops over registers are written by index, as the tiles are thought of.
#![allow(clippy::needless_range_loop)]

use rayon::prelude::*;

use super::NR;
use super::lanes::Lanes;
use super::simd::{Isa, Simd, kernel};
use super::weight::Weight;

/// Rows of the largest register tile: 12 x 32 floats fill 24 of the 32 AVX-512 registers.
const MAX_ROWS: usize = 12;
/// Rows of a tile with 16 registers (AVX2): 2 x 32 floats fill 8.
const MAX_ROWS_NARROW: usize = 2;
/// Below this many multiply-adds a second thread costs more than it brings.
const PARALLEL_MACS: usize = 1 << 17;
/// How far ahead of a stream of weights to prefetch, in rows of a panel: measured, decoding of eight
/// is a fifth faster than without.
const PREFETCH_ROWS: usize = 64;
/// What one prefetch brings.
const CACHE_LINE: usize = 64;

/// `rows` x `cols` weights as panels of [`NR`] rows: `[rows / NR][cols][NR]`.
pub(crate) struct Matrix<T> {
    map: memmap2::MmapMut,
    rows: usize,
    cols: usize,
    bias: Option<Vec<f32>>,
    weight: std::marker::PhantomData<T>,
}

impl<T: Weight> Matrix<T> {
    /// A matrix of zeros.
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
pub(crate) fn gemm<T: Weight>(simd: Simd, x: &[f32], w: &Matrix<T>, out: &mut [f32], store: Store) {
    let m = x.len() / w.cols;
    assert!(x.len() == m * w.cols && out.len() == m * w.rows);
    if m == 0 {
        return;
    }
    let panels = w.rows.div_ceil(NR);
    let step = panels_at_once(m, simd.isa() == Isa::Avx512);
    let job = Gemm {
        x,
        m,
        w,
        out: OutPtr(out.as_mut_ptr()),
        store,
        step,
    };
    let threads = rayon::current_num_threads();
    if threads == 1 || m * w.rows * w.cols < PARALLEL_MACS {
        return run(simd, job, 0, panels);
    }
    // A few tasks per thread, so that a thread that the system interrupts doesn't hold up the rest.
    let per_task = panels.div_ceil(step).div_ceil(4 * threads) * step;
    (0..panels.div_ceil(per_task))
        .into_par_iter()
        .with_max_len(1)
        .for_each(|task| {
            let first = task * per_task;
            run(simd, job, first, (first + per_task).min(panels));
        });
}

/// Few rows fill the registers with several panels, which are then read side by side.
fn panels_at_once(m: usize, wide: bool) -> usize {
    match m {
        1 | 2 if wide => 4,
        3 | 4 if wide => 2,
        1 => 2,
        _ => 1,
    }
}

#[derive(Clone, Copy)]
struct OutPtr(*mut f32);
// SAFETY: tasks write disjoint columns, see `Gemm::put`.
unsafe impl Send for OutPtr {}
unsafe impl Sync for OutPtr {}

/// A product, of which each task computes some panels.
#[derive(Clone, Copy)]
struct Gemm<'a, T> {
    x: &'a [f32],
    m: usize,
    w: &'a Matrix<T>,
    out: OutPtr,
    store: Store,
    step: usize,
}

kernel! {
    /// The panels `first..end`.
    fn run<T: Weight>(gemm: Gemm<'_, T>, first: usize, end: usize) {
        let max_rows = if V::WIDE { MAX_ROWS } else { MAX_ROWS_NARROW };
        // Rows in blocks of nearly equal size.
        let blocks = gemm.m.div_ceil(max_rows);
        let mut panel = first;
        while panel < end {
            let step = if end - panel >= gemm.step { gemm.step } else { 1 };
            let mut row = 0;
            for block in 0..blocks {
                let rows = (gemm.m - row).div_ceil(blocks - block);
                gemm.block::<V>(row, rows, panel, step);
                row += rows;
            }
            panel += step;
        }
    }
}

impl<T: Weight> Gemm<'_, T> {
    #[inline(always)]
    fn block<V: Lanes>(&self, row: usize, rows: usize, panel: usize, step: usize) {
        macro_rules! tile_of {
            ($($rows:literal x $step:literal),*) => {
                match (rows, step) {
                    $(($rows, $step) => self.tile::<V, $rows, $step>(row, panel),)*
                    _ => unreachable!("no tile of {rows} rows and {step} panels"),
                }
            };
        }
        if V::WIDE {
            tile_of!(1 x 1, 1 x 4, 2 x 1, 2 x 4, 3 x 1, 3 x 2, 4 x 1, 4 x 2, 5 x 1, 6 x 1, 7 x 1,
                8 x 1, 9 x 1, 10 x 1, 11 x 1, 12 x 1);
        } else {
            tile_of!(1 x 1, 1 x 2, 2 x 1);
        }
    }

    /// `R` rows times `P` panels, held in registers over the whole of `k`.
    #[inline(always)]
    fn tile<V: Lanes, const R: usize, const P: usize>(&self, row: usize, panel: usize) {
        let k = self.w.cols;
        debug_assert!(row + R <= self.m && panel + P <= self.w.rows.div_ceil(NR));
        // SAFETY: `row + R <= m` and `x` has `m * k` elements; `panel + P` panels of `k * NR`
        // weights exist. `gemm` asserts the lengths, `run` and `block` keep the ranges.
        let acc = unsafe {
            let x = self.x.as_ptr().add(row * k);
            let base = self.w.weights().as_ptr();
            let panels: [*const T; P] = std::array::from_fn(|p| base.add((panel + p) * k * NR));
            let mut acc = [[V::splat(0.0); P]; R];
            for i in 0..k {
                let b: [V; P] = std::array::from_fn(|p| {
                    for at in (0..NR).step_by(CACHE_LINE / size_of::<T>()) {
                        prefetch(panels[p].wrapping_add((i + PREFETCH_ROWS) * NR + at));
                    }
                    T::load(&*panels[p].add(i * NR).cast())
                });
                for r in 0..R {
                    let a = *x.add(r * k + i);
                    for p in 0..P {
                        acc[r][p] = b[p].mul_add(a, acc[r][p]);
                    }
                }
            }
            acc
        };
        for (r, panels) in acc.iter().enumerate() {
            for (p, lanes) in panels.iter().enumerate() {
                let mut values = [0.0; NR];
                lanes.store(&mut values);
                self.put(row + r, panel + p, &values);
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
