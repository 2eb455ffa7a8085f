//! `--confidential`: requests that only attested nodes can open. Whose evidence is good enough a policy of the user's own
//! says; without one, nothing is sent.

use crate::{
    output::{Output, utc},
    settings::Settings,
};
use anyhow::{Context, Result, ensure};
use atoma_client::{Attested, Client, Confidential, Padding};
use atoma_tee::{Outcome, Policy, Tier, limits::MAX_POLICY_BYTES};
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

/// A policy file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        text.len() <= MAX_POLICY_BYTES,
        "{} is longer than a policy may be",
        path.display()
    );
    Policy::from_toml(&text).with_context(|| format!("cannot use {}", path.display()))
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

/// On whose word.
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
