//! `atoma model serve-keys`: the key broker of a model's owner.

use crate::{
    confidential::read_policy,
    config_file::ConfigFile,
    output::Output,
    run::{put_away, until_stopped},
};
use anyhow::{Context, Result, ensure};
use atoma_broker::{Broker, BrokerConfig, KeyFile};
use atoma_runtime::Runtime;
use atoma_tee::octets::Digest;
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

/// Where it listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:8790";
/// Where decisions are written down unless told otherwise.
const DEFAULT_RECORD: &str = "model-keys.jsonl";

#[derive(Debug, Args)]
pub(crate) struct ServeKeys {
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
    /// Which evidence is good enough: a TOML file (docs/confidential.md).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Key file of a sealed model, from `atoma model seal`; may be given again.
    #[arg(long = "key-file", value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// A release of the policy's that the keys go to (64 hex digits); may be given again.
    #[arg(long, value_name = "HEX")]
    release: Vec<Digest>,
    /// Where each decision is written down, a line of JSON (default: model-keys.jsonl).
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Where to listen (default: 127.0.0.1:8790).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Choices {
    /// These, and those of the file for what isn't said here.
    fn or(self, file: Self) -> Self {
        fn some<T>(own: Vec<T>, file: Vec<T>) -> Vec<T> {
            if own.is_empty() { file } else { own }
        }
        Self {
            policy: self.policy.or(file.policy),
            key_file: some(self.key_file, file.key_file),
            release: some(self.release, file.release),
            record: self.record.or(file.record),
            listen: self.listen.or(file.listen),
        }
    }

    fn config(self) -> Result<BrokerConfig> {
        let policy = self.policy.context(
            "a key broker needs a policy that says which evidence is good enough: name one with --policy",
        )?;
        ensure!(
            !self.key_file.is_empty(),
            "name the key file of a sealed model with --key-file"
        );
        ensure!(
            !self.release.is_empty(),
            "name with --release which of the policy's releases are given the keys"
        );
        let keys = self.key_file.iter().map(|path| KeyFile::read(path));
        Ok(BrokerConfig {
            keys: keys.collect::<Result<_, _>>()?,
            policy: read_policy(&policy)?,
            releases: self.release,
            record: self.record.unwrap_or_else(|| DEFAULT_RECORD.into()),
            listen: match self.listen {
                Some(listen) => listen,
                None => DEFAULT_LISTEN.parse()?,
            },
            runtime: Runtime::system(),
        })
    }
}

pub(super) async fn run(args: ServeKeys, output: &Output) -> Result<()> {
    let file = match &args.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::empty(),
    };
    let config = args.choices.or(file.parse()?).config()?;
    let models: Vec<_> = config.keys.iter().map(|file| file.model).collect();
    let (releases, record) = (config.releases.clone(), config.record.clone());
    if config.policy.software.is_some() {
        output.note(
            "the policy accepts software that acts as hardware: whoever asks is given the keys, for development",
        );
    }
    let broker = Broker::start(config).await?;
    let facts = vec![
        ("url", json!(broker.url())),
        ("models", json!(models)),
        ("releases", json!(releases)),
        ("record", json!(record)),
    ];
    until_stopped(output, facts).await?;
    put_away(broker.stop(), None, output).await;
    Ok(())
}
