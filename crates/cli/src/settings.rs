//! Where the user's things are: flags first, then the environment (both by clap), then the file.

use crate::args::Global;
use anyhow::{Context, Result, anyhow};
use atoma_ledger::Ledger;
use atoma_types::{Address, SigningKey, keystore::Keystore};
use serde::Deserialize;
use std::path::PathBuf;

/// Where `atoma devnet` and `atoma localnet run` listen unless told otherwise.
const DEFAULT_LEDGER: &str = "http://127.0.0.1:9000";

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ledger: Option<String>,
    keystore: Option<PathBuf>,
    address: Option<Address>,
}

/// What the commands work with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Keys and receipts.
    pub(crate) home: PathBuf,
    /// The ledger's URL.
    pub(crate) ledger_url: String,
    /// The keystore file.
    pub(crate) keystore: PathBuf,
    /// The acting address, if one is named.
    pub(crate) address: Option<Address>,
}

impl Settings {
    pub(crate) fn load(flags: &Global) -> Result<Self> {
        let home = flags
            .home
            .clone()
            .or_else(|| std::env::home_dir().map(|home| home.join(".atoma")))
            .context("no home folder: name one with --home or ATOMA_HOME")?;
        let path = flags
            .settings
            .clone()
            .unwrap_or_else(|| home.join("config.toml"));
        let file: File = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .with_context(|| format!("configuration file {}", path.display()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && flags.settings.is_none() => {
                File::default()
            }
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self {
            ledger_url: flags
                .ledger
                .clone()
                .or(file.ledger)
                .unwrap_or_else(|| DEFAULT_LEDGER.to_owned()),
            keystore: flags
                .keystore
                .clone()
                .or(file.keystore)
                .unwrap_or_else(|| home.join("sui.keystore")),
            address: flags.address.or(file.address),
            home,
        })
    }

    pub(crate) fn open_keystore(&self) -> Result<Keystore> {
        Ok(Keystore::open(&self.keystore)?)
    }

    /// The acting key.
    pub(crate) fn key(&self) -> Result<SigningKey> {
        let store = self.open_keystore()?;
        let key = match &self.address {
            Some(address) => store.get(address).with_context(|| {
                format!("{} has no key of {address}", self.keystore.display())
            })?,
            None => store.keys().first().ok_or_else(|| {
                anyhow!(
                    "{} has no keys: make one with `atoma wallet new` or bring yours with `atoma wallet import`",
                    self.keystore.display()
                )
            })?,
        };
        Ok(SigningKey::from_seed(&key.to_seed()))
    }

    pub(crate) async fn ledger(&self) -> Result<Ledger> {
        Ledger::connect(&self.ledger_url).await.with_context(|| {
            format!(
                "cannot use the ledger at {}; start one with `atoma devnet` or name yours with --ledger",
                self.ledger_url
            )
        })
    }
}
