//! Quilts: many files in one blob.

use super::{
    network::WalrusNetwork,
    store::{Keep, facts, read_file},
};
use crate::{output::Output, settings::Settings};
use anyhow::{Context, Result, ensure};
use atoma_walrus::{
    BlobId,
    quilt::{Quilt, QuiltBlob, QuiltPatchId},
};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum QuiltCommand {
    /// Store files in one quilt, named by their file names.
    Store {
        #[command(flatten)]
        network: WalrusNetwork,
        #[command(flatten)]
        keep: Keep,
        /// Which files; their names become the names in the quilt.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// List what is in a quilt.
    List {
        #[command(flatten)]
        network: WalrusNetwork,
        /// The quilt's blob id.
        id: BlobId,
    },
}

pub(super) async fn run(command: QuiltCommand, settings: &Settings, output: &Output) -> Result<()> {
    match command {
        QuiltCommand::Store {
            network,
            keep,
            files,
        } => {
            let blobs = files
                .iter()
                .map(|file| named(file))
                .collect::<Result<_>>()?;
            let progress = output.progress(format!("storing {} files", files.len()));
            let stored = network
                .client(settings)?
                .store_quilt(blobs, keep.request())
                .await;
            progress.finish_and_clear();
            let stored = stored?;
            output.object(facts(&stored.stored));
            let rows = stored.patches.iter().map(|(name, patch)| {
                vec![
                    ("identifier", json!(name)),
                    ("patch_id", json!(patch.to_string())),
                ]
            });
            output.table(rows.collect(), "the quilt is empty");
        }
        QuiltCommand::List { network, id } => {
            let client = network.client(settings)?;
            let blob = client.read(id).await?;
            let quilt = Quilt::open(client.params(), &blob)?;
            let rows = quilt.index().patches.iter().map(|patch| {
                let (start, end) = (patch.start, patch.end);
                let patch_id = QuiltPatchId {
                    quilt: id,
                    start,
                    end,
                };
                vec![
                    ("identifier", json!(patch.identifier)),
                    ("patch_id", json!(patch_id.to_string())),
                ]
            });
            output.table(rows.collect(), "the quilt is empty");
        }
    }
    Ok(())
}

/// A file as it stands in a quilt.
fn named(file: &Path) -> Result<QuiltBlob> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} has no name", file.display()))?;
    ensure!(
        name.is_ascii(),
        "{name}: names in a quilt are ASCII, so that all sort them alike"
    );
    Ok(QuiltBlob {
        identifier: name.to_owned(),
        data: read_file(file)?,
        ..QuiltBlob::default()
    })
}
