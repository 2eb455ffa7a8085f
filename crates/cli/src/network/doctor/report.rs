//! The lines of a check-up.

use crate::output::Facts;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Warning,
    Bad,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Bad => "failed",
        }
    }
}

/// The checks made so far.
#[derive(Default)]
pub(super) struct Report {
    lines: Vec<(&'static str, Verdict, String, String)>,
}

impl Report {
    pub(super) fn good(&mut self, check: &'static str, found: impl Into<String>) {
        self.lines
            .push((check, Verdict::Good, found.into(), String::new()));
    }

    pub(super) fn warn(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.lines
            .push((check, Verdict::Warning, found.into(), todo.into()));
    }

    pub(super) fn bad(
        &mut self,
        check: &'static str,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) {
        self.lines
            .push((check, Verdict::Bad, found.into(), todo.into()));
    }

    pub(super) fn rows(&self) -> Vec<Facts> {
        let row = |(check, verdict, found, todo): &(&'static str, Verdict, String, String)| {
            vec![
                ("check", json!(check)),
                ("result", json!(verdict.name())),
                ("found", json!(found)),
                ("do", json!(todo)),
            ]
        };
        self.lines.iter().map(row).collect()
    }

    pub(super) fn failed(&self) -> usize {
        let bad = |line: &&(_, Verdict, _, _)| line.1 == Verdict::Bad;
        self.lines.iter().filter(bad).count()
    }

    /// How many checks were made.
    pub(super) fn checks(&self) -> usize {
        self.lines.len()
    }
}
