//! `atoma localnet`: the development ledger as a process of its own.

use crate::{
    config_file::ConfigFile,
    output::Output,
    run::{put_away, until_stopped},
};
use anyhow::Result;
use atoma_localnet::{Localnet, LocalnetConfig};
use atoma_types::MicroUsdc;
use clap::Subcommand;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

/// Where a ledger keeps its state unless told otherwise.
const DEFAULT_DATA_DIR: &str = "atoma-localnet";
/// Where a ledger listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:9000";

#[derive(Debug, Subcommand)]
pub(crate) enum LocalnetCommand {
    /// Run it until Ctrl-C.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Where to keep the state.
        #[arg(long, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// Where it is new: without the package, for `atoma network publish` to publish it as on Sui.
        #[arg(long)]
        unpublished: bool,
    },
    /// Print a configuration file with every setting at its default.
    Config,
}

pub(crate) async fn run(command: LocalnetCommand, output: &Output) -> Result<()> {
    let config = match command {
        LocalnetCommand::Config => {
            let mut defaults = LocalnetConfig {
                listen: DEFAULT_LISTEN.parse()?,
                ..LocalnetConfig::new(DEFAULT_DATA_DIR)
            };
            defaults.faucet.usdc = MicroUsdc::ZERO;
            output.bytes(toml::to_string(&defaults)?.as_bytes());
            return Ok(());
        }
        LocalnetCommand::Run {
            config,
            listen,
            data_dir,
            unpublished,
        } => {
            let mut file = match &config {
                Some(path) => ConfigFile::read(path)?,
                None => ConfigFile::empty(),
            };
            if let Some(listen) = listen {
                file.set("listen", listen.to_string());
            }
            if let Some(folder) = data_dir {
                file.set("data_dir", folder.to_string_lossy().into_owned());
            }
            file.set_default("listen", DEFAULT_LISTEN);
            file.set_default("data_dir", DEFAULT_DATA_DIR);
            let faucet_is_named = file.has("faucet");
            let mut config: LocalnetConfig = file.parse()?;
            config.unpublished |= unpublished;
            if !faucet_is_named {
                // as Sui's: gas alone; test dollars come by the amount
                config.faucet.usdc = MicroUsdc::ZERO;
            }
            config
        }
    };
    let folder = config.data_dir.clone();
    let running = Localnet::start(config).await?;
    let deployment = running.is_published().then(|| running.deployment());
    until_stopped(
        output,
        vec![
            ("ledger", json!(running.url())),
            ("network", json!(running.network())),
            ("package", json!(deployment.as_ref().map(|d| d.package))),
            ("db", json!(deployment.as_ref().map(|d| d.db))),
            ("data_dir", json!(folder)),
        ],
    )
    .await?;
    put_away(running.shutdown(), None, output).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let defaults = LocalnetConfig::new("x");
        let text = toml::to_string(&defaults).unwrap();
        assert!(toml::from_str::<LocalnetConfig>(&text).is_ok());
        let listen: SocketAddr = DEFAULT_LISTEN.parse().unwrap();
        assert!(listen.ip().is_loopback());
    }
}
