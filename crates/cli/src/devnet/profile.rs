//! A devnet as a network that all commands know: written into the data folder while it runs, taken out when
//! it stops. A choice that the user made with `atoma network use` stays theirs.

use crate::profiles::{Profile, Profiles, Walrus};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The name under which commands know it.
pub(super) const NAME: &str = "devnet-local";

/// The profile of a devnet that runs.
#[derive(Debug)]
pub(super) struct Announced {
    home: PathBuf,
    profile: Profile,
    /// The network that commands mean where none is named.
    pub(super) used: String,
}

impl Announced {
    /// Writes the profile, and makes it the one in use if none is.
    pub(super) fn write(home: &Path, ledger: &str, walrus: &str, shards: u16) -> Result<Self> {
        let profile = Profile {
            walrus: Some(Walrus {
                system: None,
                publisher: Some(walrus.to_owned()),
                aggregator: Some(walrus.to_owned()),
                shards: Some(shards),
            }),
            ..Profile::at(ledger)
        };
        let mut profiles = Profiles::open(home)?;
        profiles.put(NAME, profile.clone())?;
        if profiles.active().is_none() {
            profiles.activate(NAME)?;
        }
        Ok(Self {
            home: home.to_owned(),
            profile,
            used: profiles.active().unwrap_or(NAME).to_owned(),
        })
    }

    /// Whether commands use it without being told to.
    pub(super) fn is_used(&self) -> bool {
        self.used == NAME
    }

    /// Takes the profile out, unless another devnet has written its own meanwhile.
    fn withdraw(&self) -> Result<()> {
        let mut profiles = Profiles::open(&self.home)?;
        if profiles.get(NAME).as_ref() == Some(&self.profile) {
            profiles.remove(NAME)?;
        }
        Ok(())
    }
}

impl Drop for Announced {
    /// However the devnet ends. A profile that stays, as after a kill, says where to look in vain, and the
    /// next devnet writes it anew.
    fn drop(&mut self) {
        let _ = self.withdraw();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(home: &Path, ledger: &str) -> Announced {
        Announced::write(home, ledger, "http://127.0.0.1:2", 10).unwrap()
    }

    #[test]
    fn it_is_in_use_while_it_runs_and_gone_afterwards() {
        let home = tempfile::tempdir().unwrap();
        let announced = write(home.path(), "http://127.0.0.1:1");
        assert!(announced.is_used());
        let profiles = Profiles::open(home.path()).unwrap();
        assert_eq!(profiles.active(), Some(NAME));
        let profile = profiles.get(NAME).unwrap();
        assert_eq!(profile.ledger, "http://127.0.0.1:1");
        assert_eq!(profile.walrus.unwrap().shards, Some(10));
        drop(announced);
        let profiles = Profiles::open(home.path()).unwrap();
        assert_eq!((profiles.active(), profiles.get(NAME)), (None, None));
    }

    #[test]
    fn the_users_own_choice_stays() {
        let home = tempfile::tempdir().unwrap();
        let mut profiles = Profiles::open(home.path()).unwrap();
        profiles.activate("testnet").unwrap();
        let announced = write(home.path(), "http://127.0.0.1:1");
        assert!(!announced.is_used());
        assert_eq!(announced.used, "testnet");
        drop(announced);
        let profiles = Profiles::open(home.path()).unwrap();
        assert_eq!(profiles.active(), Some("testnet"));
    }

    #[test]
    fn one_devnet_leaves_anothers_profile_alone() {
        let home = tempfile::tempdir().unwrap();
        let first = write(home.path(), "http://127.0.0.1:1");
        let second = write(home.path(), "http://127.0.0.1:3");
        drop(first);
        let profiles = Profiles::open(home.path()).unwrap();
        assert_eq!(profiles.get(NAME).unwrap().ledger, "http://127.0.0.1:3");
        drop(second);
        assert!(Profiles::open(home.path()).unwrap().get(NAME).is_none());
    }
}
