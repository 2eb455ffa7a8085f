//! A keyset, and a policy that accepts what the makers of this module make.

use crate::{
    bundle::{Bundle, PlatformEvidence},
    keyset::{Keyset, SealingKeyEntry, SealingSuite},
    nvidia::{DeviceEvidence, ManifestBytes},
    octets::{Digest, Octets},
    policy::Policy,
    roots::Roots,
    statement::{Freshness, FreshnessKind},
    x509::Pin,
};
use atoma_types::{NetworkId, NodeId, ObjectId, PublicKey, TimestampMs, message::Domain};

/// The time of all samples: 18 November 2026, in seconds since 1970.
pub const AT: i64 = 1_795_000_000;

/// The same in milliseconds.
#[must_use]
pub fn now() -> TimestampMs {
    TimestampMs(AT as u64 * 1_000)
}

/// The release of all samples.
#[must_use]
pub fn release() -> Digest {
    Octets([0x0e; 32])
}

/// A node's keys for an hour.
#[must_use]
pub fn keyset() -> Keyset {
    let key = vec![0x0a; SealingSuite::XWingAes256Gcm.key_bytes()];
    let entry = SealingKeyEntry {
        id: 1,
        suite: SealingSuite::XWingAes256Gcm,
        key: key.try_into().expect("a short key"),
    };
    Keyset {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        package: ObjectId::new([2; 32]),
        node: NodeId(ObjectId::new([3; 32])),
        release: release(),
        models: Octets([0; 32]),
        sealing_keys: vec![entry].try_into().expect("one key"),
        receipt_key: PublicKey([5; 32]),
        tls_key: None,
        not_before: TimestampMs(now().0 - 600_000),
        not_after: TimestampMs(now().0 + 3_000_000),
    }
}

/// Freshness by a checkpoint of five minutes ago.
#[must_use]
pub fn freshness() -> Freshness {
    Freshness::new(
        keyset().node,
        FreshnessKind::Checkpoint {
            sequence: 7,
            digest: Octets([6; 32]),
            timestamp: TimestampMs(now().0 - 300_000),
        },
    )
}

/// The text of a policy that accepts the samples.
#[must_use]
pub fn policy_text() -> String {
    let network = "01".repeat(32);
    let release = release();
    let snp = "07".repeat(48);
    format!(
        r#"
tier = "attested"
networks = ["{network}"]
max_checkpoint_age_ms = 3600000
max_keyset_lifetime_ms = 7200000

[[releases]]
id = "{release}"
name = "sample"
snp = ["{snp}"]

[snp.genoa]
floor = {{ boot = 10, snp = 23, microcode = 80 }}
smt_from_microcode = 0x90

[snp.turin]
floor = {{ boot = 10, snp = 23, microcode = 80 }}
smt_from_microcode = 0x90
"#
    )
}

/// The policy of [`policy_text`].
#[must_use]
pub fn policy() -> Policy {
    Policy::from_toml(&policy_text()).expect("a policy")
}

/// Roots that vouch for nothing, for a test to put its own into.
#[must_use]
pub fn no_roots() -> Roots {
    let none = Pin(Octets([0; 32]));
    Roots {
        snp: Vec::new(),
        intel: none,
        nitro: none,
        nvidia_devices: none,
        nvidia_manifests: none,
    }
}

/// A bundle over the sample keyset, whose platform `evidence` makes for given report data.
#[must_use]
pub fn bundle(
    devices: Vec<DeviceEvidence>,
    manifests: Vec<ManifestBytes>,
    evidence: impl Fn(Octets<64>) -> PlatformEvidence,
) -> Bundle {
    let mut bundle = Bundle {
        domain: Domain::default(),
        keyset: keyset(),
        freshness: freshness(),
        platform: evidence(Octets([0; 64])),
        devices: devices.try_into().expect("few devices"),
        manifests: manifests.try_into().expect("few manifests"),
    };
    bundle.platform = evidence(bundle.report_data());
    bundle
}
