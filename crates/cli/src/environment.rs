//! Which network is meant: what the command line says, then the environment, then the network in use. Where
//! a variable decides over the network in use, a remark says so: variables are easily forgotten.

use crate::profiles::{Profile, Profiles};
use anyhow::Result;
use clap::{ArgMatches, parser::ValueSource};
use std::collections::BTreeSet;

/// Variables that decide over what is known of a network's Walrus, by the names of their flags.
const WALRUS: [(&str, &str); 3] = [
    ("publisher", "ATOMA_WALRUS_PUBLISHER"),
    ("aggregator", "ATOMA_WALRUS_AGGREGATOR"),
    ("shards", "ATOMA_WALRUS_SHARDS"),
];

/// The settings of a command line that the environment says, by the names of their flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeSet<String>);

impl Environment {
    /// By where the values of a command line come from.
    pub(crate) fn of(mut matches: &ArgMatches) -> Self {
        let mut said = BTreeSet::new();
        loop {
            let ids = matches.ids().map(clap::Id::as_str);
            let by_variable =
                |id: &&str| matches.value_source(id) == Some(ValueSource::EnvVariable);
            said.extend(ids.filter(by_variable).map(str::to_owned));
            match matches.subcommand() {
                Some((_, command)) => matches = command,
                None => return Self(said),
            }
        }
    }

    pub(crate) fn says(&self, flag: &str) -> bool {
        self.0.contains(flag)
    }

    /// Whether a network is named on the command line, which beats what the environment says.
    fn is_beaten_by(&self, network: Option<&String>) -> bool {
        network.is_some() && !self.says("network")
    }
}

/// The network that is meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// By its name; none where only a ledger's URL is known.
    pub(crate) network: Option<(String, Profile)>,
    /// The ledger's URL, where one is given and counts.
    pub(crate) ledger: Option<String>,
    /// The flags of whose variables nothing is taken.
    pub(crate) beaten: BTreeSet<String>,
    /// What the user should know.
    pub(crate) remarks: Vec<String>,
}

/// The network that is named, at another URL if one is given; else, where no URL is given, the one that
/// `atoma network use` chose.
pub(crate) fn choose(
    network: Option<&String>,
    ledger: Option<&String>,
    environment: &Environment,
    profiles: &Profiles,
) -> Result<Chosen> {
    let mut env = environment.clone();
    // a network on the command line beats a URL in the environment
    let mut beaten = BTreeSet::new();
    if env.is_beaten_by(network) {
        std::mem::swap(&mut env.0, &mut beaten);
    }
    let ledger = ledger.filter(|_| !beaten.contains("ledger")).cloned();
    let name = match (network, &ledger) {
        (Some(name), _) => Some(name.as_str()),
        (None, Some(_)) => None,
        (None, None) => profiles.active(),
    };
    let mut chosen = None;
    if let Some(name) = name {
        let mut profile = profiles.expect(name)?;
        if let Some(ledger) = &ledger {
            profile.ledger.clone_from(ledger);
        }
        chosen = Some((name.to_owned(), profile));
    }
    let mut remarks = remarks(&env, name, ledger.as_deref(), profiles.active());
    if let Some((name, profile)) = &chosen
        && profile.walrus.is_some()
    {
        let said = WALRUS.iter().filter(|(flag, _)| env.says(flag));
        remarks.extend(said.map(|(_, variable)| {
            format!("note: the variable {variable} decides over the network {name}")
        }));
    }
    Ok(Chosen {
        network: chosen,
        ledger,
        beaten,
        remarks,
    })
}

fn remarks(
    env: &Environment,
    name: Option<&str>,
    ledger: Option<&str>,
    active: Option<&str>,
) -> Vec<String> {
    let Some(active) = active else {
        return Vec::new();
    };
    let mut remarks = Vec::new();
    if let Some(name) = name
        && env.says("network")
        && name != active
    {
        remarks.push(format!(
            "note: the variable ATOMA_NETWORK names {name}; the network in use is {active}"
        ));
    }
    if let Some(ledger) = ledger
        && env.says("ledger")
    {
        remarks.push(format!(
            "note: the variable ATOMA_LEDGER names {ledger}; the network in use is {active}"
        ));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1:7";

    /// The name and URL of what is meant, and how much there is to say of it.
    fn chosen(
        network: Option<&str>,
        ledger: Option<&str>,
        by_variable: [bool; 2],
        active: Option<&str>,
    ) -> (Option<String>, Option<String>, usize) {
        let home = tempfile::tempdir().unwrap();
        let mut profiles = Profiles::open(home.path()).unwrap();
        if let Some(active) = active {
            profiles.activate(active).unwrap();
        }
        let said = ["network", "ledger"].into_iter().zip(by_variable);
        let said = said.filter(|(_, said)| *said);
        let said = said.map(|(flag, _)| flag.to_owned());
        let environment = Environment(said.collect());
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (network, ledger) = (owned(network), owned(ledger));
        let chosen = choose(network.as_ref(), ledger.as_ref(), &environment, &profiles).unwrap();
        let (name, url) = match chosen.network {
            Some((name, profile)) => (Some(name), Some(profile.ledger)),
            None => (None, chosen.ledger),
        };
        (name, url, chosen.remarks.len())
    }

    #[test]
    fn the_command_line_beats_the_environment_which_beats_the_network_in_use() {
        let name = |name: &str| Some(name.to_owned());
        let url = || Some(URL.to_owned());
        // a network on the command line, a URL in the environment
        let (network, ledger, remarks) =
            chosen(Some("testnet"), Some(URL), [false, true], Some("devnet"));
        assert_eq!((network, remarks), (name("testnet"), 0));
        assert_ne!(ledger, url());
        // both on the command line: the network at another URL
        let both = chosen(Some("testnet"), Some(URL), [false, false], None);
        assert_eq!(both, (name("testnet"), url(), 0));
        // a URL alone
        assert_eq!(
            chosen(None, Some(URL), [false, false], Some("devnet")),
            (None, url(), 0)
        );
        // the same by a variable, which is said
        assert_eq!(
            chosen(None, Some(URL), [false, true], Some("devnet")),
            (None, url(), 1)
        );
        assert_eq!(
            chosen(None, Some(URL), [false, true], None),
            (None, url(), 0)
        );
        // a network by a variable is said where it is another than the one in use
        let (network, _, remarks) = chosen(Some("testnet"), None, [true, false], Some("devnet"));
        assert_eq!((network, remarks), (name("testnet"), 1));
        let (network, _, remarks) = chosen(Some("devnet"), None, [true, false], Some("devnet"));
        assert_eq!((network, remarks), (name("devnet"), 0));
        // nothing said
        assert_eq!(
            chosen(None, None, [false, false], Some("devnet")).0,
            name("devnet")
        );
        assert_eq!(chosen(None, None, [false, false], None), (None, None, 0));
    }
}
