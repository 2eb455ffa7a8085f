//! Numbers of half a float's length.

/// The upper half of an f32.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Bf16(pub(super) u16);

impl Bf16 {
    /// The same number as an f32.
    #[inline(always)]
    pub(super) fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.0) << 16)
    }

    /// The nearest number; ties go to even.
    pub(super) fn narrow(value: f32) -> Self {
        let bits = value.to_bits();
        Self(((bits.wrapping_add(0x7fff + ((bits >> 16) & 1))) >> 16) as u16)
    }
}
