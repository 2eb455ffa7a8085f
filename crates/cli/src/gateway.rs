//! `atoma gateway`: an OpenAI endpoint for people with an API key, as a process of its own.

use crate::{
    config_file::ConfigFile,
    output::Output,
    recompute::{SampleArgs, SampleConfig},
    run::{default_ledger, put_away, until_stopped},
    settings::Settings,
    sources::opening,
};
use anyhow::{Context, Result, ensure};
use atoma_gateway::{ApiKey, Gateway, GatewayConfig};
use atoma_node::KeySource;
use atoma_runtime::SystemRandom;
use clap::Subcommand;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Run it until Ctrl-C.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        #[command(flatten)]
        sample: SampleArgs,
    },
    /// Make an API key: the key for its holder, its hash for the configuration file.
    NewKey,
}

pub(crate) async fn run(
    command: GatewayCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    match command {
        GatewayCommand::Run { config, sample } => {
            serve((&config, sample), &settings()?, output).await
        }
        GatewayCommand::NewKey => {
            let key = ApiKey::generate(&SystemRandom);
            output.object(vec![
                ("api_key", json!(key.reveal())),
                ("hash", json!(key.hash().to_string())),
            ]);
            Ok(())
        }
    }
}

async fn serve(
    (path, sample): (&Path, SampleArgs),
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let File { config, key, check } = read(path, settings)?;
    let key = key.load()?;
    let sample = sample.or(check);
    ensure!(
        config.watch_settlements || !sample.checks(),
        "answers are checked for what is settled: leave out `watch_settlements = false`, or the check"
    );
    let check = sample.start(settings, opening([&*key].into_iter()), output);
    let running = Gateway::start_checking(config, Arc::clone(&key), check.await?).await?;
    until_stopped(
        output,
        vec![
            ("endpoint", json!(format!("{}/v1", running.url()))),
            ("admin", json!(running.admin_url())),
        ],
    )
    .await?;
    put_away(running.shutdown(), None, output).await;
    Ok(())
}

/// What stands in the gateway's file.
struct File {
    config: GatewayConfig,
    /// Where its wallet's key is.
    key: KeySource,
    check: Option<SampleConfig>,
}

fn read(path: &Path, settings: &Settings) -> Result<File> {
    let mut file = ConfigFile::read(path)?;
    let check = file.take("check")?;
    let key = file.take("key")?;
    let place = default_ledger(&mut file, settings);
    // a misspelt key is named before what is missing, perhaps because of it
    let mut config: GatewayConfig = file.parse()?;
    let key = key.with_context(|| {
        format!(
            "{}: it names no `key`; docs/gateway.toml is an example",
            path.display()
        )
    })?;
    config.deployment = config.deployment.or(place);
    Ok(File { config, key, check })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_named_before_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, "[limits]\nmax_conections = 4\n").unwrap();
        let error = read(&path, &Settings::default()).err().unwrap().to_string();
        assert!(error.contains("max_conections"), "{error}");
    }

    #[test]
    fn the_example_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gateway.toml");
        let settings = Settings::default();
        let File { config, .. } = read(Path::new(path), &settings).unwrap();
        assert!(!config.api_keys.is_empty());
    }
}
