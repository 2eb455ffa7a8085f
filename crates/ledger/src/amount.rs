//! An amount of one of the two coins that transactions take, as people read it.

use atoma_types::MicroUsdc;
use std::fmt;

/// Decimals of SUI: 1 SUI is 10^9 MIST.
const SUI_DECIMALS: usize = 9;
/// Decimals of USDC.
const USDC_DECIMALS: usize = 6;

/// So much of a coin. It is shown in whole coins, as `0.25 USDC`, with no zeros at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// SUI, which pays for gas, in MIST: billionths.
    Sui(u64),
    /// USDC, which pays for everything else.
    Usdc(MicroUsdc),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (smallest, decimals, name) = match self {
            Self::Sui(mist) => (*mist, SUI_DECIMALS, "SUI"),
            Self::Usdc(MicroUsdc(micro)) => (*micro, USDC_DECIMALS, "USDC"),
        };
        let digits = format!("{smallest:0width$}", width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole} {name}"),
            fraction => write!(f, "{whole}.{fraction} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_in_whole_coins_and_exact() {
        let usdc = |micro| Amount::Usdc(MicroUsdc(micro)).to_string();
        assert_eq!(usdc(0), "0 USDC");
        assert_eq!(usdc(1), "0.000001 USDC");
        assert_eq!(usdc(250_000), "0.25 USDC");
        assert_eq!(usdc(1_000_000_000_000), "1000000 USDC");
        assert_eq!(Amount::Sui(1_000_000).to_string(), "0.001 SUI");
        assert_eq!(
            Amount::Sui(u64::MAX).to_string(),
            "18446744073.709551615 SUI"
        );
    }
}
