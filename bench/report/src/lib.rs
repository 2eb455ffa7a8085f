//! A measurement's table on its way into `docs/performance.md`: a bench writes one as JSON into a
//! folder, and `cargo xtask performance` puts those of a folder into the document.

mod cpu;
mod day;
mod table;

pub use cpu::cpu_used;
pub use table::Table;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::{SystemTime, UNIX_EPOCH},
};

/// A table that was measured, and what one must know to read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which table of the document it is, such as `serving`.
    pub name: String,
    /// When it was measured: year, month and day, UTC.
    pub day: String,
    /// On what: processors and their make.
    pub machine: String,
    /// How: connections, rounds, sizes.
    pub setup: String,
    /// Its figures, row by row.
    pub table: Table,
}

impl Report {
    /// A table that was measured on this machine, today.
    #[must_use]
    pub fn of_today(name: &str, setup: String, table: Table) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            name: name.to_owned(),
            day: day::of(since.unwrap_or_default()),
            machine: machine(),
            setup,
            table,
        }
    }

    /// Writes it into a folder, which is made if it isn't there, as `NAME.json`.
    ///
    /// # Errors
    /// If folder or file can't be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(format!("{}.json", self.name));
        let json = serde_json::to_vec_pretty(self)?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, json))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// All reports of a folder, by name.
    ///
    /// # Errors
    /// If the folder can't be read, or a file of it that ends in `.json` isn't a report.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let cannot = || format!("cannot read {}", folder.display());
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .with_context(cannot)?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        paths.sort();
        paths
            .iter()
            .map(|path| {
                let text = fs::read(path);
                let text = text.with_context(|| format!("cannot read {}", path.display()))?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} isn't a report", path.display()))
            })
            .collect()
    }

    /// What stands in the document: a line on when, where and how, and the table.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        format!(
            "{}; {}; {}.\n\n{}",
            self.day,
            self.machine,
            self.setup,
            self.table.to_markdown()
        )
    }
}

/// Processors and their make, as far as the system tells.
fn machine() -> String {
    let count = available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let make = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, make)| (name.trim() == "model name").then(|| make.trim()));
    let cores = if count == 1 { "core" } else { "cores" };
    format!(
        "{count} {cores}, {}",
        make.unwrap_or(std::env::consts::ARCH)
    )
}
