//! Compiles a kernel once per instruction set and runs the one that the processor has.
//!
//! # Why `unsafe`
//!
//! `#[target_feature]` functions may be called only on a processor that has the feature. [`Simd`] can
//! be made by [`Simd::new`] only, which asks the processor.
#![allow(unsafe_code)]

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
pub(super) trait Kernel {
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
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Out {
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
