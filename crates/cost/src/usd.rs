//! Dollars as whole picodollars: a token costs millionths of a dollar and a share of a pack less, so
//! that cents and even microdollars would be nothing but rounding.

use crate::error::CostError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// Picodollars in a dollar.
const DOLLAR: u128 = 1_000_000_000_000;
/// Decimals of a picodollar.
const DECIMALS: u32 = 12;
/// The largest amount that can be entered, in dollars: room to multiply in `u128`.
const MAX_DOLLARS: u128 = 1_000_000_000;
/// Digits that people are shown of small amounts.
const SIGNIFICANT: u32 = 4;

/// An amount of dollars, in picodollars. As text, in files and in JSON: a decimal number, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(u128);

impl Usd {
    /// An amount of zero.
    pub const ZERO: Self = Self(0);

    /// Takes an amount in picodollars.
    #[must_use]
    pub const fn from_pico(pico: u128) -> Self {
        Self(pico)
    }

    /// The amount in picodollars.
    #[must_use]
    pub const fn pico(self) -> u128 {
        self.0
    }

    /// `self + other`.
    ///
    /// # Errors
    /// If that is too large.
    pub fn plus(self, other: Self) -> Result<Self, CostError> {
        let sum = self.0.checked_add(other.0).ok_or(CostError::Overflow)?;
        Ok(Self(sum))
    }

    /// `self * product(factors) / product(divisors)`, rounded up once.
    ///
    /// # Errors
    /// If a product is too large or a divisor is zero.
    pub fn scaled(self, factors: &[u128], divisors: &[u128]) -> Result<Self, CostError> {
        let product = |start: u128, factors: &[u128]| {
            factors.iter().try_fold(start, |a, &b| a.checked_mul(b))
        };
        match (product(self.0, factors), product(1, divisors)) {
            (Some(above), Some(below)) if below > 0 => Ok(Self(above.div_ceil(below))),
            _ => Err(CostError::Overflow),
        }
    }

    /// For people: `26,730.00`, `0.594`, `0.0000131`: four digits, or the cents of larger amounts.
    #[must_use]
    pub fn short(self) -> String {
        let digits = self.0.checked_ilog10().map_or(0, |log| log + 1);
        // digits beyond the twelve behind the point stand before it
        let decimals = (SIGNIFICANT + DECIMALS)
            .saturating_sub(digits)
            .clamp(2, DECIMALS);
        let unit = 10_u128.pow(DECIMALS - decimals);
        let rounded = self.0.saturating_add(unit / 2) / unit;
        let scale = 10_u128.pow(decimals);
        let fraction = format!("{:0width$}", rounded % scale, width = decimals as usize);
        let kept = fraction.trim_end_matches('0').len().max(2);
        format!("{}.{}", grouped(rounded / scale), &fraction[..kept])
    }
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / DOLLAR, self.0 % DOLLAR);
        let fraction = format!("{fraction:012}");
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{}", &fraction[..kept])
    }
}

impl FromStr for Usd {
    type Err = CostError;
    fn from_str(text: &str) -> Result<Self, CostError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS as usize {
            return Err(CostError::Amount);
        }
        let whole: u128 = whole.parse().map_err(|_| CostError::Amount)?;
        let pico: u128 = format!("{fraction:0<12}")
            .parse()
            .map_err(|_| CostError::Amount)?;
        if whole > MAX_DOLLARS {
            return Err(CostError::Amount);
        }
        Ok(Self(whole * DOLLAR + pico))
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

/// Reads a text or a whole number; a float has lost what was written.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Usd;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dollars in quotes, such as \"0.25\", or a whole number")
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Usd, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_i64<E: de::Error>(self, dollars: i64) -> Result<Usd, E> {
        dollars.to_string().parse().map_err(E::custom)
    }
    fn visit_u64<E: de::Error>(self, dollars: u64) -> Result<Usd, E> {
        dollars.to_string().parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_exact_both_ways() {
        for text in ["0.00", "2.75", "0.0006", "0.000000000001", "1000000000.00"] {
            assert_eq!(usd(text).to_string(), text);
        }
        assert_eq!(usd("12").pico(), 12 * DOLLAR);
        for bad in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1e3",
            "0.0000000000001",
            "1000000001",
            "1,000",
        ] {
            assert_eq!(bad.parse::<Usd>(), Err(CostError::Amount), "{bad}");
        }
    }

    #[test]
    fn people_see_four_digits_or_cents() {
        for (exact, short) in [
            ("0", "0.00"),
            ("26730", "26,730.00"),
            ("1234567.891", "1,234,567.89"),
            ("0.594", "0.594"),
            ("0.00001310049", "0.0000131"),
            ("0.99999", "1.00"),
            ("0.000000000001", "0.000000000001"),
        ] {
            assert_eq!(usd(exact).short(), short);
        }
    }

    #[test]
    fn scaling_rounds_up_and_never_wraps() {
        assert_eq!(Usd(10).scaled(&[2], &[3]), Ok(Usd(7)));
        assert_eq!(Usd(1).scaled(&[], &[0]), Err(CostError::Overflow));
        assert_eq!(Usd(2).scaled(&[u128::MAX], &[2]), Err(CostError::Overflow));
        assert_eq!(Usd(u128::MAX).plus(Usd(1)), Err(CostError::Overflow));
    }

    #[test]
    fn floats_are_refused_in_files() {
        #[derive(Debug, Deserialize)]
        struct File {
            price: Usd,
        }
        let read = |text: &str| toml::from_str::<File>(text).map(|file| file.price);
        assert_eq!(read("price = \"0.1\""), Ok(usd("0.1")));
        assert_eq!(read("price = 3"), Ok(usd("3")));
        assert!(
            read("price = 0.1")
                .unwrap_err()
                .to_string()
                .contains("in quotes")
        );
        assert!(read("price = -3").is_err());
    }
}
