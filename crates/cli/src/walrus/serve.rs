//! `atoma walrus serve`: a Walrus of one's own, in one process.

use super::network::DEFAULT_LISTEN;
use crate::{output::Output, run::told_to_stop, settings::Settings};
use anyhow::{Context, Result};
use atoma_walrus::{
    http::{self, HttpOptions},
    store::{Store, StoreOptions},
};
use atoma_walrus_localnet::{LocalWalrus, LocalWalrusConfig};
use clap::Args;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tokio::net::TcpListener;

/// How often a store collects what has expired and repairs what is broken.
const MAINTENANCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct Serve {
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
}

pub(super) async fn run(
    args: Serve,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    let options = StoreOptions {
        nodes: args.nodes,
        shards: args.shards,
        epoch_length: args.epoch_seconds.map(Duration::from_secs),
        ..StoreOptions::new(args.data_dir)
    };
    if args.on_ledger {
        serve_on_ledger(args.listen, options, &settings()?, output).await
    } else {
        serve(args.listen, options, output).await
    }
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
