//! Where the user's things are: flags first, then the environment (both by clap), then the file.

use crate::{
    args::Global,
    net::profile::{Profile, Profiles},
};
use anyhow::{Context, Result, anyhow};
use atoma_ledger::{GasOptions, Ledger, LedgerConfig, LedgerError};
use atoma_types::{Address, SigningKey, keystore::Keystore};
use serde::Deserialize;
use std::{path::PathBuf, sync::Arc};

/// Where `atoma devnet` and `atoma localnet run` listen unless told otherwise.
pub(crate) const DEFAULT_LEDGER: &str = "http://127.0.0.1:9000";

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
    /// As a flag or variable named it.
    pub(crate) given_ledger: Option<String>,
    /// The network in use, by name; none where only a ledger's URL is known.
    pub(crate) network: Option<(String, Profile)>,
    /// The keystore file.
    pub(crate) keystore: PathBuf,
    /// The acting address, if one is named.
    pub(crate) address: Option<Address>,
    /// The most a transaction may take for gas, in MIST.
    gas_budget: Option<u64>,
    /// Who pays for gas.
    sponsor: Option<Address>,
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
        let network = network(flags, &Profiles::open(&home)?)?;
        let known = network.as_ref().map(|(_, profile)| profile.ledger.clone());
        Ok(Self {
            ledger_url: known
                .or_else(|| flags.ledger.clone())
                .or(file.ledger)
                .unwrap_or_else(|| DEFAULT_LEDGER.to_owned()),
            given_ledger: flags.ledger.clone(),
            network,
            gas_budget: flags.gas_budget,
            sponsor: flags.sponsor,
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
        self.key_of(self.address.as_ref())
    }

    /// The key of an address, or the first.
    fn key_of(&self, address: Option<&Address>) -> Result<SigningKey> {
        let store = self.open_keystore()?;
        let key = match address {
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

    /// How transactions are paid for.
    pub(crate) fn gas_options(&self) -> Result<GasOptions> {
        let sponsor = self.sponsor.as_ref();
        Ok(GasOptions {
            budget: self.gas_budget,
            sponsor: sponsor
                .map(|address| self.key_of(Some(address)).map(Arc::new))
                .transpose()?,
        })
    }

    /// How to reach the ledger, and where the package stands there.
    pub(crate) fn ledger_config(&self) -> LedgerConfig {
        let profile = self.network.as_ref().map(|(_, profile)| profile);
        LedgerConfig {
            url: self.ledger_url.clone(),
            deployment: profile.and_then(|profile| profile.deployment.clone()),
            faucet: profile.and_then(|profile| profile.faucet.clone()),
        }
    }

    /// Connects; the ledger must be the one that is meant.
    pub(crate) async fn connect(&self) -> Result<Ledger> {
        let ledger = Ledger::open(self.ledger_config()).await?;
        let expected = self.network.as_ref();
        if let Some(expected) = expected.and_then(|(_, profile)| profile.expected_network())
            && expected != ledger.network()
        {
            return Err(LedgerError::WrongNetwork {
                found: ledger.network().to_string(),
                expected: expected.to_string(),
            }
            .into());
        }
        Ok(ledger.with_gas(self.gas_options()?))
    }

    pub(crate) async fn ledger(&self) -> Result<Ledger> {
        self.explained(self.connect().await)
    }

    /// What to do where a connection failed.
    pub(crate) fn explained(&self, connected: Result<Ledger>) -> Result<Ledger> {
        connected.with_context(|| match &self.network {
            Some((name, _)) => format!(
                "cannot use the network {name}, whose ledger is {}; `atoma network doctor` says why",
                self.ledger_url
            ),
            None => format!(
                "cannot use the ledger at {}; start one with `atoma devnet` or name yours with --ledger",
                self.ledger_url
            ),
        })
    }
}

/// The network in use: the one that is named, at another URL if one is given; else, where no URL is
/// given, the one that `atoma network use` chose.
fn network(flags: &Global, profiles: &Profiles) -> Result<Option<(String, Profile)>> {
    let name = match (&flags.network, &flags.ledger) {
        (Some(name), _) => name.as_str(),
        (None, Some(_)) => return Ok(None),
        (None, None) => match profiles.active() {
            Some(name) => name,
            None => return Ok(None),
        },
    };
    let mut profile = profiles.expect(name)?;
    if let Some(ledger) = &flags.ledger {
        profile.ledger.clone_from(ledger);
    }
    Ok(Some((name.to_owned(), profile)))
}
