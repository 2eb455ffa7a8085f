//! Where the user's things are: flags first, then the environment (both by clap), then the file.

use crate::{
    config_file::ConfigFile,
    environment::{Chosen, Environment, choose},
    named::Named,
    profiles::{self, DEFAULT_LEDGER, Profile, Profiles, held_to},
    values::web_url_text,
};
use anyhow::{Context, Result, anyhow};
use atoma_keys::{Keystore, SigningKey};
use atoma_ledger::{
    AfterResume, ConnectError, Connection, GasOptions, IN_FLIGHT, Ledger, LedgerConfig,
};
use atoma_runtime::Runtime;
use clap::Args;
use serde::Deserialize;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// Settings that most commands share. A flag wins over its environment variable, which wins over
/// the configuration file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Global {
    /// File with these settings (default: config.toml in the data folder).
    #[arg(long, global = true, env = "ATOMA_SETTINGS", value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Folder for keys and receipts (default: ~/.atoma).
    #[arg(long, global = true, env = "ATOMA_HOME", value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
    /// The ledger's gRPC URL; with --network it takes the place of that network's.
    #[arg(long, global = true, env = "ATOMA_LEDGER", value_name = "URL", value_parser = web_url_text)]
    pub(crate) ledger: Option<String>,
    /// The network, as `atoma network list` names it (default: the one in `atoma network use`).
    #[arg(long, global = true, env = "ATOMA_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Keystore file in Sui's format (default: sui.keystore in the data folder).
    #[arg(long, global = true, env = "ATOMA_KEYSTORE", value_name = "FILE")]
    pub(crate) keystore: Option<PathBuf>,
    /// Which of the keystore's addresses acts (default: the first).
    #[arg(long, global = true, env = "ATOMA_ADDRESS", value_name = "ADDRESS")]
    pub(crate) address: Option<Named>,
    /// The most a transaction may take for gas, in MIST.
    #[arg(long, global = true, env = "ATOMA_GAS_BUDGET", value_name = "MIST")]
    pub(crate) gas_budget: Option<u64>,
    /// The most that a unit of gas may cost, in MIST (default: 10000).
    #[arg(long, global = true, env = "ATOMA_GAS_PRICE", value_name = "MIST")]
    pub(crate) gas_price: Option<u64>,
    /// Whose coins pay for gas; the keystore has its key too (default: the acting address).
    #[arg(long, global = true, env = "ATOMA_SPONSOR", value_name = "ADDRESS")]
    pub(crate) sponsor: Option<Named>,
    /// Which of these the environment says: what the command line says beats them.
    #[arg(skip)]
    pub(crate) environment: Environment,
}

impl Global {
    /// The folder for keys and receipts.
    pub(crate) fn data_folder(&self) -> Result<PathBuf> {
        let home = self.home.clone();
        home.or_else(|| std::env::home_dir().map(|home| home.join(".atoma")))
            .context("no home folder: name one with --home or ATOMA_HOME")
    }
}

impl Global {
    /// The flag of the command line that names a ledger or a network.
    pub(crate) fn named_network(&self) -> Option<&'static str> {
        let flags = [("ledger", &self.ledger), ("network", &self.network)];
        let mut named = flags.into_iter().filter(|(_, value)| value.is_some());
        named.find_map(|(flag, _)| (!self.environment.says(flag)).then_some(flag))
    }
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The ledger's gRPC URL, where no network is in use (default: http://127.0.0.1:9000).
    ledger: Option<String>,
    /// Keystore file in Sui's format (default: sui.keystore in the data folder).
    keystore: Option<PathBuf>,
    /// Which of the keystore's addresses acts (default: the first).
    address: Option<String>,
}

/// What the commands work with.
#[derive(Debug, Default)]
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
    pub(crate) address: Option<Named>,
    /// The most a transaction may take for gas, in MIST.
    gas_budget: Option<u64>,
    /// The most that a unit of gas may cost, in MIST.
    gas_price: Option<u64>,
    /// Who pays for gas.
    sponsor: Option<Named>,
    /// The flags of whose variables nothing is taken, for the command line beats them.
    beaten: BTreeSet<String>,
    /// What the user should know of where these come from.
    pub(crate) remarks: Vec<String>,
}

