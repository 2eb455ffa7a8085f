//! Walrus by hand: ids, storing, reading, quilts, and a store of one's own.

mod network;
mod quilt;
mod serve;
mod store;

pub(crate) use network::{WalrusNetwork, WalrusReading};

use crate::{output::Output, settings::Settings};
use anyhow::{Context, Result};
use atoma_runtime::Threads;
use atoma_walrus::{
    BlobId,
    coding::{Params, blob_id},
    quilt::QuiltPatchId,
};
use bytes::Bytes;
use clap::Subcommand;
use quilt::QuiltCommand;
use serde_json::json;
use std::path::PathBuf;
use store::{Keep, facts, read_file};

/// Shards of Walrus on Mainnet and Testnet.
const PUBLIC_SHARDS: u16 = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum WalrusCommand {
    /// Compute a blob's id, without storing it.
    BlobId {
        /// Shards of the network: 10 in a store of one's own (default: the network's in use, or 1000 as on
        /// Mainnet and Testnet).
        #[arg(long, value_name = "N")]
        shards: Option<u16>,
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
    /// Store a file as a blob.
    Store {
        #[command(flatten)]
        network: WalrusNetwork,
        #[command(flatten)]
        keep: Keep,
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
    /// Read a blob, or one blob of a quilt by its patch id. What is read is checked against the id.
    Read {
        #[command(flatten)]
        network: WalrusNetwork,
        /// The blob's id or the patch's.
        id: String,
        /// Where to write it (default: standard output).
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Whether a blob is there.
    Status {
        #[command(flatten)]
        network: WalrusNetwork,
        /// The blob's id.
        id: BlobId,
    },
    /// Many files in one blob.
    #[command(subcommand)]
    Quilt(QuiltCommand),
    /// Run a Walrus of one's own: storage nodes in one process, behind Walrus's HTTP API.
    Serve(serve::Serve),
}

pub(crate) async fn run(
    command: WalrusCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    match command {
        WalrusCommand::BlobId { shards, file } => {
            let blob = read_file(&file)?;
            let shards = match shards {
                Some(shards) => shards,
                None => network::known_shards(&settings()?).unwrap_or(PUBLIC_SHARDS),
            };
            let params = Params::new(usize::from(shards))?;
            let id = Threads::Real
                .blocking(move || blob_id(params, &blob))
                .await??;
            output.object(vec![
                ("blob_id", json!(id.to_string())),
                ("shards", json!(shards)),
            ]);
        }
        WalrusCommand::Store {
            network,
            keep,
            file,
        } => {
            let blob = Bytes::from(read_file(&file)?);
            let progress = output.progress(format!("storing {} bytes", blob.len()));
            let stored = network
                .client(&settings()?)?
                .store(blob, keep.request())
                .await;
            progress.finish_and_clear();
            output.object(facts(&stored?));
        }
        WalrusCommand::Read {
            network,
            id,
            output: file,
        } => {
            let client = network.client(&settings()?)?;
            let blob = match id.parse::<BlobId>() {
                Ok(id) => client.read(id).await?.to_vec(),
                Err(not_blob) => {
                    let patch: QuiltPatchId = id.parse().map_err(|_| not_blob)?;
                    client.read_patch(patch).await?.data
                }
            };
            match file {
                Some(file) => std::fs::write(&file, blob)
                    .with_context(|| format!("cannot write {}", file.display()))?,
                None => output.strangers(&blob),
            }
        }
        WalrusCommand::Status { network, id } => {
            let size = network.client(&settings()?)?.lookup(id).await?;
            output.object(vec![
                ("blob_id", json!(id.to_string())),
                ("found", json!(size.is_some())),
                ("size_bytes", json!(size)),
            ]);
        }
        WalrusCommand::Quilt(command) => quilt::run(command, &settings()?, output).await?,
        WalrusCommand::Serve(serve) => serve::run(serve, settings, output).await?,
    }
    Ok(())
}
