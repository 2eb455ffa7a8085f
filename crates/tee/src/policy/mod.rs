//! What a client accepts: a file of its own, never the node's.

mod devices;
mod nitro;
mod release;
mod snp;
mod software;
mod tdx;

pub use devices::DevicePolicy;
pub(crate) use devices::judge as judge_devices;
pub(crate) use nitro::judge as judge_nitro;
pub use nitro::{NitroMeasurements, NitroPolicy};
pub use release::Release;
pub(crate) use snp::judge as judge_snp;
pub use snp::{SnpPolicy, SnpProductPolicy};
pub use software::SoftwarePolicy;
pub(crate) use software::judge as judge_software;
pub(crate) use tdx::judge as judge_tdx;
pub use tdx::{TdxMeasurements, TdxPolicy};

use crate::{fault::faults, limits::MAX_POLICY_BYTES, tier::Tier, verdict::Judge};
use atoma_types::{DurationMs, NetworkId};
use serde::Deserialize;
use std::collections::BTreeSet;

faults! {
    /// What a policy doesn't allow.
    PolicyFault {
        Platform = "policy_platform", "the policy allows no evidence of this platform";
        Network = "policy_network", "the keyset is for another network";
        Node = "policy_node", "the keyset is another node's";
        KeysetNotYet = "policy_keyset_not_yet", "the keyset doesn't count yet";
        KeysetExpired = "policy_keyset_expired", "the keyset has expired";
        KeysetLifetime = "policy_keyset_lifetime", "the keyset lasts longer than the policy allows";
        Nonce = "policy_nonce", "the evidence doesn't answer the nonce that was asked with";
        ChallengeAge = "policy_challenge_age", "the challenge is older than the policy allows";
        ChallengeFuture = "policy_challenge_future", "the challenge is of a later time";
        Release = "policy_release", "the policy doesn't know the release";
        ReleaseTime = "policy_release_time", "the policy allows the release at another time only";
        Measurement = "policy_measurement", "what the guest started with isn't what the release starts with";
        Tier = "policy_tier", "the evidence is worth less than the policy asks for";
        SnpProduct = "policy_snp_product", "the policy doesn't allow this generation of processors";
        SnpTcb = "policy_snp_tcb", "the firmware is older than the policy allows";
        SnpDebug = "policy_snp_debug", "the host may read the guest: debugging is allowed";
        SnpMigration = "policy_snp_migration", "a migration agent may move the guest";
        SnpSmt = "policy_snp_smt", "two threads share a core, with microcode below the policy's floor for that";
        SnpAliasCheck = "policy_snp_alias_check", "the firmware hasn't checked memory for two addresses of one place";
        SnpVmpl = "policy_snp_vmpl", "the report was asked for at too low a privilege level";
        SnpHostData = "policy_snp_host_data", "the host gave the guest data that the policy doesn't know";
        SnpRevocations = "policy_snp_revocations", "AMD's revocation list is missing";
        TdxStatus = "policy_tdx_status", "Intel knows of a weakness that the platform hasn't mended";
        TdxEvaluation = "policy_tdx_evaluation", "the platform's state is judged by too old a list";
        TdxSetUp = "policy_tdx_set_up", "the platform is set up in a way that the policy doesn't allow";
        NitroDebug = "policy_nitro_debug", "the enclave runs in debug mode";
        NitroKey = "policy_nitro_key", "the enclave's public key isn't the keyset's receipt key";
        Devices = "policy_devices", "the policy allows no GPUs";
        Gpus = "policy_gpus", "there are fewer GPUs than the policy asks for";
        Untied = "policy_untied", "nothing says that the GPUs are in one machine";
        DeviceProduct = "policy_device_product", "the policy doesn't allow this product";
        Driver = "policy_driver", "the policy doesn't allow this driver";
        DeviceRevocations = "policy_device_revocations", "stored answers about a device's certificates are missing";
        Manifest = "policy_manifest", "the manifest is one that doesn't count any more";
    }
}

/// A policy, as its file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The least tier that is accepted.
    pub tier: Tier,
    /// The networks whose nodes are accepted.
    pub networks: BTreeSet<NetworkId>,
    /// How old a challenge may be. A nonce has no age: who asks knows when.
    pub max_challenge_age_ms: DurationMs,
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

/// What to do where something that could be checked isn't there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Refuse.
    #[default]
    Refused,
    /// Go on, at most in the tier `partial`.
    LowersTier,
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

/// Whether a chip stands on the policy's list of known ones.
pub(crate) fn judge_chip(policy: &Policy, subject: &str, chip: &[u8], judge: &mut Judge) {
    let name = hex::encode(chip);
    if policy.known_chips.contains(&name) {
        judge.holds(subject, "known chip", name);
    } else {
        judge.lower(
            subject,
            "known chip",
            Tier::Manifests,
            format!("{name} is on no list of chips in known places"),
        );
    }
}