impl Settings {
    /// From the flags, the environment and the file; without asking any server.
    pub(crate) fn load(flags: &Global) -> Result<Self> {
        let home = flags.data_folder()?;
        let path = flags
            .settings
            .clone()
            .unwrap_or_else(|| home.join("config.toml"));
        let file = match &flags.settings {
            // a file that is named is there
            Some(_) => Some(ConfigFile::read(&path)?),
            None => ConfigFile::read_if_there(&path)?,
        };
        let file: File = file.map(ConfigFile::parse).transpose()?.unwrap_or_default();
        let profiles = Profiles::open(&home)?;
        let Chosen {
            network,
            ledger,
            beaten,
            remarks,
        } = choose(
            flags.network.as_ref(),
            flags.ledger.as_ref(),
            &flags.environment,
            &profiles,
        )?;
        let known = network.as_ref().map(|(_, profile)| profile.ledger.clone());
        Ok(Self {
            ledger_url: known
                .or_else(|| ledger.clone())
                .or(file.ledger)
                .unwrap_or_else(|| DEFAULT_LEDGER.to_owned()),
            given_ledger: ledger,
            network,
            gas_budget: flags.gas_budget,
            gas_price: flags.gas_price,
            sponsor: flags.sponsor.clone(),
            beaten,
            remarks,
            keystore: flags
                .keystore
                .clone()
                .or(file.keystore)
                .unwrap_or_else(|| home.join("sui.keystore")),
            address: match (&flags.address, file.address) {
                (Some(address), _) => Some(address.clone()),
                (None, Some(address)) => Some(address.parse()?),
                (None, None) => None,
            },
            home,
        })
    }

    /// A flag's value, unless it comes from a variable that the command line beats.
    pub(crate) fn unbeaten<T: Clone>(&self, flag: &str, value: &Option<T>) -> Option<T> {
        value.clone().filter(|_| !self.beaten.contains(flag))
    }

    /// The keystore; one that isn't there yet is empty.
    pub(crate) fn open_keystore(&self) -> Result<Keystore> {
        Ok(Keystore::open(&self.keystore)?)
    }

    /// The acting key.
    pub(crate) fn key(&self) -> Result<SigningKey> {
        self.key_of(self.address.as_ref())
    }

    /// The key of an address, or the first.
    fn key_of(&self, address: Option<&Named>) -> Result<SigningKey> {
        let store = self.open_keystore()?;
        let key = match address {
            Some(named) => {
                let all = store.keys().iter().map(|key| key.public_key().address());
                let address = named.address(all)?;
                store.get(&address).with_context(|| {
                    format!("{} has no key of {address}", self.keystore.display())
                })?
            }
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
            price: self.gas_price,
            sponsor: sponsor
                .map(|named| self.key_of(Some(named)).map(Arc::new))
                .transpose()?,
        })
    }

    /// The network in use and what is known of it, where one must be named.
    pub(crate) fn named_network(&self) -> Result<(&str, &Profile)> {
        let (name, profile) = self.network.as_ref().context(
            "which network? Name one with --network, or `atoma network use` one for good",
        )?;
        Ok((name, profile))
    }

    /// How to reach the ledger, and where the package stands there.
    pub(crate) fn ledger_config(&self) -> LedgerConfig {
        let profile = self.network.as_ref().map(|(_, profile)| profile);
        LedgerConfig {
            url: self.ledger_url.clone(),
            deployment: profile.and_then(|profile| profile.deployment.clone()),
            faucet: profile.and_then(|profile| profile.faucet.clone()),
            runtime: Runtime::default(),
        }
    }

    /// Connects; the ledger must be the one that is meant.
    pub(crate) async fn connect(&self) -> Result<Ledger> {
        let ledger = Ledger::open(self.ledger_config()).await?;
        if let Some((_, profile)) = &self.network {
            held_to(profile, ledger.network())?;
        }
        self.resume(&ledger).await?;
        Ok(ledger.with_gas(self.gas_options()?))
    }

    /// Finishes what an earlier command left on its way; whoever orders next is told of it first.
    async fn resume(&self, connection: &Connection) -> Result<()> {
        let folder = self.home.join(IN_FLIGHT);
        let after = AfterResume::StopOnce;
        connection.keep_in_flight(&folder, after).await?;
        Ok(())
    }

    /// The ledger with the package.
    pub(crate) async fn ledger(&self) -> Result<Ledger> {
        self.explained(self.connect().await)
    }

    /// A connection for what needs no package, such as wallets before one is published.
    pub(crate) async fn connection(&self) -> Result<Connection> {
        let found = self.connect().await;
        let unpublished = matches!(&found, Err(error) if matches!(
            error.downcast_ref(),
            Some(ConnectError::NoDeployment { .. })
        ));
        if !unpublished {
            return Ok(self.explained(found)?.connection().clone());
        }
        let profile = match &self.network {
            Some((_, profile)) => profile.clone(),
            None => Profile::at(&self.ledger_url),
        };
        let connection = profiles::connection(&profile).await?;
        self.resume(&connection).await?;
        Ok(connection.with_gas(self.gas_options()?))
    }

    /// Which network it was where a connection failed; the cause names the URL.
    fn explained(&self, connected: Result<Ledger>) -> Result<Ledger> {
        match &self.network {
            Some((name, _)) => connected.with_context(|| format!("cannot use the network {name}")),
            None => connected,
        }
    }
}
