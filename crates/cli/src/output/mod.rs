//! What the user sees: text for people, or one JSON object a line for programs. Results go to
//! stdout, progress and errors to stderr.

mod fact;
mod failure;
mod pipe;

pub(crate) use fact::{Fact, Facts};
pub(crate) use pipe::SIGPIPE_STATUS;

use fact::{human, plain, to_object};
use indicatif::{ProgressBar, ProgressStyle};
use pipe::Pipe;
use serde_json::{Map, Value, json};
use std::{io::Write, time::Duration};
use tokio::time::Instant;

/// Text or JSON.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    started: Instant,
    pipe: Pipe,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            started: Instant::now(),
            pipe: Pipe::default(),
        }
    }

    /// Whether programs read it: one JSON object a line.
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
            self.line(&to_object(facts).to_string());
            return;
        }
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in facts {
            self.line(&format!(
                "{:width$}  {}",
                name.replace('_', " "),
                plain(&value)
            ));
        }
    }

    /// Many objects with the same fields: a table, or a line of JSON each.
    pub(crate) fn table(&self, rows: Vec<Facts>, empty: &str) {
        if self.json {
            for row in rows {
                self.line(&to_object(row).to_string());
            }
            return;
        }
        let Some(first) = rows.first() else {
            self.line(empty);
            return;
        };
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(first.iter().map(|(name, _)| name.replace('_', " ")));
        for row in &rows {
            table.add_row(row.iter().map(|(_, value)| plain(value)));
        }
        self.line(&table.to_string());
    }

    /// A line for people only.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        if !self.json {
            self.line(line.as_ref());
        }
    }

    /// A piece of a text that comes bit by bit, for people only: no line ends here.
    pub(crate) fn piece(&self, text: &str) {
        if !self.json {
            self.bytes(text.as_bytes());
        }
    }

    /// Bytes as they are: a script, a file's contents, a report that has its own form.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.pipe.write(bytes);
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
            self.line(&Value::Object(object).to_string());
            return;
        }
        self.line(&format!("\n{title}  ({})", human(took)));
        let lines: Vec<_> = facts.map(|(name, fact)| fact.line(name)).collect();
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in lines {
            self.line(&format!("    {name:width$}  {text}"));
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

    /// What went wrong with every cause, and what to do about it where that is known.
    pub(crate) fn error(&self, error: &anyhow::Error, help: Option<&str>) {
        let causes = failure::causes(error);
        let text = causes.join(": ");
        if self.json {
            let mut object = Map::new();
            object.insert("error".to_owned(), json!(text));
            object.insert("causes".to_owned(), json!(causes));
            if let Some(help) = help {
                object.insert("help".to_owned(), json!(help));
            }
            self.line(&Value::Object(object).to_string());
            return;
        }
        let mut lines = format!("error: {text}\n");
        if let Some(help) = help {
            lines.push_str(&format!("help: {help}\n"));
        }
        // where nobody reads errors there is nowhere to say so
        let _ = std::io::stderr().write_all(lines.as_bytes());
    }

    /// Returns once nobody reads the output any more.
    pub(crate) async fn reader_gone(&self) {
        self.pipe.closed().await;
    }

    /// Whether nobody reads the output any more.
    pub(crate) fn is_reader_gone(&self) -> bool {
        self.pipe.is_closed()
    }

    fn line(&self, text: &str) {
        self.pipe.write(format!("{text}\n").as_bytes());
    }
}
