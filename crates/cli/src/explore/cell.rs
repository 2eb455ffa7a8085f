//! A value in a table: sorted as what it is, shown to people, printed for programs.

use crate::output::{printable, usdc, utc};
use atoma_types::{ComputeUnits, MicroUsdc, Price, TimestampMs};
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
    /// Micro-USDC per million units; shown in USDC.
    Price(u64),
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
            Self::Money(amount) | Self::Price(amount) => usdc(*amount),
            Self::Time(at) => utc(*at),
            Self::Text(text) | Self::Id(text) => printable(text).replace(['\n', '\t'], "?"),
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
            Self::Number(number)
            | Self::Money(number)
            | Self::Price(number)
            | Self::Time(number) => json!(number),
            Self::Text(text) | Self::Id(text) => json!(text),
        }
    }

    /// Whether it stands to the right of its column.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Money(_) | Self::Price(_))
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
impl From<Price> for Cell {
    fn from(price: Price) -> Self {
        Self::Price(price.0)
    }
}
impl From<TimestampMs> for Cell {
    fn from(at: TimestampMs) -> Self {
        Self::Time(at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_text_cannot_move_the_cursor() {
        let nasty = Cell::Text("a\u{1b}[2Jb\r\n\u{202e}c".to_owned());
        assert_eq!(nasty.text(), "a?[2Jb???c");
        let id = Cell::id(format!("0x{}", "ab".repeat(32)));
        assert_eq!(id.short(), "0xababab..abab");
        assert_eq!(id.text().len(), 66);
    }
}
