//! Walrus by hand: ids, storing, reading, quilts, and a store of one's own.

use crate::{
    output::{Facts, Output},
    part::told_to_stop,
    settings::Settings,
};
use anyhow::{Context, Result, ensure};
use atoma_anchor::{LocalWalrus, LocalWalrusConfig};
use atoma_walrus::{
    BlobId, ObjectId,
    client::{ClientConfig, StoreRequest, Stored, WalrusClient},
    coding::{Params, blob_id},
    http::{self, HttpOptions},
    quilt::{Quilt, QuiltBlob, QuiltPatchId},
    store::{Store, StoreOptions},
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::net::TcpListener;
use url::Url;

/// Where a store listens unless told otherwise: Walrus's own default.
const DEFAULT_LISTEN: &str = "127.0.0.1:31415";
/// Shards of a store of one's own.
const DEFAULT_SHARDS: u16 = 10;
/// How often a store collects what has expired and repairs what is broken.
const MAINTENANCE: Duration = Duration::from_secs(60);

#[derive(Debug, Subcommand)]
pub(crate) enum WalrusCommand {
    /// Compute a blob's id, without storing it.
    BlobId {
        /// Shards of the network: 1000 on Mainnet and Testnet, 10 in a store of one's own.
        #[arg(long, default_value_t = 1_000, value_name = "N")]
        shards: u16,
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
    Serve {
        /// Where to listen.
        #[arg(long, default_value = DEFAULT_LISTEN, value_name = "ADDRESS")]
        listen: SocketAddr,
        /// Where to keep the nodes' files.
        #[arg(long, default_value = "atoma-walrus", value_name = "FOLDER")]
        data_dir: PathBuf,
        /// Storage nodes.
        #[arg(long, default_value_t = 10, value_name = "N")]
        nodes: u16,
        /// Shards, dealt out to the nodes; more allow larger blobs.
        #[arg(long, default_value_t = 10, value_name = "N")]
        shards: u16,
        /// How long an epoch lasts (default: for ever).
        #[arg(long, value_name = "SECONDS")]
        epoch_seconds: Option<u64>,
        /// Register blobs as objects on the ledger (--ledger, --keystore) instead of in the folder.
        /// The key must hold the ledger's `OperatorCap`, as localnet's administrator does.
        #[arg(long)]
        on_ledger: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuiltCommand {
    /// Store files in one quilt, named by their file names.
    Store {
        #[command(flatten)]
        network: WalrusNetwork,
        #[command(flatten)]
        keep: Keep,
        /// The files.
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

/// Whom to talk to.
#[derive(Debug, Args)]
pub(crate) struct WalrusNetwork {
    /// The publisher's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_PUBLISHER", value_name = "URL")]
    publisher: Option<Url>,
    /// The aggregator's URL (default: the network's, or a store on this machine).
    #[arg(long, env = "ATOMA_WALRUS_AGGREGATOR", value_name = "URL")]
    aggregator: Option<Url>,
    /// Shards of the network: 1000 on Mainnet and Testnet. Ids depend on it (default: the network's, or 10).
    #[arg(long, env = "ATOMA_WALRUS_SHARDS", value_name = "N")]
    shards: Option<u16>,
}

/// For how long.
#[derive(Debug, Args)]
pub(crate) struct Keep {
    /// Epochs to store it for.
    #[arg(long, default_value_t = 1, value_name = "N")]
    epochs: u32,
    /// Let the owner delete it before its time.
    #[arg(long)]
    deletable: bool,
    /// Whose the blob's object is to be (default: the publisher's).
    #[arg(long, value_name = "ADDRESS")]
    send_object_to: Option<ObjectId>,
}

pub(crate) async fn run(
    command: WalrusCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    match command {
        WalrusCommand::BlobId { shards, file } => {
            let blob = read_file(&file)?;
            let params = Params::new(usize::from(shards))?;
            let id = tokio::task::spawn_blocking(move || blob_id(params, &blob)).await??;
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
                None => std::io::stdout().write_all(&blob)?,
            }
        }
        WalrusCommand::Status { network, id } => {
            let size = network.client(&settings()?)?.lookup(id).await?;
            output.object(vec![
                ("blob_id", json!(id.to_string())),
                ("found", json!(size.is_some())),
                ("size", json!(size)),
            ]);
        }
        WalrusCommand::Quilt(command) => quilt(command, &settings()?, output).await?,
        WalrusCommand::Serve {
            listen,
            data_dir,
            nodes,
            shards,
            epoch_seconds,
            on_ledger,
        } => {
            let options = StoreOptions {
                nodes,
                shards,
                epoch_length: epoch_seconds.map(Duration::from_secs),
                ..StoreOptions::new(data_dir)
            };
            if on_ledger {
                serve_on_ledger(listen, options, &settings()?, output).await?;
            } else {
                serve(listen, options, output).await?;
            }
        }
    }
    Ok(())
}

async fn quilt(command: QuiltCommand, settings: &Settings, output: &Output) -> Result<()> {
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

async fn serve(listen: SocketAddr, options: StoreOptions, output: &Output) -> Result<()> {
    let (nodes, shards) = (options.nodes, options.shards);
    let store = Store::open(options).await?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let maintenance = store.maintain(MAINTENANCE);
    output.object(vec![
        ("step", json!("ready")),
        ("url", json!(format!("http://{}", listener.local_addr()?))),
        ("nodes", json!(nodes)),
        ("shards", json!(shards)),
    ]);
    output.say("press Ctrl-C to stop");
    let stop = async {
        // without signals there is only kill -9, which the store survives as well
        let _ = told_to_stop().await;
    };
    http::serve(listener, http::routes(store, HttpOptions::default()), stop).await?;
    drop(maintenance);
    Ok(())
}

/// The same, with blobs that are objects on a ledger.
async fn serve_on_ledger(
    listen: SocketAddr,
    store: StoreOptions,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let (nodes, shards) = (store.nodes, store.shards);
    let ledger = settings.ledger().await?;
    let config = LocalWalrusConfig {
        store,
        listen,
        ..LocalWalrusConfig::new(PathBuf::new(), ledger, settings.key()?)
    };
    let walrus = LocalWalrus::start(config).await?;
    output.object(vec![
        ("step", json!("ready")),
        ("url", json!(walrus.url())),
        ("nodes", json!(nodes)),
        ("shards", json!(shards)),
        ("ledger", json!(walrus.registry().ledger().url())),
        ("operator", json!(walrus.registry().operator())),
    ]);
    output.say("press Ctrl-C to stop");
    told_to_stop().await?;
    walrus.stop().await;
    Ok(())
}

impl WalrusNetwork {
    /// What a flag says, else the network in use, else a store on this machine.
    pub(crate) fn client(&self, settings: &Settings) -> Result<WalrusClient> {
        let network = settings.network.as_ref();
        let known = network.and_then(|(_, profile)| profile.walrus.clone());
        let local = || Url::parse(&format!("http://{DEFAULT_LISTEN}"));
        let (publisher, aggregator) = match &known {
            // a network without a public publisher can still be read from
            Some(known) => {
                let url = |text: &String| Url::parse(text).context("a Walrus URL of the network");
                let publisher = known.publisher.as_ref().map(url).transpose()?;
                (publisher, known.aggregator.as_ref().map(url).transpose()?)
            }
            None => (Some(local()?), Some(local()?)),
        };
        let publisher = self.publisher.clone().or(publisher);
        let aggregator = self.aggregator.clone().or(aggregator);
        let aggregator = aggregator.context("the network names no aggregator: --aggregator")?;
        let shards = known.and_then(|known| known.shards);
        let shards = self.shards.or(shards).unwrap_or(DEFAULT_SHARDS);
        let config = ClientConfig::new(publisher, aggregator, shards);
        Ok(WalrusClient::new(config)?)
    }
}

impl Keep {
    fn request(&self) -> StoreRequest {
        StoreRequest {
            deletable: self.deletable,
            send_object_to: self.send_object_to,
            ..StoreRequest::permanent(self.epochs)
        }
    }
}

fn facts(stored: &Stored) -> Facts {
    vec![
        ("blob_id", json!(stored.blob_id.to_string())),
        ("object", json!(stored.object_id.map(|id| id.to_string()))),
        ("new", json!(stored.object.is_some())),
        ("end_epoch", json!(stored.end_epoch)),
        ("cost_frost", json!(stored.cost)),
    ]
}

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

fn read_file(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
