//! A policy's file: its keys, and reading it from TOML.

use super::{DevicePolicy, NitroPolicy, Release, SnpPolicy, SoftwarePolicy, TdxPolicy};
use crate::{limits::MAX_POLICY_BYTES, tier::Tier};
use atoma_types::{DurationMs, NetworkId};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A policy, as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The least tier that is accepted.
    pub tier: Tier,
    /// The networks whose nodes are accepted.
    pub networks: BTreeSet<NetworkId>,
    /// How old the checkpoint may be that evidence is fresh by. A nonce has no age: who asks knows when.
    pub max_checkpoint_age_ms: DurationMs,
    /// How long a keyset may last.
    pub max_keyset_lifetime_ms: DurationMs,
    /// The releases that are accepted.
    pub releases: Vec<Release>,
    /// Chips in known places, in hex: of processors and of devices.
    #[serde(default)]
    pub known_chips: BTreeSet<String>,
    /// AMD SEV-SNP; left out, it isn't accepted.
    pub snp: Option<SnpPolicy>,
    /// Intel TDX; left out, it isn't accepted.
    pub tdx: Option<TdxPolicy>,
    /// AWS Nitro; left out, it isn't accepted.
    pub nitro: Option<NitroPolicy>,
    /// Software that acts as hardware, for development; left out, it isn't accepted.
    pub software: Option<SoftwarePolicy>,
    /// GPUs and switches; left out, none are accepted.
    pub devices: Option<DevicePolicy>,
}

/// A policy that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadPolicyError {
    /// There is more of it than any has.
    #[error("the policy has more than {MAX_POLICY_BYTES} bytes")]
    TooLong,
    /// It isn't a policy.
    #[error("this is not a policy")]
    Toml(#[source] toml::de::Error),
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// `text` isn't TOML, lacks a key, or has one that no policy has: a misspelt rule would
    /// otherwise be none.
    pub fn from_toml(text: &str) -> Result<Self, ReadPolicyError> {
        if text.len() > MAX_POLICY_BYTES {
            return Err(ReadPolicyError::TooLong);
        }
        toml::from_str(text).map_err(ReadPolicyError::Toml)
    }
}
