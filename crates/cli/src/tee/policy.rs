//! `atoma tee policy`: what a policy file accepts, in words; or one to begin with.

use crate::{
    confidential::read_policy,
    output::{Facts, Output},
};
use anyhow::Result;
use atoma_tee::{Policy, policy::Release};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// A policy with every key, which accepts nothing before it is filled in.
const EXAMPLE: &str = include_str!("../../../../docs/policy.toml");

#[derive(Debug, Args)]
pub(crate) struct TeePolicy {
    /// The policy's file; without one, a policy to fill in is printed.
    file: Option<PathBuf>,
}

pub(super) fn policy(args: &TeePolicy, output: &Output) -> Result<()> {
    let Some(file) = &args.file else {
        output.bytes(EXAMPLE.as_bytes());
        return Ok(());
    };
    let policy = read_policy(file)?;
    output.object(facts(&policy));
    output.table(
        policy.releases.iter().map(release).collect(),
        "no release is accepted: add [[releases]]",
    );
    for warning in warnings(&policy) {
        output.note(warning);
    }
    Ok(())
}

fn facts(policy: &Policy) -> Facts {
    let platforms = [
        ("AMD SEV-SNP", policy.snp.is_some()),
        ("Intel TDX", policy.tdx.is_some()),
        ("AWS Nitro", policy.nitro.is_some()),
        ("software", policy.software.is_some()),
    ];
    let platforms = platforms.into_iter().filter(|(_, accepted)| *accepted);
    let platforms: Vec<&str> = platforms.map(|(name, _)| name).collect();
    vec![
        ("least_tier", json!(policy.tier)),
        ("platforms", json!(platforms)),
        ("gpus_and_switches", json!(policy.devices.is_some())),
        ("networks", json!(policy.networks)),
        (
            "max_checkpoint_age_ms",
            json!(policy.max_checkpoint_age_ms.0),
        ),
        (
            "max_keyset_lifetime_ms",
            json!(policy.max_keyset_lifetime_ms.0),
        ),
        ("known_chips", json!(policy.known_chips.len())),
    ]
}

fn release(release: &Release) -> Facts {
    vec![
        ("release", json!(release.name)),
        ("id", json!(release.id)),
        ("snp_measurements", json!(release.snp.len())),
        ("tdx_measurements", json!(release.tdx.len())),
        ("nitro_measurements", json!(release.nitro.len())),
        ("software_measurements", json!(release.software.len())),
    ]
}

/// What a policy leaves open that whoever wrote it may not have meant.
fn warnings(policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    if policy.software.is_some() {
        found.push(
            "software that acts as hardware is accepted, which protects against nobody: for development alone".to_owned(),
        );
    }
    if policy.networks.is_empty() {
        found.push(
            "no network is named, so nothing is accepted: `atoma network show` has its id"
                .to_owned(),
        );
    }
    let is_placeholder = |id: &str| id.trim_start_matches("0x").bytes().all(|byte| byte == b'0');
    let networks = policy.networks.iter().map(ToString::to_string);
    let ids = policy.releases.iter().map(|release| release.id.to_string());
    if networks.chain(ids).any(|id| is_placeholder(&id)) {
        found.push("an id of zeros is a place to fill in: nothing is accepted by it".to_owned());
    }
    for release in &policy.releases {
        let pairs = [
            ("snp", policy.snp.is_none() && !release.snp.is_empty()),
            ("tdx", policy.tdx.is_none() && !release.tdx.is_empty()),
            ("nitro", policy.nitro.is_none() && !release.nitro.is_empty()),
        ];
        for (platform, _) in pairs.into_iter().filter(|(_, lacks)| *lacks) {
            found.push(format!(
                "release `{}` has measurements of {platform}, and no section [{platform}] accepts them",
                release.name
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_policy_with_a_section_for_each_platform_but_software() {
        let policy = Policy::from_toml(EXAMPLE).unwrap();
        assert!(policy.snp.is_some() && policy.tdx.is_some() && policy.nitro.is_some());
        assert!(policy.devices.is_some() && policy.software.is_none());
        // it accepts nothing before it is filled in, and says so
        let said = warnings(&policy);
        assert!(said.len() == 1 && said[0].contains("zeros"), "{said:?}");
    }

    #[test]
    fn what_a_policy_can_never_accept_is_said() {
        let mut policy = Policy::from_toml(EXAMPLE).unwrap();
        policy.networks.clear();
        policy.tdx = None;
        let said = warnings(&policy).join("\n");
        assert!(
            said.contains("no network") && said.contains("[tdx]"),
            "{said}"
        );
    }
}
