//! Networks by name: where their ledger is, which package and money count there, where Walrus is.
//!
//! Four are known from the start; what a user adds or publishes is kept in `networks.toml` in the data
//! folder, and a name there hides the built-in one.

use anyhow::{Context, Result, bail};
use atoma_types::{NetworkId, ObjectId, chain::Deployment};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// The user's networks.
const FILE: &str = "networks.toml";
/// Longer names are mistakes.
const MAX_NAME: usize = 64;

/// Sui Mainnet's first checkpoint.
const MAINNET: &str = "35834a8ac17ca48fb14ac8f99c17c98747e95dd07294ae41a46b382246a4499b";
/// Sui Testnet's first checkpoint.
const TESTNET: &str = "4c78adacf2a2f5ad80f27ed7d54aa69d3a78f1ca67fdef9ecf5754f5b8bb77b0";
/// Circle's USDC on Mainnet.
const MAINNET_USDC: &str =
    "0xdba34672e30cb065b1f93e3ab55318768fd6fef66c15942c9f7cb846e2f900e7::usdc::USDC";
/// Circle's USDC on Testnet.
const TESTNET_USDC: &str =
    "0xa1ec7fc00a6f40db9693ad1415d0c193ad3906494428cf252621037bd7117e29::usdc::USDC";
/// Walrus's `System` on Mainnet.
const MAINNET_WALRUS: &str = "0x2134d52768ea07e8c43570ef975eb3e4c27a39fa6396bef985b5abc58d03ddd2";
/// Walrus's `System` on Testnet.
const TESTNET_WALRUS: &str = "0x6c2547cbbc38025cf3adac45f63cb0a8d12ecf777cdc75a4971612bf97fdf6af";
/// Shards of Walrus on Mainnet and Testnet.
const SHARDS: u16 = 1_000;

/// One network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The ledger's gRPC URL.
    pub(crate) ledger: String,
    /// Where test money comes from; the ledger itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) faucet: Option<String>,
    /// Which ledger it must be; not held to one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkId>,
    /// The type of the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usdc: Option<String>,
    /// Walrus there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) walrus: Option<Walrus>,
    /// Where the package stands; looked up at localnet's own place if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<Deployment>,
    /// The publisher's rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rights: Option<Rights>,
}

/// Walrus on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walrus {
    /// Its `System` on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<ObjectId>,
    /// A publisher's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<String>,
    /// An aggregator's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aggregator: Option<String>,
    /// How many shards it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shards: Option<u16>,
}

/// Objects that let their owner administer a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rights {
    /// To upgrade the package.
    pub(crate) upgrade_cap: ObjectId,
    /// To set parameters.
    pub(crate) admin_cap: ObjectId,
}

impl Profile {
    /// A network of which only the ledger is known.
    pub(crate) fn at(ledger: impl Into<String>) -> Self {
        Self {
            ledger: ledger.into(),
            faucet: None,
            network: None,
            usdc: None,
            walrus: None,
            deployment: None,
            rights: None,
        }
    }

    /// What everyone knows of a network of this name.
    pub(crate) fn builtin(name: &str) -> Option<Self> {
        let sui = |name: &str| Self::at(format!("https://fullnode.{name}.sui.io:443"));
        // the constants are valid; a test says so
        let walrus = |system: &str, space: &str, publisher: bool| {
            let url = |part: &str| format!("https://{part}.{space}");
            Some(Walrus {
                system: system.parse().ok(),
                publisher: publisher.then(|| url("publisher")),
                aggregator: Some(url("aggregator")),
                shards: Some(SHARDS),
            })
        };
        Some(match name {
            "localnet" => Self::at(crate::settings::DEFAULT_LEDGER),
            // it is wiped often, so neither its id nor anything on it is known
            "devnet" => Self {
                faucet: Some("https://faucet.devnet.sui.io".to_owned()),
                ..sui(name)
            },
            "testnet" => Self {
                faucet: Some("https://faucet.testnet.sui.io".to_owned()),
                network: TESTNET.parse().ok(),
                usdc: Some(TESTNET_USDC.to_owned()),
                walrus: walrus(TESTNET_WALRUS, "walrus-testnet.walrus.space", true),
                ..sui(name)
            },
            // nobody runs a public publisher there
            "mainnet" => Self {
                network: MAINNET.parse().ok(),
                usdc: Some(MAINNET_USDC.to_owned()),
                walrus: walrus(MAINNET_WALRUS, "walrus-mainnet.walrus.space", false),
                ..sui(name)
            },
            _ => return None,
        })
    }

