//! A value in a table: sorted as what it is, shown to people, printed for programs.

use atoma_types::{ComputeUnits, MicroUsdc, TimestampMs};
use serde_json::{Value, json};
use std::fmt::Display;

/// Longer hexadecimal texts are shortened in lists.
const LONGEST_ID: usize = 20;

/// A value. Variants of one column are the same, so that they sort.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    /// Nothing: sorts first.
    None,
    Flag(bool),
    Number(u64),
    /// Micro-USDC; shown in USDC.
    Money(u64),
    /// Milliseconds since 1970; shown in UTC.
    Time(u64),
    Text(String),
    /// An id: shortened in lists.
    Id(String),
}

impl Cell {
    pub(crate) fn id(id: impl Display) -> Self {
        Self::Id(id.to_string())
    }

    pub(crate) fn text_of(text: impl Display) -> Self {
        Self::Text(text.to_string())
    }

    /// A cell, or none.
    pub(crate) fn maybe<T: Into<Self>>(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }

    /// As people read it in full.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::None => "-".to_owned(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Money(amount) => usdc(*amount),
            Self::Time(at) => utc(*at),
            Self::Text(text) | Self::Id(text) => printable(text),
        }
    }

    /// For a narrow column.
    pub(crate) fn short(&self) -> String {
        match self {
            Self::Id(id) if id.len() > LONGEST_ID && id.is_ascii() => {
                format!("{}..{}", &id[..8], &id[id.len() - 4..])
            }
            // the day is in the detail
            Self::Time(at) => utc(*at)[5..].to_owned(),
            other => other.text(),
        }
    }

    /// For programs: money in micro-USDC, time in milliseconds.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Number(number) | Self::Money(number) | Self::Time(number) => json!(number),
            Self::Text(text) | Self::Id(text) => json!(text),
        }
    }

    /// Whether it stands to the right of its column.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Money(_))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}
impl From<ComputeUnits> for Cell {
    fn from(units: ComputeUnits) -> Self {
        Self::Number(units.0)
    }
}
impl From<MicroUsdc> for Cell {
    fn from(amount: MicroUsdc) -> Self {
        Self::Money(amount.0)
    }
}
impl From<TimestampMs> for Cell {
    fn from(at: TimestampMs) -> Self {
        Self::Time(at.0)
    }
}

/// `12.5`: all six decimals are kept where they are needed, two at least.
pub(crate) fn usdc(micro: u64) -> String {
    let fraction = format!("{:06}", micro % 1_000_000);
    let kept = fraction.trim_end_matches('0').len().max(2);
    format!("{}.{}", micro / 1_000_000, &fraction[..kept])
}

/// Names and URLs are strangers' text: what could move the cursor or turn the line around is not shown.
fn printable(text: &str) -> String {
    let shown = |c: char| if is_plain(c) { c } else { '?' };
    text.chars().map(shown).collect()
}

/// Neither a control character nor one that formats invisibly or turns the direction of writing.
fn is_plain(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    );
    !c.is_control() && !hidden
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
    }

    #[test]
    fn strangers_text_cannot_move_the_cursor() {
        let nasty = Cell::Text("a\u{1b}[2Jb\r\n\u{202e}c".to_owned());
        assert_eq!(nasty.text(), "a?[2Jb???c");
        let id = Cell::id(format!("0x{}", "ab".repeat(32)));
        assert_eq!(id.short(), "0xababab..abab");
        assert_eq!(id.text().len(), 66);
    }
}
