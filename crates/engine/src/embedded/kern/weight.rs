//! The two ways in which a weight is stored.

use super::NR;
use super::bf16::Bf16;
use super::lanes::Lanes;

/// How a weight is stored; arithmetic is in f32.
pub(crate) trait Weight: Copy + Send + Sync + 'static {
    fn widen(self) -> f32;
    fn narrow(value: f32) -> Self;
    fn load<V: Lanes>(row: &[Self; NR]) -> V;
}

impl Weight for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }
    fn narrow(value: f32) -> Self {
        value
    }
    #[inline(always)]
    fn load<V: Lanes>(row: &[Self; NR]) -> V {
        V::load(row)
    }
}

impl Weight for Bf16 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self.widen()
    }
    fn narrow(value: f32) -> Self {
        Self::narrow(value)
    }
    #[inline(always)]
    fn load<V: Lanes>(row: &[Self; NR]) -> V {
        V::load_bf16(row)
    }
}
