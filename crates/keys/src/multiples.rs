//! Multiples of one curve point, so that its product with any scalar is a few dozen additions.
//!
//! A scalar is written in signed digits of `width` bits, and each digit picks a point from its row.
//!
//! **For public scalars only**: which entries are read, and for how long, depends on the scalar. The
//! library's own tables look at every entry of a row so that a secret doesn't show; verification
//! has none.

use curve25519_dalek::{EdwardsPoint, Scalar, traits::Identity};

/// Bits of a scalar below the group's order.
const SCALAR_BITS: u32 = 253;
/// Digits of the narrowest width.
const MAX_DIGITS: usize = 64;

/// The multiples of a point, computed once.
pub(crate) struct Multiples {
    width: u32,
    /// Rows of `1, 2, ... 2^(width - 1)` times a power of two times the point.
    entries: Box<[EdwardsPoint]>,
}

impl Multiples {
    /// The table of a point, for digits of 4 to 8 bits.
    pub(crate) fn new(point: &EdwardsPoint, width: u32) -> Self {
        debug_assert!((4..=8).contains(&width));
        let rows = digit_count(width);
        let mut entries = Vec::with_capacity(rows << (width - 1));
        let mut base = *point;
        for _ in 0..rows {
            let mut multiple = base;
            entries.push(multiple);
            for _ in 1..1 << (width - 1) {
                multiple += base;
                entries.push(multiple);
            }
            // the row's last entry is half of the next digit's value
            base = multiple + multiple;
        }
        Self {
            width,
            entries: entries.into(),
        }
    }

    /// The point times the scalar.
    pub(crate) fn times(&self, scalar: &Scalar) -> EdwardsPoint {
        let mut digits = [0; MAX_DIGITS];
        let digits = split(scalar, self.width, &mut digits);
        let mut sum = EdwardsPoint::identity();
        let rows = self.entries.chunks_exact(1 << (self.width - 1));
        for (row, &digit) in rows.zip(digits) {
            let entry = usize::from(digit.unsigned_abs());
            match digit {
                0 => {}
                1.. => sum += &row[entry - 1],
                _ => sum -= &row[entry - 1],
            }
        }
        sum
    }
}

fn digit_count(width: u32) -> usize {
    SCALAR_BITS.div_ceil(width) as usize
}

/// A scalar's signed digits, the lowest first: each at least `-2^(width - 1)` and below
/// `2^(width - 1)`. The highest has room for the last carry, as no scalar fills it.
fn split<'a>(scalar: &Scalar, width: u32, digits: &'a mut [i8; MAX_DIGITS]) -> &'a [i8] {
    let bytes = scalar.as_bytes();
    let digits = &mut digits[..digit_count(width)];
    let mut carry = 0;
    for (bit, digit) in (0..).step_by(width as usize).zip(digits.iter_mut()) {
        let byte = |index: usize| i32::from(bytes.get(index).copied().unwrap_or(0));
        let pair = byte(bit / 8) | byte(bit / 8 + 1) << 8;
        let value = (pair >> (bit % 8) & ((1 << width) - 1)) + carry;
        carry = i32::from(value >= 1 << (width - 1));
        // between -128 and 127, as the width is at most 8
        *digit = i8::try_from(value - (carry << width)).unwrap_or(0);
    }
    debug_assert_eq!(carry, 0);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(point: &EdwardsPoint, scalar: &Scalar) {
        for width in 4..=8 {
            let table = Multiples::new(point, width);
            assert_eq!(table.times(scalar), point * scalar, "{width}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn products_are_the_librarys(point: [u8; 32], scalar: [u8; 32]) {
            let point = EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order(point));
            agrees(&point, &Scalar::from_bytes_mod_order(scalar));
        }
    }

    #[test]
    fn the_edges() {
        let point = EdwardsPoint::mul_base(&Scalar::from(5u8));
        // the largest scalar, and the ones whose digits are all extremes or carry all the way
        let edges = [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, -Scalar::from(2u8)];
        let repeated = [0x80, 0x7f, 0xff, 0x20, 0x1f, 0x08].map(|byte| {
            let mut bytes = [byte; 32];
            bytes[31] = 0x0f;
            Scalar::from_bytes_mod_order(bytes)
        });
        for scalar in edges.into_iter().chain(repeated) {
            agrees(&point, &scalar);
        }
        agrees(&EdwardsPoint::identity(), &-Scalar::ONE);
    }

    #[test]
    fn points_of_small_order_too() {
        for point in curve25519_dalek::constants::EIGHT_TORSION {
            agrees(&point, &Scalar::from(0x0123_4567_89ab_cdef_u64));
        }
    }
}
