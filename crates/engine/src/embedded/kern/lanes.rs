//! Registers by name: what the inner loops of products and attention hold from step to step.
//!
//! A compiler left to find these itself spilled half of a product's tile and computed attention
//! value by value, at a third of the speed. Everything else is plain loops.
//!
//! # Why `unsafe`
//!
//! The processor's own instructions may run only where it has them, and read and write by pointer.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::NR;
use super::bf16::Bf16;

/// A row of a panel in registers. Arithmetic is per lane, so its width can't show in a result.
pub(crate) trait Lanes: Copy {
    /// Whether there are 32 registers of 64 bytes.
    const WIDE: bool;
    fn splat(value: f32) -> Self;
    fn load(from: &[f32; NR]) -> Self;
    fn load_bf16(from: &[Bf16; NR]) -> Self;
    /// `self * factor + addend`, rounded once.
    fn mul_add(self, factor: f32, addend: Self) -> Self;
    fn store(self, to: &mut [f32; NR]);
}

/// What every target has; the compiler finds its own registers.
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; NR]);

impl Lanes for Portable {
    const WIDE: bool = false;
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; NR])
    }
    #[inline(always)]
    fn load(from: &[f32; NR]) -> Self {
        Self(*from)
    }
    #[inline(always)]
    fn load_bf16(from: &[Bf16; NR]) -> Self {
        Self(from.map(Bf16::widen))
    }
    #[inline(always)]
    fn mul_add(mut self, factor: f32, addend: Self) -> Self {
        for (lane, addend) in self.0.iter_mut().zip(addend.0) {
            *lane = lane.mul_add(factor, addend);
        }
        self
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; NR]) {
        *to = self.0;
    }
}

/// Implements [`Lanes`] for registers of one width by the processor's own instructions.
#[cfg(target_arch = "x86_64")]
macro_rules! registers {
    ($name:ident, $wide:literal, $register:ty, $lanes:literal,
     $splat:ident, $load:ident, $store:ident, $mul_add:ident, $widen:expr) => {
        #[derive(Clone, Copy)]
        pub(super) struct $name([$register; NR / $lanes]);

        // SAFETY (all): only `kernel` names this type, in functions that are run when a `Simd` has
        // proved that the processor has these instructions. Registers are read from and written to
        // arrays that hold `NR` values, and need no alignment.
        impl Lanes for $name {
            const WIDE: bool = $wide;
            #[inline(always)]
            fn splat(value: f32) -> Self {
                Self(unsafe { [$splat(value); NR / $lanes] })
            }
            #[inline(always)]
            fn load(from: &[f32; NR]) -> Self {
                let at = |i| unsafe { $load(from.as_ptr().add(i * $lanes)) };
                Self(std::array::from_fn(at))
            }
            #[inline(always)]
            fn load_bf16(from: &[Bf16; NR]) -> Self {
                let at = |i| unsafe { $widen(from.as_ptr().add(i * $lanes).cast()) };
                Self(std::array::from_fn(at))
            }
            #[inline(always)]
            fn mul_add(mut self, factor: f32, addend: Self) -> Self {
                for i in 0..NR / $lanes {
                    self.0[i] = unsafe { $mul_add(self.0[i], $splat(factor), addend.0[i]) };
                }
                self
            }
            #[inline(always)]
            fn store(self, to: &mut [f32; NR]) {
                for i in 0..NR / $lanes {
                    unsafe { $store(to.as_mut_ptr().add(i * $lanes), self.0[i]) };
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
registers! {
    Avx512, true, __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps,
    |at| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(at))))
}
#[cfg(target_arch = "x86_64")]
registers! {
    Avx2, false, __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps,
    |at| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(at))))
}
