//! A named fact of a result: an exact value for programs, the same written out for people.

use atoma_types::{MicroUsdc, Price};
use serde_json::{Value, json};
use std::time::Duration;

/// The facts of a step, in the order they are shown.
pub(crate) type Facts = Vec<(&'static str, Value)>;

/// A fact of a step. What has a unit is an integer for programs, with the unit in the fact's name,
/// and written out for people.
#[derive(Debug, Clone)]
pub(crate) enum Fact {
    Plain(Value),
    Money(MicroUsdc),
    Price(Price),
    Time(Duration),
}

impl Fact {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Money(amount) => json!(amount.0),
            Self::Price(price) => json!(price.0),
            Self::Time(time) => json!(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// Name and text for people: a unit moves from the one to the other.
    pub(super) fn line(&self, name: &str) -> (String, String) {
        let (unit, text) = match self {
            Self::Plain(value) => ("", plain(value)),
            Self::Money(amount) => ("_micro_usdc", amount.to_string()),
            Self::Price(price) => ("_per_million_units", price.to_string()),
            Self::Time(time) => ("_us", human(*time)),
        };
        let name = name.strip_suffix(unit).unwrap_or(name);
        (name.replace('_', " "), text)
    }
}

impl From<Value> for Fact {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

/// The facts as one JSON object.
pub(super) fn to_object(facts: Facts) -> Value {
    let facts = facts.into_iter();
    Value::Object(
        facts
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// A JSON value as people read it: texts without quotes, lists with commas, nothing as a dash.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `12 ms`, `3.4 s`.
pub(super) fn human(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
