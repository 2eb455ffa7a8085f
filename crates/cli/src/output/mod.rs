//! What the user sees: text for people, or one JSON object a line for programs. Results go to
//! stdout, progress to stderr.

use atoma_types::{MicroUsdc, Price};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// Text or JSON.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    started: Instant,
}

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

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            started: Instant::now(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How long the command has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// One object: the fields as a small table, or as JSON.
    pub(crate) fn object(&self, facts: Facts) {
        if self.json {
            println!("{}", to_object(facts));
            return;
        }
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in facts {
            println!("{:width$}  {}", name.replace('_', " "), plain(&value));
        }
    }

    /// Many objects with the same fields: a table, or a line of JSON each.
    pub(crate) fn table(&self, rows: Vec<Facts>, empty: &str) {
        if self.json {
            for row in rows {
                println!("{}", to_object(row));
            }
            return;
        }
        let Some(first) = rows.first() else {
            println!("{empty}");
            return;
        };
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(first.iter().map(|(name, _)| name.replace('_', " ")));
        for row in &rows {
            table.add_row(row.iter().map(|(_, value)| plain(value)));
        }
        println!("{table}");
    }

    /// A line for people only.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        if !self.json {
            println!("{}", line.as_ref());
        }
    }

    /// A finished step of a longer story: what, how long, and its facts.
    pub(crate) fn step<F: Into<Fact>>(
        &self,
        name: &'static str,
        title: &str,
        took: Duration,
        facts: Vec<(&'static str, F)>,
    ) {
        let facts = facts.into_iter().map(|(name, fact)| (name, fact.into()));
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        if self.json {
            let mut object = Map::new();
            object.insert("step".to_owned(), json!(name));
            object.insert("ms".to_owned(), json!(ms));
            object.extend(facts.map(|(name, fact)| (name.to_owned(), fact.to_json())));
            println!("{}", Value::Object(object));
            return;
        }
        println!("\n{title}  ({})", human(took));
        let lines: Vec<_> = facts.map(|(name, fact)| fact.line(name)).collect();
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in lines {
            println!("    {name:width$}  {text}");
        }
    }

    /// A spinner on stderr while something takes time; silent with `--json`.
    pub(crate) fn progress(&self, message: impl Into<String>) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner().with_message(message.into());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    /// What went wrong, with every cause.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        if self.json {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            println!(
                "{}",
                json!({ "error": causes.join(": "), "causes": causes })
            );
        } else {
            eprintln!("error: {error:#}");
        }
    }
}

impl Fact {
    fn to_json(&self) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Money(amount) => json!(amount.0),
            Self::Price(price) => json!(price.0),
            Self::Time(time) => json!(u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// Name and text for people: a unit moves from the one to the other.
    fn line(&self, name: &str) -> (String, String) {
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

fn to_object(facts: Facts) -> Value {
    Value::Object(
        facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// `12 ms`, `3.4 s`.
fn human(took: Duration) -> String {
    if took < Duration::from_secs(1) {
        format!("{} ms", took.as_millis())
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
