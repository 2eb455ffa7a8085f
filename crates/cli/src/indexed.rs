//! The network's history in a file of the data folder, which commands bring up to date before they read it.

use crate::output::Output;
use anyhow::{Context, Result};
use atoma_index::{Existing, IndexError, IndexReader, Indexer, Until};
use atoma_ledger::Ledger;
use atoma_store::OpenError;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// The network's history up to the ledger's end, from the file in the data folder.
pub(crate) async fn up_to_date(
    ledger: &Ledger,
    home: &Path,
    output: &Output,
) -> Result<IndexReader> {
    let path = default_path(home, ledger);
    match Indexer::open(ledger, &path, Existing::Keep).await {
        Ok(indexer) => catch_up(&indexer, output).await?,
        // the other program keeps it up to date
        Err(IndexError::Open(OpenError::InUse { .. })) => {}
        Err(error) => return Err(error).context(ADVICE),
    }
    Ok(IndexReader::open(&path, ledger.deployment())?)
}

/// What to do where the index can't be used.
pub(crate) const ADVICE: &str = "the index cannot be used (--rebuild reads the history again)";

/// One file for each network and package.
pub(crate) fn default_path(home: &Path, ledger: &Ledger) -> PathBuf {
    let deployment = ledger.deployment();
    let network = deployment.network.to_string();
    let package = deployment.original_package.to_string();
    // hex: sixteen digits of the one, the last eight of the other, whose first may all be zero
    let (network, package) = (&network[..16], &package[package.len() - 8..]);
    home.join("index")
        .join(format!("{network}-{package}.sqlite"))
}

/// Brings the index up to the ledger's end. Stopped in the middle, it goes on there the next time.
pub(crate) async fn catch_up(indexer: &Indexer, output: &Output) -> Result<()> {
    let bar = output.progress("reading the ledger's events");
    let (_stop, stopped) = watch::channel(false);
    let run = indexer.run(Until::CaughtUp, stopped, |progress| {
        bar.set_message(format!(
            "reading the ledger's events: {}, checkpoint {} of {}",
            progress.events, progress.checkpoint, progress.tip
        ));
    });
    let done = run.await;
    bar.finish_and_clear();
    done.context(ADVICE)
}
