//! `atoma explore`: the whole network, as its ledger tells it, in a terminal or as lines.

mod app;
mod cell;
mod draw;
#[cfg(test)]
mod draw_test;
mod related;
mod rows;
mod sections;
mod terminal;

use crate::{
    indexed::{ADVICE, catch_up, default_path},
    log::wants_colour,
    output::{Facts, Output},
    run::told_to_stop,
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_index::{Existing, IndexError, IndexReader, Indexer, Progress, Until};
use atoma_ledger::Ledger;
use atoma_runtime::Threads;
use atoma_store::OpenError;
use clap::Args;
use sections::{MOST_ROWS, Section};
use std::{io::IsTerminal, path::PathBuf};
use tokio::sync::watch;

/// What to show, and from which file.
#[derive(Debug, Args)]
pub(crate) struct Explore {
    /// What to begin with, or to print.
    #[arg(value_enum, default_value = "overview")]
    section: Section,
    /// Print it once, instead of following in the terminal.
    #[arg(long)]
    once: bool,
    /// Where the index is kept (default: a file for each network in the data folder).
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Read the whole history again.
    #[arg(long)]
    rebuild: bool,
}

pub(crate) async fn run(args: Explore, settings: Settings, output: &Output) -> Result<()> {
    let ledger = settings.ledger().await?;
    let path = args
        .index
        .unwrap_or_else(|| default_path(&settings.home, &ledger));
    let existing = if args.rebuild {
        Existing::Rebuild
    } else {
        Existing::Keep
    };
    let indexer = match Indexer::open(&ledger, &path, existing).await {
        Ok(indexer) => Some(indexer),
        // the other program keeps it up to date
        Err(IndexError::Open(OpenError::InUse { .. })) if existing == Existing::Keep => None,
        Err(error) => return Err(error).context(ADVICE),
    };
    let reader = IndexReader::open(&path, ledger.deployment())?;
    if args.once || output.is_json() || !std::io::stdout().is_terminal() {
        if let Some(indexer) = indexer {
            catch_up(&indexer, output).await?;
        }
        return print(&reader, args.section, output);
    }
    follow(indexer, reader, args.section, &ledger).await
}

/// The section as a table, or as a line of JSON for each row.
fn print(reader: &IndexReader, section: Section, output: &Output) -> Result<()> {
    let rows = reader.snapshot(|reader| section.rows(reader, MOST_ROWS))?;
    let all = output.is_json() || output.is_wide();
    let facts = |row: rows::Row| -> Facts {
        let cells = row.cells.into_iter();
        cells
            .filter(|(name, _)| all || section.columns().contains(name))
            .map(|(name, cell)| (name, cell.json()))
            .collect()
    };
    if section == Section::Overview {
        for row in rows {
            output.object(facts(row));
        }
    } else {
        output.table(rows.into_iter().map(facts).collect(), "nothing yet");
    }
    Ok(())
}

/// The terminal, while the index follows the ledger.
async fn follow(
    indexer: Option<Indexer>,
    reader: IndexReader,
    section: Section,
    ledger: &Ledger,
) -> Result<()> {
    let (stop, stopped) = watch::channel(false);
    let (report, progress) = watch::channel(Progress::default());
    let network = ledger.network().to_string();
    let title = format!("{} at {}", &network[..8], ledger.url());
    let app = app::App::new(section, title, wants_colour(&std::io::stdout()));
    let shown = stopped.clone();
    let screen = Threads::Real.blocking(move || terminal::run(app, &reader, &progress, &shown));
    let indexing = async {
        match &indexer {
            Some(indexer) => {
                let tell = |progress| {
                    report.send_replace(progress);
                };
                indexer.run(Until::Stopped, stopped, tell).await
            }
            None => {
                report.send_modify(|progress| {
                    progress.trouble = Some("another program keeps this index".to_owned());
                });
                std::future::pending().await
            }
        }
    };
    tokio::pin!(screen);
    let indexed = tokio::select! {
        biased;
        left = &mut screen => return left?,
        indexed = indexing => indexed.context(ADVICE),
        told = told_to_stop() => told,
    };
    // the terminal is given back before anything is said
    stop.send_replace(true);
    screen.await??;
    indexed
}
