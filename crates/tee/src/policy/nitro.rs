//! What a policy says about AWS Nitro.

use super::{PolicyFault, chips::judge_chip};
use crate::{nitro::NitroGuest, octets::Measurement, verdict::Judge};
use atoma_types::PublicKey;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rules for Nitro. Debug mode is never allowed, so there is no key for it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NitroPolicy {}

/// What an enclave of a release measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NitroMeasurements {
    /// The digest of the whole image.
    pub pcr0: Measurement,
    /// Kernel and boot.
    pub pcr1: Measurement,
    /// The digest of the application, without kernel and boot.
    pub pcr2: Measurement,
}

const SUBJECT: &str = "nitro";

/// Holds an enclave whose document is true against the policy.
pub(crate) fn judge(
    rules: Option<&NitroPolicy>,
    known_chips: &BTreeSet<String>,
    measurements: Option<&[NitroMeasurements]>,
    receipt_key: &PublicKey,
    guest: &NitroGuest,
    judge: &mut Judge,
) {
    judge.ends_at_second(guest.not_after);
    if rules.is_none() {
        judge.refuse(SUBJECT, "platform", PolicyFault::Platform);
        return;
    }
    let module = &guest.module;
    judge.require(
        SUBJECT,
        "debugging",
        !guest.debug(),
        PolicyFault::NitroDebug,
        "not allowed",
    );
    let named = guest.public_key.as_deref() == Some(&receipt_key.0);
    judge.require(
        SUBJECT,
        "public key",
        named,
        PolicyFault::NitroKey,
        "the receipt key",
    );
    if let Some(measurements) = measurements {
        let register = |n| guest.registers.get(&n).copied();
        let fits = measurements.iter().any(|allowed| {
            register(0) == Some(allowed.pcr0)
                && register(1) == Some(allowed.pcr1)
                && register(2) == Some(allowed.pcr2)
        });
        judge.require(
            SUBJECT,
            "measurement",
            fits,
            PolicyFault::Measurement,
            module,
        );
    }
    judge_chip(known_chips, SUBJECT, module.as_bytes(), judge);
}
