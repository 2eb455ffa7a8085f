//! Networks by name. Four are known from the start; what a user adds or publishes is kept in
//! `networks.toml` in the data folder, and a name there hides the built-in one.

mod builtin;
mod connect;
mod profile;

pub(crate) use builtin::DEFAULT_LEDGER;
pub(crate) use connect::{connection, held_to};
pub(crate) use profile::{Profile, Rights, Walrus};

use crate::config_file::ConfigFile;
use crate::guess;
use anyhow::{Context, Result, bail};
use atoma_runtime::files::write_private;
use builtin::BUILTIN;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The user's networks.
const FILE: &str = "networks.toml";
/// Longer names are mistakes.
const MAX_NAME: usize = 64;

/// What the file says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The one used where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<String>,
    /// What is known of each network, by its name.
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
    /// Those of a data folder; only the built-in ones where it has no file yet.
    pub(crate) fn open(home: &Path) -> Result<Self> {
        let path = home.join(FILE);
        let file = match ConfigFile::read_if_there(&path)? {
            Some(file) => file.parse()?,
            None => File::default(),
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

    /// What is known of a name.
    pub(crate) fn get(&self, name: &str) -> Option<Profile> {
        let own = self.file.networks.get(name).cloned();
        own.or_else(|| Profile::builtin(name))
    }

    /// The same, or an error that lists the names there are.
    pub(crate) fn expect(&self, name: &str) -> Result<Profile> {
        self.get(name).with_context(|| {
            let names = self.names();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            format!(
                "no network is called `{name}`; {} (`atoma network list` shows all, `atoma network add` adds one)",
                guess::meant(name, &names)
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

    /// Forgets a network of the user's own; where it was the one in use, none is any more.
    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        self.file.networks.remove(name);
        if self.file.active.as_deref() == Some(name) {
            self.file.active = None;
        }
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
        let text = toml::to_string_pretty(&self.file)?;
        write_private(&self.path, text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{NetworkId, ObjectId, chain::Deployment};

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

        // what is removed is used no more; the built-in one is there again
        profiles.remove("mine").unwrap();
        profiles.remove("testnet").unwrap();
        let again = Profiles::open(folder.path()).unwrap();
        assert_eq!((again.active(), again.names().len()), (None, 4));
        assert!(again.get("testnet").is_some());
    }
}
