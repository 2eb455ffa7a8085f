//! What a policy says about software that acts as hardware.

use super::{Policy, PolicyFault, Release};
use crate::{software::SoftwareEvidence, tier::Tier, verdict::Judge};
use serde::Deserialize;

/// Accepts software that acts as hardware, in the tier `software`; for development only.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwarePolicy {}

const SUBJECT: &str = "software";

/// Holds such evidence against the policy.
pub(crate) fn judge(
    policy: &Policy,
    release: Option<&Release>,
    evidence: &SoftwareEvidence,
    judge: &mut Judge,
) {
    if policy.software.is_none() {
        judge.refuse(SUBJECT, "platform", PolicyFault::Platform);
        return;
    }
    judge.lower(
        SUBJECT,
        "platform",
        Tier::Software,
        "software acts as hardware and protects against nobody",
    );
    if let Some(release) = release {
        judge.require(
            SUBJECT,
            "measurement",
            release.software.contains(&evidence.measurement),
            PolicyFault::Measurement,
            evidence.measurement.to_string(),
        );
    }
}
