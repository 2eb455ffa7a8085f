//! Compiles a kernel once per instruction set and runs the one that the processor has.
//!
//! # Why `unsafe`
//!
//! Instructions that not every processor has may be run only on one that does. [`Simd`] can be made
//! by [`Simd::new`] only, which asks the processor.
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

impl Simd {
    /// The best instruction set, or `wanted` if the processor has it.
    pub(crate) fn new(wanted: Option<Isa>) -> Option<Self> {
        match wanted {
            Some(isa) => has(isa).then_some(Self(isa)),
            None => Some(Self::best()),
        }
    }

    /// The best instruction set that there is.
    pub(crate) fn best() -> Self {
        let found = [Isa::Avx512, Isa::Avx2].into_iter().find(|isa| has(*isa));
        Self(found.unwrap_or(Isa::Portable))
    }

    pub(crate) fn isa(self) -> Isa {
        self.0
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

/// Defines a function that is compiled once per instruction set and runs as the one that its first
/// argument, a [`Simd`], stands for. The body knows the registers as `V`.
macro_rules! kernel {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$T:ident: $bound:ident>)? ($($arg:ident: $type:ty),* $(,)?)
        $(-> $out:ty)? $body:block
    ) => {
        $(#[$meta])*
        #[allow(unsafe_code, clippy::extra_unused_type_parameters)]
        $vis fn $name $(<$T: $bound>)? (simd: Simd, $($arg: $type),*) $(-> $out)? {
            use $crate::embedded::kern::lanes;

            #[inline(always)]
            fn body<$($T: $bound,)? V: lanes::Lanes>($($arg: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512 $(<$T: $bound>)? ($($arg: $type),*) $(-> $out)? {
                body::<$($T,)? lanes::Avx512>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$T: $bound>)? ($($arg: $type),*) $(-> $out)? {
                body::<$($T,)? lanes::Avx2>($($arg),*)
            }

            match simd.isa() {
                // SAFETY (both): a `Simd` is proof that the processor has the instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::embedded::kern::Isa::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::embedded::kern::Isa::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<$($T,)? lanes::Portable>($($arg),*),
            }
        }
    };
}
pub(super) use kernel;
