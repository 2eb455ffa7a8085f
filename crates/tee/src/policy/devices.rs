//! What a policy says about GPUs and switches.

use super::{Missing, PolicyFault, chips::judge_chip};
use crate::{
    bundle::Bundle,
    fault::Fault,
    nvidia::{Board, Device, DeviceKind, Manifest, ManifestFault, compare, one_board},
    octets::Digest,
    roots::Roots,
    tier::Tier,
    verdict::Judge,
    x509::Links,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rules for GPUs and switches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DevicePolicy {
    /// The fewest GPUs.
    #[serde(default)]
    pub min_gpus: usize,
    /// The products that are accepted, as their certificates call them: `GH100`, `LS10`.
    pub products: BTreeSet<String>,
    /// The drivers that are accepted; left out, any that the guest's release has measured.
    pub drivers: Option<BTreeSet<String>>,
    /// Where a device's manifests aren't all there: the tier is `attested` at most.
    #[serde(default)]
    pub manifests_missing: Missing,
    /// Where there are several GPUs and nothing ties them together.
    #[serde(default)]
    pub untied: Missing,
    /// Where not every certificate has a stored answer that it is good.
    #[serde(default)]
    pub revocations_missing: Missing,
    /// SHA-256 of manifests that don't count any more: NVIDIA has replaced some under their version.
    #[serde(default)]
    pub refused_manifests: BTreeSet<Digest>,
}

const BOARD: &str = "board";

/// Checks all devices and manifests of a bundle, and holds them against the policy.
pub(crate) fn judge(
    rules: Option<&DevicePolicy>,
    known_chips: &BTreeSet<String>,
    roots: &Roots,
    bundle: &Bundle,
    at: i64,
    judge: &mut Judge,
) {
    if bundle.devices.is_empty() && rules.is_none() {
        return;
    }
    let Some(rules) = rules else {
        judge.refuse(BOARD, "devices", PolicyFault::Devices);
        return;
    };
    let manifests = judge_manifests(rules, roots, bundle, at, judge);
    let nonce = bundle.device_nonce();
    let mut links = Links::default();
    let mut devices = Vec::new();
    for (i, evidence) in bundle.devices.iter().enumerate() {
        let subject = format!("device {i}");
        match Device::verify_with(evidence, roots.nvidia_devices, nonce, &mut links, at) {
            Ok(device) => {
                judge_device(known_chips, rules, &subject, &device, &manifests, judge);
                devices.push(device);
            }
            Err(fault) => judge.refuse(&subject, "report", fault),
        }
    }
    let gpus = devices.iter().filter(|one| one.kind == DeviceKind::Gpu);
    let count = gpus.count();
    judge.require(
        BOARD,
        "gpus",
        count >= rules.min_gpus,
        PolicyFault::Gpus,
        count.to_string(),
    );
    match (one_board(&devices), rules.untied) {
        (Ok(Board::Single), _) => {}
        (Ok(Board::One), _) => judge.holds(BOARD, "one board", "all GPUs name the same switches"),
        (Ok(Board::Untied), Missing::Refused) => {
            judge.refuse(BOARD, "one board", PolicyFault::Untied);
        }
        (Ok(Board::Untied), Missing::LowersTier) => {
            judge.lower(
                BOARD,
                "one board",
                Tier::Partial,
                PolicyFault::Untied.to_string(),
            );
        }
        (Err(fault), _) => judge.refuse(BOARD, "one board", fault),
    }
}

fn judge_manifests(
    rules: &DevicePolicy,
    roots: &Roots,
    bundle: &Bundle,
    at: i64,
    judge: &mut Judge,
) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    for (i, xml) in bundle.manifests.iter().enumerate() {
        let subject = format!("manifest {i}");
        match Manifest::verify(xml, roots.nvidia_manifests, at) {
            Ok(manifest) if rules.refused_manifests.contains(&manifest.digest) => {
                judge.refuse(&subject, "signature", PolicyFault::Manifest);
            }
            Ok(manifest) => {
                judge.ends_at_second(manifest.not_after);
                let (product, version) = (&manifest.product, &manifest.version);
                judge.holds(
                    &subject,
                    "signature",
                    format!("by NVIDIA, {product} {version}"),
                );
                manifests.push(manifest);
            }
            Err(fault) => judge.refuse(&subject, "signature", fault),
        }
    }
    manifests
}

fn judge_device(
    known_chips: &BTreeSet<String>,
    rules: &DevicePolicy,
    subject: &str,
    device: &Device,
    manifests: &[Manifest],
    judge: &mut Judge,
) {
    judge.ends_at_second(device.not_after);
    let what = match &device.driver {
        Some(driver) => format!(
            "{}, driver {driver}, firmware {}",
            device.product, device.firmware
        ),
        None => format!("{}, firmware {}", device.product, device.firmware),
    };
    judge.holds(subject, "report", format!("by a chip of NVIDIA's, {what}"));
    let known = rules.products.contains(&device.product);
    judge.require(
        subject,
        "product",
        known,
        PolicyFault::DeviceProduct,
        &device.product,
    );
    if let (Some(allowed), Some(driver)) = (&rules.drivers, &device.driver) {
        let known = allowed.contains(driver);
        judge.require(subject, "driver", known, PolicyFault::Driver, driver);
    }
    match (device.revocation_checked, rules.revocations_missing) {
        (true, _) => judge.holds(subject, "revocation", "NVIDIA's answers are good"),
        (false, Missing::Refused) => {
            judge.refuse(subject, "revocation", PolicyFault::DeviceRevocations);
        }
        (false, Missing::LowersTier) => {
            let fault = PolicyFault::DeviceRevocations;
            judge.lower(subject, "revocation", Tier::Partial, fault.to_string());
        }
    }
    match compare(device, manifests) {
        Ok(()) => judge.holds(subject, "measurements", "as NVIDIA has signed"),
        Err(fault @ Fault::Manifest(ManifestFault::Missing)) => match rules.manifests_missing {
            Missing::Refused => judge.refuse(subject, "measurements", fault),
            Missing::LowersTier => {
                judge.lower(subject, "measurements", Tier::Attested, fault.to_string());
            }
        },
        Err(fault) => judge.refuse(subject, "measurements", fault),
    }
    judge_chip(known_chips, subject, &device.chip.0, judge);
}
