//! What a policy says about software that acts as hardware.

use super::PolicyFault;
use crate::{octets::Measurement, software::SoftwareEvidence, tier::Tier, verdict::Judge};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Accepts software that acts as hardware, in the tier `software`; for development only.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwarePolicy {}

const SUBJECT: &str = "software";

/// Holds such evidence against the policy.
pub(crate) fn judge(
    rules: Option<&SoftwarePolicy>,
    measurements: Option<&BTreeSet<Measurement>>,
    evidence: &SoftwareEvidence,
    judge: &mut Judge,
) {
    if rules.is_none() {
        judge.refuse(SUBJECT, "platform", PolicyFault::Platform);
        return;
    }
    judge.lower(
        SUBJECT,
        "platform",
        Tier::Software,
        "software acts as hardware and protects against nobody",
    );
    if let Some(measurements) = measurements {
        judge.require(
            SUBJECT,
            "measurement",
            measurements.contains(&evidence.measurement),
            PolicyFault::Measurement,
            evidence.measurement.to_string(),
        );
    }
}
