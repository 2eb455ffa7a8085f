//! BLAKE2b-256 of eight messages of one length at once, where the processor has AVX-512.
//!
//! # Why `unsafe`
//!
//! Instructions that not every processor has may be run only on one that does. [`Wide`] can be made
//! by [`Wide::here`] only, which asks the processor; the call that this allows is the only unsafe
//! one. It is worth it: `blake2b_simd` hashes four at once (AVX2), and with eight an id takes about
//! half the time (`docs/performance-history.md`).

#[cfg(target_arch = "x86_64")]
mod avx512;

use super::node::{Node, WIDTH};

/// Proof that the processor can do it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide(Proof);

#[cfg(target_arch = "x86_64")]
type Proof = ();
/// There is none.
#[cfg(not(target_arch = "x86_64"))]
type Proof = std::convert::Infallible;

impl Wide {
    /// If this processor can do it.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn here() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }

    /// Nothing: this processor family has no such instructions.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn here() -> Option<Self> {
        None
    }

    /// The digests of messages, which must be of one length.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    pub(super) fn hash(self, messages: &[&[u8]; WIDTH], digests: &mut [Node; WIDTH]) {
        // SAFETY: `self` was made where the processor said that it has these instructions.
        unsafe { avx512::hash(messages, digests) }
    }

    /// Never called, as there is no value of this type.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn hash(self, _: &[&[u8]; WIDTH], _: &mut [Node; WIDTH]) {
        match self.0 {}
    }
}
