//! `--confidential`: requests that only attested nodes can open. Whose evidence is good enough a policy of the user's own
//! says; without one, nothing is sent.

use crate::{
    config_file::ConfigFile,
    output::{Output, utc},
    settings::Settings,
};
use anyhow::{Result, ensure};
use atoma_client::{Attested, Client, Confidential, Padding};
use atoma_tee::{Outcome, Policy, ReadPolicyError, Tier};
use atoma_types::{NodeId, TaskId};
use clap::Args;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The policy where none is named, in the data folder.
const POLICY: &str = "policy.toml";

/// Whether requests are sealed, and to whom.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Seal {
    /// Seal everything to nodes whose evidence your policy accepts: whoever is on the way reads nothing. Nothing is sent
    /// otherwise.
    #[arg(long)]
    confidential: bool,
    /// Which evidence is good enough: a TOML file (docs/confidential.md; default: policy.toml in the data folder).
    #[arg(long, value_name = "FILE", requires = "confidential")]
    policy: Option<PathBuf>,
    /// Give every piece of an answer the same size, so that who watches the line sees less of it.
    #[arg(long, requires = "confidential")]
    even: bool,
}

/// The environment variable with a gateway's key: arguments are seen by other users of a machine.
pub(crate) const GATEWAY_KEY: &str = "ATOMA_API_KEY";

impl Seal {
    /// By what nodes are judged, if requests are to be sealed.
    pub(crate) fn read(&self, settings: &Settings) -> Result<Option<Confidential>> {
        if !self.confidential {
            return Ok(None);
        }
        let path = match &self.policy {
            Some(path) => path.clone(),
            None => settings.home.join(POLICY),
        };
        ensure!(
            self.policy.is_some() || path.exists(),
            "--confidential needs a policy that says which evidence is good enough: name one with --policy, or write {}",
            path.display()
        );
        Ok(Some(Confidential {
            policy: Arc::new(read_policy(&path)?),
            padding: match self.even {
                true => Padding::Even,
                false => Padding::Blocks,
            },
        }))
    }
}

/// A policy file. A mistake in it is told as in every configuration file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy> {
    let file = ConfigFile::read(path)?;
    Policy::from_toml(file.text()).map_err(|error| match error {
        ReadPolicyError::Toml(error) => file.wrong(&error).into(),
        error => anyhow::Error::from(error).context(format!("cannot use {}", path.display())),
    })
}

/// Checks a node's evidence, unless it was checked before, and says in one line what was verified and on whose word.
pub(crate) async fn tell(
    client: &Client,
    node: NodeId,
    task: TaskId,
    output: &Output,
) -> Result<Arc<Attested>> {
    let attested = client.attested(node, task).await?;
    output.note(line(&attested));
    Ok(attested)
}

/// What was verified and on whose word, in one line.
pub(crate) fn line(attested: &Attested) -> String {
    let verdict = &attested.verdict;
    let node = verdict.node.to_string();
    format!(
        "sealed to node {}, which runs {:?}: {}; {} checks hold until {}",
        node.get(..10).unwrap_or(&node),
        attested.release,
        word(attested),
        verdict.checks.len(),
        utc(attested.valid_until().0),
    )
}

/// On whose word the evidence is believed: the hardware's maker, or nobody's.
fn word(attested: &Attested) -> String {
    let tier = attested.verdict.tier.unwrap_or(Tier::Software);
    if tier == Tier::Software {
        return "on the word of software that acts as hardware, which protects against nobody (tier software)"
            .to_owned();
    }
    let maker = attested.verdict.checks.iter().find_map(|check| {
        let makers = ["report", "quote", "document"];
        match &check.outcome {
            Outcome::Holds { found } if makers.contains(&check.name) => Some(found.as_str()),
            _ => None,
        }
    });
    format!(
        "signed {} (tier {tier})",
        maker.unwrap_or("by its hardware")
    )
}

/// The same for programs.
pub(crate) fn facts(attested: &Attested) -> Value {
    json!({
        "node": attested.verdict.node,
        "tier": attested.verdict.tier.map(Tier::as_str),
        "release": attested.release,
        "keyset": attested.verdict.keyset.to_string(),
        "checks": attested.verdict.checks.len(),
        "valid_until_ms": attested.valid_until().0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policys_mistake_is_named_with_its_file_line_and_what_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let text = atoma_network::software_policy(
            atoma_types::NetworkId([7; 32]),
            crate::local_network::RELEASE,
            crate::local_network::MEASUREMENT,
        );
        std::fs::write(&path, &text).unwrap();
        read_policy(&path).unwrap();
        std::fs::write(&path, format!("releses = 1\n{text}")).unwrap();
        let said = read_policy(&path).unwrap_err().to_string();
        assert!(
            said.contains("policy.toml:1: unknown key `releses`; "),
            "{said}"
        );
        std::fs::write(&path, format!("{text}\nnetwork = \n")).unwrap();
        let said = read_policy(&path).unwrap_err().to_string();
        assert!(said.contains("a value is missing after `=`"), "{said}");
    }
}
