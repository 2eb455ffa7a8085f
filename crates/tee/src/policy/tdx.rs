//! What a policy says about Intel TDX.

use super::{PolicyFault, chips::judge_chip};
use crate::{
    octets::{Digest, Measurement},
    tdx::TdxGuest,
    verdict::Judge,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rules for TDX. Debugging and migration are never allowed, so there are no keys for them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TdxPolicy {
    /// The platform's states that are accepted, in Intel's words: `UpToDate`.
    pub statuses: BTreeSet<String>,
    /// Advisories that the platform may not have mended yet; left out, none.
    #[serde(default)]
    pub advisories: BTreeSet<String>,
    /// Least number of Intel's evaluation by which the state is judged.
    #[serde(default)]
    pub min_evaluation: u32,
    /// Platforms to which packages may be added after their keys were made: all large clouds'.
    pub allow_dynamic_platform: bool,
    /// Platforms that keep their root keys with Intel's service: all large clouds'.
    pub allow_cached_keys: bool,
    /// Platforms on which two threads share a core: most.
    pub allow_smt: bool,
}

/// What a guest of a release measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TdxMeasurements {
    /// Its virtual firmware.
    pub mrtd: Measurement,
    /// The machine's set-up: memory, tables of devices.
    pub rtmr0: Measurement,
    /// The digest of the kernel that the firmware started.
    pub rtmr1: Measurement,
    /// The kernel's arguments, and the disk it starts with.
    pub rtmr2: Measurement,
    /// What it runs, by the event `compose-hash`; left out, nothing may be measured at run time.
    pub compose: Option<Digest>,
}

const SUBJECT: &str = "tdx";

/// Holds a guest whose quote is true against the policy.
pub(crate) fn judge(
    rules: Option<&TdxPolicy>,
    known_chips: &BTreeSet<String>,
    measurements: Option<&[TdxMeasurements]>,
    guest: &TdxGuest,
    judge: &mut Judge,
) {
    judge.ends_at_second(guest.not_after);
    let Some(rules) = rules else {
        judge.refuse(SUBJECT, "platform", PolicyFault::Platform);
        return;
    };
    let advisories = &guest.advisories;
    let accepted = rules.statuses.contains(&guest.status)
        && advisories.iter().all(|one| rules.advisories.contains(one));
    let state = match advisories.is_empty() {
        true => guest.status.clone(),
        false => format!("{}, {}", guest.status, advisories.join(", ")),
    };
    judge.require(SUBJECT, "state", accepted, PolicyFault::TdxStatus, state);
    let evaluation = guest.evaluation;
    judge.require(
        SUBJECT,
        "evaluation",
        evaluation >= rules.min_evaluation,
        PolicyFault::TdxEvaluation,
        evaluation.to_string(),
    );
    judge.holds(SUBJECT, "debugging, migration", "not allowed");
    judge_set_up(rules, guest, judge);
    if let Some(measurements) = measurements {
        let fits = measurements
            .iter()
            .any(|allowed| measures_as(guest, allowed));
        judge.require(
            SUBJECT,
            "measurement",
            fits,
            PolicyFault::Measurement,
            guest.mrtd.to_string(),
        );
    }
    judge_chip(known_chips, SUBJECT, &guest.platform, judge);
}

fn judge_set_up(rules: &TdxPolicy, guest: &TdxGuest, judge: &mut Judge) {
    let set_up = guest.set_up;
    let allowed = (rules.allow_dynamic_platform || !set_up.dynamic_platform)
        && (rules.allow_cached_keys || !set_up.cached_keys)
        && (rules.allow_smt || !set_up.smt);
    judge.require(
        SUBJECT,
        "set-up",
        allowed,
        PolicyFault::TdxSetUp,
        set_up.to_string(),
    );
}

fn measures_as(guest: &TdxGuest, allowed: &TdxMeasurements) -> bool {
    let [rtmr0, rtmr1, rtmr2, rtmr3] = guest.registers;
    let runs = match allowed.compose {
        Some(compose) => guest.compose.as_deref() == Some(&compose.0[..]),
        None => rtmr3.is_zero(),
    };
    runs && guest.mrtd == allowed.mrtd
        && [rtmr0, rtmr1, rtmr2] == [allowed.rtmr0, allowed.rtmr1, allowed.rtmr2]
}
