//! A named fact of a result: exact for programs, written out for people. The name says the unit, by the
//! endings that [`unit`](super::unit) lists, so that both read the same number.

use super::unit::Unit;
use atoma_types::{MicroUsdc, Price};
use serde_json::{Value, json};
use std::time::Duration;

/// Facts in the order in which they are shown: `("escrow_micro_usdc", 5000000)`.
pub(crate) type Facts = Vec<(&'static str, Value)>;

/// Money as a fact: micro-USDC.
pub(crate) fn money(amount: MicroUsdc) -> Value {
    json!(amount.0)
}

/// A price as a fact: micro-USDC per million units.
pub(crate) fn price(price: Price) -> Value {
    json!(price.0)
}

/// A time that something took, as a fact: milliseconds.
pub(crate) fn millis(took: Duration) -> Value {
    json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

/// The facts as one JSON object in a line. What a terminal might obey is escaped, which means the same in JSON.
pub(super) fn json_line<N: AsRef<str>>(facts: Vec<(N, Value)>) -> String {
    let facts = facts.into_iter();
    let object = Value::Object(
        facts
            .map(|(name, value)| (name.as_ref().to_owned(), value))
            .collect(),
    );
    // such characters stand nowhere but in strings, and none needs more than four digits
    let escaped = |c: char| match is_plain(c) {
        true => c.to_string(),
        false => format!("\\u{:04x}", u32::from(c)),
    };
    let line = object.to_string();
    match line.chars().all(is_plain) {
        true => line,
        false => line.chars().map(escaped).collect(),
    }
}

/// Name and text for people: a unit moves from the one to the other.
pub(super) fn line(name: &str, value: &Value) -> (String, String) {
    let (label, unit) = Unit::of(name);
    (label, text(unit, value))
}

/// A value as people read it: texts without quotes, lists with commas, nothing as a dash.
pub(super) fn text(unit: Unit, value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_u64() {
            Some(number) => unit.text(number),
            None => number.to_string(),
        },
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(|item| text(unit, item)).collect();
            texts.join(", ")
        }
        Value::Object(_) => value.to_string(),
    }
}

/// The same with those characters written out, so that nothing of a text is lost. Lines stay lines.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => escaped.push(c),
            c if is_plain(c) => escaped.push(c),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    escaped
}

/// Names and URLs are strangers' text: what could move the cursor or turn the line around is not shown.
/// Lines of an answer stay lines.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        c if is_plain(c) => c,
        _ => '?',
    };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_moves_from_the_name_to_the_text() {
        let read = |name: &str, value: Value| {
            let (label, text) = line(name, &value);
            format!("{label}: {text}")
        };
        assert_eq!(
            read("escrow_micro_usdc", json!(12_500_000)),
            "escrow: 12.50 USDC"
        );
        assert_eq!(
            read("cheapest_micro_usdc_per_million_units", json!(2_000_000)),
            "cheapest: 2.00 USDC/M"
        );
        assert_eq!(
            read("expires_at_ms", json!(1_795_403_045_000u64)),
            "expires: 2026-11-23 03:04:05Z"
        );
        assert_eq!(read("total_ms", json!(3_400)), "total: 3.4 s");
        assert_eq!(read("gas_mist", json!(1_500_000)), "gas: 0.0015 SUI");
        assert_eq!(read("closed", json!(true)), "closed: yes");
        assert_eq!(read("escrow_micro_usdc", Value::Null), "escrow: -");
        assert_eq!(read("sealed_for", json!(["a", "b"])), "sealed for: a, b");
    }

    #[test]
    fn strangers_text_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb\r\u{202e}c"), "a?[2Jb??c");
        assert_eq!(
            escaped("a\u{1b}[2J\tb\r\n\u{202e}ü"),
            "a\\u{1b}[2J\tb\\u{d}\n\\u{202e}ü"
        );
        let text = "a\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\"ü";
        let line = json_line(vec![("text", json!(text))]);
        let bare = r#"{"text":"a\u001b[2J\u009b2J\u007f\u202e\"ü"}"#;
        assert_eq!(line, bare);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"], text);
    }
}