    /// Which ledger it must be, if that is known.
    pub(crate) fn expected_network(&self) -> Option<NetworkId> {
        let deployed = self.deployment.as_ref().map(|d| d.network);
        deployed.or(self.network)
    }
}

/// Names that are always known.
pub(crate) const BUILTIN: [&str; 4] = ["localnet", "devnet", "testnet", "mainnet"];

/// What the file says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The one used where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    networks: BTreeMap<String, Profile>,
}

/// The networks of a data folder.
#[derive(Debug)]
pub(crate) struct Profiles {
    path: PathBuf,
    file: File,
}

impl Profiles {
    pub(crate) fn open(home: &Path) -> Result<Self> {
        let path = home.join(FILE);
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| format!("networks in {}", path.display()))?
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        Ok(Self { path, file })
    }

    /// The name used where none is given.
    pub(crate) fn active(&self) -> Option<&str> {
        self.file.active.as_deref()
    }

    /// Every known name.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = self.file.networks.keys().map(String::as_str);
        let own = own.filter(|name| !BUILTIN.contains(name));
        BUILTIN.into_iter().chain(own).map(str::to_owned).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Profile> {
        let own = self.file.networks.get(name).cloned();
        own.or_else(|| Profile::builtin(name))
    }

    pub(crate) fn expect(&self, name: &str) -> Result<Profile> {
        self.get(name).with_context(|| {
            format!(
                "no network is called `{name}`; known are {}. Add one with `atoma network add`",
                self.names().join(", ")
            )
        })
    }

    /// Keeps a network under a name.
    pub(crate) fn put(&mut self, name: &str, profile: Profile) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
            bail!("`{name}` is no name for a network: letters, digits, - and _");
        }
        self.file.networks.insert(name.to_owned(), profile);
        self.save()
    }

    /// Makes a network the one that is used where none is named.
    pub(crate) fn activate(&mut self, name: &str) -> Result<()> {
        self.expect(name)?;
        self.file.active = Some(name.to_owned());
        self.save()
    }

    /// Whole or not at all: a reader never finds half a file.
    fn save(&self) -> Result<()> {
        let folder = self.path.parent().context("the data folder has no name")?;
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(toml::to_string_pretty(&self.file)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_ledger::TypeTag;
    use url::Url;

    #[test]
    fn what_is_built_in_is_valid() {
        for name in BUILTIN {
            let profile = Profile::builtin(name).unwrap();
            assert!(Url::parse(&profile.ledger).is_ok());
        }
        for name in ["testnet", "mainnet"] {
            let profile = Profile::builtin(name).unwrap();
            assert!(profile.network.is_some());
            assert!(profile.usdc.unwrap().parse::<TypeTag>().is_ok());
            let walrus = profile.walrus.unwrap();
            assert!(walrus.system.is_some());
            assert!(Url::parse(&walrus.aggregator.unwrap()).is_ok());
            assert_eq!(walrus.publisher.is_some(), name == "testnet");
        }
    }

    #[test]
    fn networks_are_kept_and_hide_the_built_in() {
        let folder = tempfile::tempdir().unwrap();
        let mut profiles = Profiles::open(folder.path()).unwrap();
        assert_eq!((profiles.active(), profiles.names().len()), (None, 4));
        let network = NetworkId([3; 32]);
        let mine = Profile {
            network: Some(network),
            deployment: Some(Deployment::localnet(network)),
            rights: Some(Rights {
                upgrade_cap: ObjectId::TWO,
                admin_cap: ObjectId::THREE,
            }),
            walrus: Some(Walrus {
                shards: Some(10),
                ..Walrus::default()
            }),
            ..Profile::at("http://127.0.0.1:1")
        };
        profiles.put("mine", mine.clone()).unwrap();
        profiles.put("testnet", mine.clone()).unwrap();
        profiles.activate("mine").unwrap();
        assert!(profiles.activate("nobody").is_err());
        assert!(profiles.put("a b", mine.clone()).is_err());
        let again = Profiles::open(folder.path()).unwrap();
        assert_eq!(again.active(), Some("mine"));
        assert_eq!(again.get("mine"), Some(mine.clone()));
        assert_eq!(again.get("testnet"), Some(mine));
        assert_eq!(again.names().len(), 5);
        assert!(again.expect("nobody").is_err());
    }
}
