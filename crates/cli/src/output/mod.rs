//! What the user sees: text for people, or one JSON object a line for programs. Results go to
//! stdout, progress and errors to stderr.

mod fact;
mod pipe;
mod table;
mod unit;
mod wrap;

pub(crate) use fact::{Facts, millis, money, price, printable};
pub(crate) use table::{ELLIPSIS, short};
pub(crate) use unit::{date, label, sui, usdc, utc};
pub(crate) use wrap::{columns, wrapped};

use atoma_runtime::WithCauses;
use fact::{escaped, json_line, line};
use indicatif::{ProgressBar, ProgressStyle};
use pipe::Pipe;
use serde_json::{Value, json};
use std::{
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use unit::human;

/// Text or JSON.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    wide: bool,
    started: Instant,
    pipe: Pipe,
    /// What every step of a story says, for nobody to overlook.
    mark: Option<&'static str>,
    /// An empty line stands before every step but the first.
    has_steps: Arc<AtomicBool>,
}

impl Output {
    pub(crate) fn new(json: bool, wide: bool) -> Self {
        Self {
            json,
            wide,
            started: Instant::now(),
            pipe: Pipe::default(),
            mark: None,
            has_steps: Arc::default(),
        }
    }

    /// The same, whose steps all say this.
    pub(crate) fn marked(&self, mark: &'static str) -> Self {
        Self {
            mark: Some(mark),
            ..self.clone()
        }
    }

    /// Whether programs read it: one JSON object a line.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether people want all of it, however wide.
    pub(crate) fn is_wide(&self) -> bool {
        self.wide
    }

    /// How long the command has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// One object: a line for each fact, or JSON.
    pub(crate) fn object<N: AsRef<str>>(&self, facts: Vec<(N, Value)>) {
        if self.json {
            self.line(&json_line(facts));
            return;
        }
        self.lines(&facts, "");
    }

    /// Many objects with the same names: a table, or a line of JSON each.
    pub(crate) fn table<N: AsRef<str>>(&self, rows: Vec<Vec<(N, Value)>>, empty: &str) {
        self.narrow_table(rows, &[], empty);
    }

    /// The same, with columns that people see only in a wide table.
    pub(crate) fn narrow_table<N: AsRef<str>>(
        &self,
        rows: Vec<Vec<(N, Value)>>,
        only_wide: &[&str],
        empty: &str,
    ) {
        if self.json {
            for row in rows {
                self.line(&json_line(row));
            }
        } else if rows.is_empty() {
            self.line(&self.fitting(empty, 2));
        } else {
            self.line(&table::draw(&rows, only_wide, self.wide));
        }
    }

    /// Lines for people only, which fit.
    pub(crate) fn say(&self, line: impl AsRef<str>) {
        if !self.json {
            self.line(&self.fitting(&printable(line.as_ref()), 0));
        }
    }

    /// The same, not to be broken: a command to copy.
    pub(crate) fn say_whole(&self, line: impl AsRef<str>) {
        if !self.json {
            self.line(&printable(line.as_ref()));
        }
    }

    /// A piece of a text that comes bit by bit, for people only: no line ends here. A file or a pipe gets it
    /// as it is; a terminal nothing that it might obey.
    pub(crate) fn piece(&self, text: &str) {
        if self.json {
            return;
        }
        self.strangers(text.as_bytes());
    }

    /// What a stranger wrote, as it is for a file or a pipe; a terminal gets nothing of it that it might obey.
    pub(crate) fn strangers(&self, bytes: &[u8]) {
        match std::io::stdout().is_terminal() {
            true => self.bytes(printable(&String::from_utf8_lossy(bytes)).as_bytes()),
            false => self.bytes(bytes),
        }
    }

    /// What a stranger said, as it is and however wide, for people only: what a terminal might obey is written out, and
    /// nothing else is changed.
    pub(crate) fn verbatim(&self, text: &str) {
        if !self.json {
            self.line(&escaped(text));
        }
    }

    /// Bytes as they are: a script, a file's contents, a report that has its own form.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.pipe.write(bytes);
    }

    /// A remark beside the result, on stderr: nobody reads results there.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        remark(&self.fitting(text.as_ref(), 2));
    }

    /// A text for people, whose lines fit unless all is wanted; those that go on are indented by so much more.
    fn fitting(&self, text: &str, indent: usize) -> String {
        match self.json || self.wide {
            true => text.to_owned(),
            false => wrapped(text, columns(), indent),
        }
    }

    /// Facts as a remark.
    pub(crate) fn notes(&self, facts: &Facts) {
        for text in self.in_lines(facts, "") {
            remark(&text);
        }
    }

    /// A finished step of a longer story: what, how long, and its facts.
    pub(crate) fn step(&self, name: &'static str, title: &str, took: Duration, facts: Facts) {
        if self.json {
            let mut all = vec![("step", json!(name)), ("took_ms", millis(took))];
            all.extend(self.mark.map(|mark| ("mark", json!(mark))));
            all.extend(facts);
            self.line(&json_line(all));
            return;
        }
        let mark = self.mark.map(|mark| format!("[{mark}] "));
        let mark = mark.unwrap_or_default();
        if self.has_steps.swap(true, Ordering::Relaxed) {
            self.line("");
        }
        let title = format!("{mark}{title}  ({})", human(took));
        self.line(&self.fitting(&title, 2));
        self.lines(&facts, "    ");
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
        let causes = WithCauses(error.as_ref()).texts();
        let text = causes.join(": ");
        if self.json {
            let mut facts = vec![("error", json!(text)), ("causes", json!(causes))];
            facts.extend(help.map(|help| ("help", json!(help))));
            self.line(&json_line(facts));
            return;
        }
        // what a node said of it is a stranger's text
        let text = printable(&text);
        let mut lines = self.fitting(&format!("error: {text}"), 2);
        lines.push('\n');
        if let Some(help) = help {
            lines.push_str(&self.fitting(&format!("help: {}", printable(help)), 2));
            lines.push('\n');
        }
        // where nobody reads errors there is nowhere to say so
        let _ = std::io::stderr().write_all(lines.as_bytes());
    }

    /// Returns once the output can't be written any more: nobody reads it, or its disk is full.
    pub(crate) async fn broken(&self) {
        self.pipe.closed().await;
    }

    /// What the program ends with, once the output can't be written any more.
    pub(crate) fn lost(&self) -> Option<u8> {
        self.pipe.lost()
    }

    /// A line for each fact, the names in a column.
    fn lines<N: AsRef<str>>(&self, facts: &[(N, Value)], indent: &str) {
        for text in self.in_lines(facts, indent) {
            self.line(&text);
        }
    }

    /// A line for each fact, the values in a column: what doesn't fit goes on below its beginning.
    fn in_lines<N: AsRef<str>>(&self, facts: &[(N, Value)], indent: &str) -> Vec<String> {
        let facts = facts.iter().map(|(name, value)| line(name.as_ref(), value));
        let facts: Vec<(String, String)> = facts.collect();
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let lines = facts.iter().map(|(name, text)| {
            let text = format!("{indent}{name:width$}  {text}");
            self.fitting(&text, width + 2)
        });
        lines.collect()
    }

    fn line(&self, text: &str) {
        self.pipe.write(format!("{text}\n").as_bytes());
    }
}

fn remark(text: &str) {
    // where nobody reads remarks there is nowhere to say so
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}
