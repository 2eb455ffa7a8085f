//! A devnet as a network that all commands know: written into the data folder while it runs, taken out when
//! it stops. A choice that the user made with `atoma network use` stays theirs.

use crate::profiles::{Profile, Profiles, Walrus};
use anyhow::Result;
use std::{
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

/// The name under which commands know it.
const NAME: &str = "devnet-local";
/// One after the other is tried until one is free; more devnets than that on one machine take the last name.
const NAMES: [&str; 4] = [NAME, "devnet-local-2", "devnet-local-3", "devnet-local-4"];
/// A ledger on this machine answers at once.
const ANSWERS: Duration = Duration::from_millis(500);

/// The profile of a devnet that runs.
#[derive(Debug)]
pub(super) struct Announced {
    home: PathBuf,
    profile: Profile,
    /// The name under which commands know it: that of a devnet which runs is left to it.
    pub(super) name: &'static str,
    /// The network that commands mean where none is named.
    pub(super) used: String,
}

impl Announced {
    /// Writes the profile, and makes it the one in use if none is. Another devnet that runs keeps its own.
    pub(super) fn write(home: &Path, ledger: &str, walrus: &str, shards: u16) -> Result<Self> {
        Self::write_beside(home, ledger, walrus, shards, runs)
    }

    /// The same where it is known which ledgers run.
    fn write_beside(
        home: &Path,
        ledger: &str,
        walrus: &str,
        shards: u16,
        runs: impl Fn(&str) -> bool,
    ) -> Result<Self> {
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
        let taken = |name: &&str| {
            let other = profiles.get(name);
            other.is_some_and(|other| other.ledger != ledger && runs(&other.ledger))
        };
        let free = NAMES.into_iter().find(|name| !taken(name));
        let name = free.unwrap_or(NAMES[NAMES.len() - 1]);
        profiles.put(name, profile.clone())?;
        if profiles.active().is_none() {
            profiles.activate(name)?;
        }
        Ok(Self {
            home: home.to_owned(),
            profile,
            name,
            used: profiles.active().unwrap_or(name).to_owned(),
        })
    }

    /// Whether commands use it without being told to.
    pub(super) fn is_used(&self) -> bool {
        self.used == self.name
    }

    /// Takes the profile out, unless another devnet has written its own meanwhile.
    fn withdraw(&self) -> Result<()> {
        let mut profiles = Profiles::open(&self.home)?;
        if profiles.get(self.name).as_ref() == Some(&self.profile) {
            profiles.remove(self.name)?;
        }
        Ok(())
    }
}

/// Whether a ledger of this machine answers.
fn runs(ledger: &str) -> bool {
    let at = ledger.trim_start_matches("http://").trim_end_matches('/');
    let at: Option<SocketAddr> = at.parse().ok();
    at.is_some_and(|at| TcpStream::connect_timeout(&at, ANSWERS).is_ok())
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
        beside(home, ledger, false)
    }

    /// Where the ledgers of all other devnets run, or none.
    fn beside(home: &Path, ledger: &str, others_run: bool) -> Announced {
        Announced::write_beside(home, ledger, "http://127.0.0.1:2", 10, |_| others_run).unwrap()
    }

    #[test]
    fn a_second_devnet_leaves_the_first_its_name_and_its_use() {
        let home = tempfile::tempdir().unwrap();
        let first = write(home.path(), "http://127.0.0.1:1");
        let second = beside(home.path(), "http://127.0.0.1:3", true);
        assert!(first.is_used() && !second.is_used());
        assert_eq!((second.name, &*second.used), ("devnet-local-2", NAME));
        drop(second);
        let profiles = Profiles::open(home.path()).unwrap();
        assert_eq!(profiles.get(NAME).unwrap().ledger, "http://127.0.0.1:1");
        assert!(profiles.get("devnet-local-2").is_none());
        assert_eq!(profiles.active(), Some(NAME));
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
