//! What a policy says about AMD SEV-SNP.

use super::{Missing, PolicyFault, chips::judge_chip};
use crate::{
    octets::{Measurement, Octets},
    snp::{SnpGuest, SnpProduct, SnpTcb},
    tier::Tier,
    verdict::Judge,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rules for SEV-SNP. Debugging and migration are never allowed, so there is no key for them; nor
/// is Milan, whose keys can be extracted by software.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnpPolicy {
    /// Rules for Genoa; left out, it isn't accepted.
    pub genoa: Option<SnpProductPolicy>,
    /// Rules for Turin; left out, it isn't accepted.
    pub turin: Option<SnpProductPolicy>,
    /// The lowest privilege level that may ask for reports, as a number: 0 is the highest level.
    #[serde(default)]
    pub max_vmpl: u32,
    /// What the host may have given the guest at its start; left out, anything that the guest
    /// doesn't measure.
    pub host_data: Option<BTreeSet<Octets<32>>>,
    /// Where the firmware hasn't looked for memory with two addresses.
    #[serde(default)]
    pub alias_check_missing: Missing,
    /// Where AMD's revocation list isn't in the bundle.
    #[serde(default)]
    pub revocations_missing: Missing,
}

/// Rules for one generation.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnpProductPolicy {
    /// The oldest firmware.
    pub floor: SnpTcb,
    /// From this microcode on two threads may share a core; left out, they never may.
    pub smt_from_microcode: Option<u8>,
}

const SUBJECT: &str = "snp";

impl SnpPolicy {
    fn product(&self, product: SnpProduct) -> Option<&SnpProductPolicy> {
        match product {
            SnpProduct::Milan => None,
            SnpProduct::Genoa => self.genoa.as_ref(),
            SnpProduct::Turin => self.turin.as_ref(),
        }
    }
}

/// Holds a guest whose report is true against the policy.
pub(crate) fn judge(
    rules: Option<&SnpPolicy>,
    known_chips: &BTreeSet<String>,
    measurements: Option<&BTreeSet<Measurement>>,
    guest: &SnpGuest,
    judge: &mut Judge,
) {
    judge.ends_at_second(guest.not_after);
    let Some(rules) = rules else {
        judge.refuse(SUBJECT, "platform", PolicyFault::Platform);
        return;
    };
    match rules.product(guest.product) {
        None => judge.refuse(SUBJECT, "processor", PolicyFault::SnpProduct),
        Some(product) => {
            judge.holds(SUBJECT, "processor", format!("AMD EPYC {}", guest.product));
            judge_firmware(product, guest, judge);
        }
    }
    judge_settings(rules, guest, judge);
    if guest.revocation_checked {
        judge.holds(SUBJECT, "revocation", "not on AMD's list");
    } else {
        missing(
            judge,
            rules.revocations_missing,
            "revocation",
            PolicyFault::SnpRevocations,
        );
    }
    if let Some(measurements) = measurements {
        judge.require(
            SUBJECT,
            "measurement",
            measurements.contains(&guest.measurement),
            PolicyFault::Measurement,
            guest.measurement.to_string(),
        );
    }
    let chip = &guest.chip.0[..];
    let used = &chip[..guest.product.chip_bytes()];
    judge_chip(known_chips, SUBJECT, used, judge);
}

/// How the host started the guest, and what its firmware did for it.
fn judge_settings(rules: &SnpPolicy, guest: &SnpGuest, judge: &mut Judge) {
    let allowed = guest.policy;
    judge.require(
        SUBJECT,
        "debugging",
        !allowed.debug,
        PolicyFault::SnpDebug,
        "not allowed",
    );
    judge.require(
        SUBJECT,
        "migration",
        !allowed.migration,
        PolicyFault::SnpMigration,
        "not allowed",
    );
    let vmpl = guest.vmpl;
    judge.require(
        SUBJECT,
        "privilege level",
        vmpl <= rules.max_vmpl,
        PolicyFault::SnpVmpl,
        vmpl.to_string(),
    );
    if let Some(known) = &rules.host_data {
        judge.require(
            SUBJECT,
            "host data",
            known.contains(&guest.host_data),
            PolicyFault::SnpHostData,
            guest.host_data.to_string(),
        );
    }
    if guest.platform.alias_check {
        judge.holds(SUBJECT, "memory alias check", "done by the firmware");
    } else {
        missing(
            judge,
            rules.alias_check_missing,
            "memory alias check",
            PolicyFault::SnpAliasCheck,
        );
    }
}

/// Floors are held against the certificate's versions: the report's own are the firmware's word.
fn judge_firmware(rules: &SnpProductPolicy, guest: &SnpGuest, judge: &mut Judge) {
    let above = [guest.certified, guest.committed, guest.launched]
        .iter()
        .all(|tcb| tcb.at_least(&rules.floor));
    judge.require(
        SUBJECT,
        "firmware",
        above,
        PolicyFault::SnpTcb,
        guest.certified.to_string(),
    );
    let microcode = guest.certified.microcode;
    let smt_is_safe = rules
        .smt_from_microcode
        .is_some_and(|from| microcode >= from);
    if guest.policy.smt || guest.platform.smt {
        judge.require(
            SUBJECT,
            "shared cores",
            smt_is_safe,
            PolicyFault::SnpSmt,
            format!("two threads on a core, microcode {microcode}"),
        );
    } else {
        judge.holds(SUBJECT, "shared cores", "one thread on a core");
    }
}

fn missing(judge: &mut Judge, rule: Missing, name: &'static str, fault: PolicyFault) {
    match rule {
        Missing::Refused => judge.refuse(SUBJECT, name, fault),
        Missing::LowersTier => judge.lower(SUBJECT, name, Tier::Partial, fault.to_string()),
    }
}
