//! Units, by the ending of a fact's name: programs get an integer in the unit that the name says, people
//! the same number written out. Every command goes through here, so money and time read alike everywhere.
//!
//! | the name ends with | programs get | people read |
//! |---|---|---|
//! | `_micro_usdc` | micro-USDC | `12.50 USDC` |
//! | `_micro_usdc_per_million_units` | micro-USDC | `2.00 USDC/M` |
//! | `_mist` | MIST | `0.0015 SUI` |
//! | `_frost` | FROST | `0.0015 WAL` |
//! | `_at_ms`, `_until_ms` | milliseconds since 1970 | `2026-11-23 03:04:05Z` |
//! | `_ms` | milliseconds | `12 ms`, `3.4 s`, `24 h` |

use std::time::Duration;

/// What a fact's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Plain,
    Money,
    Price,
    Gas,
    Storage,
    Instant,
    Span,
}

/// Endings, the longer ones first; what is cut off the name for people.
const ENDINGS: [(&str, &str, Unit); 7] = [
    (
        "_micro_usdc_per_million_units",
        "_micro_usdc_per_million_units",
        Unit::Price,
    ),
    ("_micro_usdc", "_micro_usdc", Unit::Money),
    ("_mist", "_mist", Unit::Gas),
    ("_frost", "_frost", Unit::Storage),
    ("_at_ms", "_at_ms", Unit::Instant),
    ("_until_ms", "_ms", Unit::Instant),
    ("_ms", "_ms", Unit::Span),
];

impl Unit {
    /// A name's label for people, and its unit.
    pub(super) fn of(name: &str) -> (String, Self) {
        // endings that stand alone
        if let "at_ms" | "until_ms" = name {
            return (name.trim_end_matches("_ms").to_owned(), Self::Instant);
        }
        let found = ENDINGS.iter().find(|(ending, ..)| name.ends_with(ending));
        let (cut, unit) = found.map_or(("", Self::Plain), |(_, cut, unit)| (*cut, *unit));
        let label = name.strip_suffix(cut).unwrap_or(name);
        (label.replace('_', " "), unit)
    }

    /// A number of this unit as people read it.
    pub(super) fn text(self, number: u64) -> String {
        match self {
            Self::Plain => number.to_string(),
            Self::Money => format!("{} USDC", usdc(number)),
            Self::Price => format!("{} USDC/M", usdc(number)),
            Self::Gas => sui(number),
            Self::Storage => format!("{} WAL", decimal(number, 9)),
            Self::Instant => format!("{}Z", utc(number)),
            Self::Span => human(Duration::from_millis(number)),
        }
    }

    /// Whether it stands to the right of its column.
    pub(super) fn is_amount(self) -> bool {
        matches!(self, Self::Money | Self::Price | Self::Gas | Self::Storage)
    }
}

/// A name as people read it, without its unit.
pub(crate) fn label(name: &str) -> String {
    Unit::of(name).0
}

/// `12.50`: all six decimals are kept where they are needed, two at least.
pub(crate) fn usdc(micro: u64) -> String {
    decimal(micro, 6)
}

/// `0.0015 SUI`, of a number of MIST.
pub(crate) fn sui(mist: u64) -> String {
    format!("{} SUI", decimal(mist, 9))
}

/// A number of so many decimals: those that are needed, two at least.
fn decimal(number: u64, decimals: usize) -> String {
    let digits = format!("{number:0>width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let kept = fraction.trim_end_matches('0').len().max(2);
    format!("{whole}.{}", &fraction[..kept])
}

/// `12 ms`, `3.4 s`, `5 min`, `24 h`, `30 days`.
pub(super) fn human(took: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = took.as_secs();
    match seconds {
        0 => format!("{} ms", took.as_millis()),
        1..=119 => format!("{:.1} s", took.as_secs_f64()),
        _ if seconds < 2 * HOUR => format!("{} min", seconds / MINUTE),
        _ if seconds <= 2 * DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

/// `2026-11-23 03:04:05`, in UTC.
pub(crate) fn utc(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The Gregorian date of a day since 1970, counted in years that begin in March, so that the leap day
/// is the last of its year.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    // from 0000-03-01
    let days = days.saturating_add(719_468);
    let era = days / DAYS_OF_400_YEARS;
    let day = days % DAYS_OF_400_YEARS;
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, turned) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + turned, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00");
        assert_eq!(utc(951_782_399_999), "2000-02-28 23:59:59");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00");
        assert_eq!(utc(1_709_251_200_000), "2024-03-01 00:00:00");
        assert_eq!(utc(1_795_403_045_000), "2026-11-23 03:04:05");
        // a liar's time is shown too
        assert!(!utc(u64::MAX).is_empty());
    }

    #[test]
    fn money_keeps_what_counts() {
        for (micro, text) in [(0, "0.00"), (1, "0.000001"), (12_500_000, "12.50")] {
            assert_eq!(usdc(micro), text);
        }
        assert_eq!(Unit::Gas.text(u64::MAX), "18446744073.709551615 SUI");
    }

    #[test]
    fn spans_are_short() {
        let text = |seconds| human(Duration::from_secs(seconds));
        assert_eq!(human(Duration::from_millis(12)), "12 ms");
        assert_eq!(text(90), "90.0 s");
        assert_eq!(text(3_600), "60 min");
        assert_eq!(text(86_400), "24 h");
        assert_eq!(text(30 * 86_400), "30 days");
    }

    #[test]
    fn an_ending_is_not_a_word_within_a_name() {
        assert_eq!(
            Unit::of("status_until_ms"),
            ("status until".to_owned(), Unit::Instant)
        );
        assert_eq!(Unit::of("mist"), ("mist".to_owned(), Unit::Plain));
        for alone in ["at", "until"] {
            let name = format!("{alone}_ms");
            assert_eq!(Unit::of(&name), (alone.to_owned(), Unit::Instant));
        }
    }
}
