//! The figures of `docs/performance.md`, and the study's in `docs/verification.md`: benches leave a table each in a
//! folder, and this puts them into the document that has a place for it, between the marks of their names. What a table
//! replaces goes to the end of the history.

use crate::shell::root;
use anyhow::{Context, Result, bail, ensure};
use atoma_bench_report::Report;
use std::{fs, path::Path};

/// Where the figures that hold stand.
const PRESENT: [&str; 2] = ["docs/performance.md", "docs/verification.md"];
/// Where those stand that held before.
const HISTORY: &str = "docs/performance-history.md";
/// The history's last section.
const REPLACED: &str = "## Tables that were replaced";

/// Puts the tables of a folder into the document.
pub(crate) fn run(folder: &Path) -> Result<()> {
    let reports = Report::read_all(folder)?;
    ensure!(
        !reports.is_empty(),
        "no tables in {}: run a bench with --report {0}",
        folder.display()
    );
    let mut history = read(HISTORY)?;
    for report in &reports {
        let path = place_of(&report.name)?;
        let filled = filled_in(&read(path)?, report)?;
        write(path, &filled.document)?;
        history = with_replaced(&history, &report.name, &filled.replaced);
        println!("{path}: {}", report.name);
    }
    write(HISTORY, &history)
}

/// A document with a new table, and what stood in its place.
struct Filled {
    document: String,
    replaced: String,
}

/// The document that has a place for a table.
fn place_of(name: &str) -> Result<&'static str> {
    for path in PRESENT {
        if read(path)?.contains(&begin_of(name)) {
            return Ok(path);
        }
    }
    bail!(
        "no document has a place for `{name}`: a line `{}`",
        begin_of(name).trim()
    )
}

fn begin_of(name: &str) -> String {
    format!("<!-- table {name} -->\n")
}

fn filled_in(document: &str, report: &Report) -> Result<Filled> {
    let name = &report.name;
    let (begin, end) = (begin_of(name), format!("<!-- end {name} -->\n"));
    let Some((before, rest)) = document.split_once(&begin) else {
        bail!("no place for `{name}`: a line `{}`", begin.trim());
    };
    let Some((replaced, after)) = rest.split_once(&end) else {
        bail!("the table `{name}` has no line `{}`", end.trim());
    };
    Ok(Filled {
        document: format!("{before}{begin}{}{end}{after}", report.to_markdown()),
        replaced: replaced.to_owned(),
    })
}

/// The history with a table that holds no longer. The same table isn't kept twice.
fn with_replaced(history: &str, name: &str, replaced: &str) -> String {
    if replaced.trim().is_empty() || history.contains(replaced) {
        return history.to_owned();
    }
    let head = if history.contains(REPLACED) {
        String::new()
    } else {
        format!("\n{REPLACED}\n")
    };
    format!("{history}{head}\n### {name}\n\n{replaced}")
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

fn write(path: &str, text: &str) -> Result<()> {
    fs::write(root().join(path), text).with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_bench_report::Table;

    const DOCUMENT: &str = "\
# Performance

Words before.

<!-- table streams -->
2026-11-22; a slow machine.

| Figure | ms |
|---|--:|
| first token | 0.69 |
<!-- end streams -->

Words after.
";

    fn report(name: &str) -> Report {
        let mut table = Table::new(&["Figure"], &["ms"]);
        table.row(["first token", "0.51"]);
        Report {
            name: name.to_owned(),
            day: "2026-11-29".to_owned(),
            machine: "2 cores".to_owned(),
            setup: "64 streams".to_owned(),
            table,
        }
    }

    #[test]
    fn a_table_takes_the_place_of_the_one_before_and_the_words_stay() {
        let filled = filled_in(DOCUMENT, &report("streams")).unwrap();
        let (before, rest) = DOCUMENT.split_once("2026-11-22").unwrap();
        let (_, after) = rest.split_once("0.69 |\n").unwrap();
        let table = "2026-11-29; 2 cores; 64 streams.\n\n| Figure | ms |\n|---|--:|\n| first token | 0.51 |\n";
        assert_eq!(filled.document, format!("{before}{table}{after}"));
        let again = filled_in(&filled.document, &report("streams")).unwrap();
        assert_eq!(again.document, filled.document);
        let nowhere = filled_in(DOCUMENT, &report("serving")).err().unwrap();
        assert!(
            nowhere.to_string().contains("<!-- table serving -->"),
            "{nowhere}"
        );
    }

    #[test]
    fn what_was_replaced_goes_to_the_history_once() {
        let replaced = filled_in(DOCUMENT, &report("streams")).unwrap().replaced;
        let history = with_replaced("# History\n", "streams", &replaced);
        assert!(history.starts_with("# History\n\n## Tables that were replaced\n\n### streams\n"));
        assert!(history.ends_with("| first token | 0.69 |\n"));
        assert_eq!(with_replaced(&history, "streams", &replaced), history);
        let more = with_replaced(&history, "serving", "| 1 |\n");
        assert_eq!(more.matches(REPLACED).count(), 1);
    }

    #[test]
    fn the_document_has_a_place_for_every_bench() {
        for name in [
            "serving",
            "evidence",
            "streams",
            "localnet",
            "engine",
            "walrus",
            "sampling",
            "builds",
            "verification-cheats",
            "verification-honest",
            "verification-cost",
        ] {
            let document = read(place_of(name).unwrap()).unwrap();
            filled_in(&document, &report(name)).unwrap();
        }
    }
}
