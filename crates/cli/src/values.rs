//! Values as people write them on the command line.

use atoma_types::MicroUsdc;
use serde::Deserialize;
use std::str::FromStr;
use url::Url;

/// A URL that a client of HTTP or gRPC can connect to.
pub(crate) fn web_url(text: &str) -> Result<Url, String> {
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = Url::parse(text).ok().filter(usable);
    url.ok_or_else(|| "expected a URL such as http://127.0.0.1:9000".to_owned())
}

/// The same where the text is kept as it was written.
pub(crate) fn web_url_text(text: &str) -> Result<String, String> {
    web_url(text).map(|_| text.to_owned())
}

/// An amount of USDC: `12`, `0.5`, at most six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usdc(pub(crate) MicroUsdc);

impl FromStr for Usdc {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 || whole.is_empty() {
            return Err("expected an amount such as 12 or 0.25, at most six decimals".to_owned());
        }
        let whole: u64 = whole.parse().map_err(|_| "too large".to_owned())?;
        let micro: u64 = format!("{fraction:0<6}")
            .parse()
            .map_err(|_| "too large".to_owned())?;
        whole
            .checked_mul(1_000_000)
            .and_then(|amount| amount.checked_add(micro))
            .map(|amount| Self(MicroUsdc(amount)))
            .ok_or_else(|| "too large".to_owned())
    }
}

/// An amount of USDC that moves: nothing is none.
pub(crate) fn some_usdc(text: &str) -> Result<Usdc, String> {
    let amount: Usdc = text.parse()?;
    match amount.0 {
        MicroUsdc::ZERO => Err("expected an amount above 0".to_owned()),
        _ => Ok(amount),
    }
}

/// A share of many, above 0 and at most 1: `0.01` is one in a hundred; at most six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub(crate) struct Rate {
    millionths: u32,
}

impl Rate {
    /// Whether what is drawn by this number, of all as likely as the others, belongs to the share.
    pub(crate) fn takes(self, drawn: u64) -> bool {
        drawn % u64::from(MILLION) < u64::from(self.millionths)
    }
}

const MILLION: u32 = 1_000_000;
const RATE_EXPECTED: &str =
    "expected a share above 0 and at most 1, such as 0.01, at most six decimals";

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        // the same digits as an amount
        let millionths = text.parse::<Usdc>().map_err(|_| RATE_EXPECTED.to_owned())?;
        let millionths = u32::try_from(millionths.0.0).map_err(|_| RATE_EXPECTED.to_owned())?;
        let is_share = (1..=MILLION).contains(&millionths);
        is_share
            .then_some(Self { millionths })
            .ok_or_else(|| RATE_EXPECTED.to_owned())
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;
    /// From a number in a file, as it is written there.
    fn try_from(share: f64) -> Result<Self, String> {
        format!("{share}").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_a_host() {
        for good in [
            "http://127.0.0.1:9000",
            "https://fullnode.testnet.sui.io:443",
        ] {
            assert_eq!(web_url_text(good), Ok(good.to_owned()));
        }
        for bad in ["", "localhost:9000", "127.0.0.1:9000", "ftp://a", "http://"] {
            assert!(web_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_are_exact() {
        let micro = |text: &str| text.parse::<Usdc>().map(|amount| amount.0.0);
        assert_eq!(micro("12"), Ok(12_000_000));
        assert_eq!(micro("0.000001"), Ok(1));
        assert_eq!(micro("0.25"), Ok(250_000));
        assert!(some_usdc("0.000001").is_ok());
        for none in ["0", "0.0", "-1"] {
            assert!(some_usdc(none).is_err(), "{none}");
        }
        for bad in [
            "",
            ".",
            ".5",
            "1.0000001",
            "-1",
            "1e3",
            "99999999999999999999",
        ] {
            assert!(micro(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_a_share_of_all() {
        let rate = |text: &str| text.parse::<Rate>();
        let share = |text: &str| {
            let rate = rate(text).unwrap();
            (0..1_000_000).filter(|&drawn| rate.takes(drawn)).count()
        };
        assert_eq!(
            (share("1"), share("0.01"), share("0.000001")),
            (1_000_000, 10_000, 1)
        );
        for bad in ["0", "1.01", "-0.1", "0.0000001", "1e-3", "one", ""] {
            assert_eq!(rate(bad), Err(RATE_EXPECTED.to_owned()), "{bad}");
        }
        assert_eq!(Rate::try_from(0.25), rate("0.25"));
        assert!(Rate::try_from(f64::NAN).is_err());
    }
}
