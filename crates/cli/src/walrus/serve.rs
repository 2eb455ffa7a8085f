//! `atoma walrus serve`: a Walrus of one's own, in one process.

use super::network::{DEFAULT_LISTEN, DEFAULT_SHARDS};
use crate::{
    config_file::ConfigFile,
    output::Output,
    run::{put_away, ready, told_to_stop, until_stopped},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_http::server::Limits;
use atoma_walrus::{
    http::{self, HttpOptions},
    store::{Store, StoreOptions},
};
use atoma_walrus_localnet::{LocalWalrus, LocalWalrusConfig};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// How often a store collects what has expired and repairs what is broken.
const MAINTENANCE: Duration = Duration::from_secs(60);

/// Where its files are kept unless told otherwise.
const DEFAULT_DATA_DIR: &str = "atoma-walrus";
/// Storage nodes unless told otherwise.
const DEFAULT_NODES: u16 = 10;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Configuration file (TOML), under the names of the flags with underscores; flags win.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
}

/// What flags and the file can both say.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Choices {
    /// Where to listen (default: 127.0.0.1:31415).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to keep the nodes' files (default: atoma-walrus).
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Storage nodes (default: 10).
    #[arg(long, value_name = "N")]
    nodes: Option<u16>,
    /// Shards, dealt out to the nodes; more allow larger blobs (default: 10).
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
    /// How long an epoch lasts (default: for ever).
    #[arg(long, value_name = "SECONDS")]
    epoch_seconds: Option<u64>,
    /// Register blobs as objects on the ledger (--ledger, --keystore) instead of in the folder.
    /// The key must hold the ledger's `OperatorCap`, as localnet's administrator does.
    #[arg(long)]
    on_ledger: bool,
    /// What strangers may do to the server: the same section in every configuration file.
    #[arg(skip)]
    limits: Limits,
}

impl Choices {
    /// These, and those of the file for what isn't said here.
    fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            data_dir: self.data_dir.or(file.data_dir),
            nodes: self.nodes.or(file.nodes),
            shards: self.shards.or(file.shards),
            epoch_seconds: self.epoch_seconds.or(file.epoch_seconds),
            on_ledger: self.on_ledger || file.on_ledger,
            limits: file.limits,
        }
    }
}

pub(super) async fn run(
    args: Serve,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    let file = match &args.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::empty(),
    };
    let choices = args.choices.or(choices_of(file)?);
    let listen = match choices.listen {
        Some(listen) => listen,
        None => DEFAULT_LISTEN.parse()?,
    };
    let folder = choices
        .data_dir
        .unwrap_or_else(|| PathBuf::from(DEFAULT_DATA_DIR));
    let options = StoreOptions {
        nodes: choices.nodes.unwrap_or(DEFAULT_NODES),
        shards: choices.shards.unwrap_or(DEFAULT_SHARDS),
        epoch_length: choices.epoch_seconds.map(Duration::from_secs),
        ..StoreOptions::new(folder)
    };
    let http = HttpOptions {
        limits: choices.limits,
        ..HttpOptions::default()
    };
    if choices.on_ledger {
        serve_on_ledger(listen, options, http, &settings()?, output).await
    } else {
        serve(listen, options, http, output).await
    }
}

/// What the file says, with Walrus's own limits where it names none.
fn choices_of(mut file: ConfigFile) -> Result<Choices> {
    file.set_defaults("limits", &HttpOptions::default().limits);
    let choices: Choices = file.parse()?;
    choices.limits.check()?;
    Ok(choices)
}

async fn serve(
    listen: SocketAddr,
    options: StoreOptions,
    http: HttpOptions,
    output: &Output,
) -> Result<()> {
    let (nodes, shards) = (options.nodes, options.shards);
    let net = options.runtime.sockets.clone();
    let store = Store::open(options).await?;
    let listener = net
        .listen(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let maintenance = store.maintain(MAINTENANCE);
    ready(
        output,
        vec![
            ("url", json!(format!("http://{}", listener.local_addr()?))),
            ("nodes", json!(nodes)),
            ("shards", json!(shards)),
        ],
    );
    let grace = http.limits.drain_grace();
    let server = http::serve(listener, store, http)?;
    // without signals there is only kill -9, which the store survives as well
    let _ = told_to_stop().await;
    put_away(server.close(grace), None, output).await;
    drop(maintenance);
    Ok(())
}

/// The same, with blobs that are objects on a ledger.
async fn serve_on_ledger(
    listen: SocketAddr,
    store: StoreOptions,
    http: HttpOptions,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let (nodes, shards) = (store.nodes, store.shards);
    let ledger = settings.ledger().await?;
    let config = LocalWalrusConfig {
        store,
        listen,
        http,
        ..LocalWalrusConfig::new(PathBuf::new(), ledger, settings.key()?)
    };
    let walrus = LocalWalrus::start(config).await?;
    let facts = vec![
        ("url", json!(walrus.url())),
        ("nodes", json!(nodes)),
        ("shards", json!(shards)),
        ("ledger", json!(walrus.registry().ledger().url())),
        ("operator", json!(walrus.registry().operator())),
    ];
    until_stopped(output, facts).await?;
    put_away(walrus.stop(), None, output).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_not_named_stay_those_of_walrus() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("walrus.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            choices_of(ConfigFile::read(&path).unwrap())
        };
        let limits = read("[limits]\nmax_connections = 7").unwrap().limits;
        let walrus = HttpOptions::default().limits;
        assert_eq!(limits.max_connections, 7);
        assert_eq!(limits.body_timeout_ms, walrus.body_timeout_ms);
        let misspelt = read("nodes = 4\n\n[limits]\nmax_conections = 7").unwrap_err();
        let place = format!("{}:4: unknown key `max_conections`", path.display());
        let misspelt = misspelt.to_string();
        assert!(misspelt.starts_with(&place), "{misspelt}");
    }
}
