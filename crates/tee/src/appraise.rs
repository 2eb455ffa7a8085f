//! A bundle held against a policy at a given time.

use crate::{
    bundle::{Bundle, BundleFault, PlatformEvidence},
    octets::{Digest, Octets},
    policy::{self, Policy, PolicyFault, Release},
    roots::Roots,
    statement::FreshnessKind,
    verdict::{Judge, Verdict},
};
use atoma_types::{DurationMs, NodeId, TimestampMs};

/// By what a bundle is judged.
#[derive(Clone, Copy, Debug)]
pub struct Appraisal<'a> {
    /// Whose word counts.
    pub roots: &'a Roots,
    /// What is accepted.
    pub policy: &'a Policy,
    /// When: now, or when the bundle was registered.
    pub at: TimestampMs,
    /// What the asker knows beside the bundle.
    pub expected: Expected,
}

/// What whoever judges a bundle knows of it beforehand. Nothing is looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The node that was asked.
    pub node: Option<NodeId>,
    /// The nonce with which it was asked.
    pub nonce: Option<Octets<32>>,
    /// The digest of the bundle that the ledger has.
    pub digest: Option<Digest>,
}

const SUBJECT: &str = "bundle";

impl Appraisal<'_> {
    /// Judges `bundle`. Every check that can be made is made, so that a verdict has all reasons.
    #[must_use]
    pub fn judge(&self, bundle: &Bundle) -> Verdict {
        let mut judge = Judge::new();
        self.judge_keyset(bundle, &mut judge);
        self.judge_freshness(bundle, &mut judge);
        let release = self.judge_release(bundle, &mut judge);
        self.judge_platform(bundle, release, &mut judge);
        let rules = self.policy.devices.as_ref();
        let known_chips = &self.policy.known_chips;
        policy::judge_devices(
            rules,
            known_chips,
            self.roots,
            bundle,
            self.second(),
            &mut judge,
        );
        if let Some(tier) = judge.tier() {
            let enough = tier >= self.policy.tier;
            judge.require(SUBJECT, "tier", enough, PolicyFault::Tier, tier.to_string());
        }
        Verdict {
            node: bundle.keyset.node,
            keyset: bundle.keyset.digest(),
            statement: bundle.statement(),
            at: self.at,
            valid_until: judge.valid_until(),
            tier: judge.tier(),
            checks: judge.into_checks(),
        }
    }

    /// Seconds since 1970.
    fn second(&self) -> i64 {
        i64::try_from(self.at.0 / 1_000).unwrap_or(i64::MAX)
    }

    fn judge_keyset(&self, bundle: &Bundle, judge: &mut Judge) {
        let keyset = &bundle.keyset;
        if let Some(registered) = self.expected.digest {
            let same = bundle.digest() == registered;
            judge.require(
                SUBJECT,
                "registered",
                same,
                BundleFault::Digest,
                registered.to_string(),
            );
        }
        let known = self.policy.networks.contains(&keyset.network);
        judge.require(
            SUBJECT,
            "network",
            known,
            PolicyFault::Network,
            keyset.network.to_string(),
        );
        let asked = self.expected.node.is_none_or(|node| node == keyset.node);
        judge.require(
            SUBJECT,
            "node",
            asked,
            PolicyFault::Node,
            keyset.node.to_string(),
        );
        let keys = keyset.sealing_keys.len();
        judge.require(
            SUBJECT,
            "keys",
            keyset.keys_fit(),
            BundleFault::Keys,
            format!("{keys} for sealing, one for receipts"),
        );
        let lifetime = keyset.not_after.since(keyset.not_before);
        let fault = match () {
            () if self.at < keyset.not_before => Some(PolicyFault::KeysetNotYet),
            () if self.at >= keyset.not_after => Some(PolicyFault::KeysetExpired),
            () if lifetime > self.policy.max_keyset_lifetime_ms => {
                Some(PolicyFault::KeysetLifetime)
            }
            () => None,
        };
        match fault {
            Some(fault) => judge.refuse(SUBJECT, "lifetime", fault),
            None => judge.holds(SUBJECT, "lifetime", minutes(lifetime)),
        }
        judge.ends(keyset.not_after);
    }

    fn judge_freshness(&self, bundle: &Bundle, judge: &mut Judge) {
        let freshness = &bundle.freshness;
        if freshness.node != bundle.keyset.node {
            judge.refuse(SUBJECT, "freshness", BundleFault::FreshnessNode);
            return;
        }
        let fault = match (freshness.kind, self.expected.nonce) {
            (FreshnessKind::Nonce(answered), Some(asked)) if answered == asked => None,
            // a nonce of somebody else's says nothing of when
            (_, Some(_)) | (FreshnessKind::Nonce(_), None) => Some(PolicyFault::Nonce),
            (FreshnessKind::Checkpoint { timestamp, .. }, None) if timestamp > self.at => {
                Some(PolicyFault::CheckpointFuture)
            }
            (FreshnessKind::Checkpoint { timestamp, .. }, None) => {
                let end = timestamp.saturating_add(self.policy.max_checkpoint_age_ms);
                judge.ends(end);
                (end < self.at).then_some(PolicyFault::CheckpointAge)
            }
        };
        match (fault, freshness.kind) {
            (Some(fault), _) => judge.refuse(SUBJECT, "freshness", fault),
            (None, FreshnessKind::Nonce(_)) => {
                judge.holds(SUBJECT, "freshness", "the nonce asked with");
            }
            (
                None,
                FreshnessKind::Checkpoint {
                    sequence,
                    timestamp,
                    ..
                },
            ) => {
                let age = self.at.since(timestamp);
                judge.holds(
                    SUBJECT,
                    "freshness",
                    format!("checkpoint {sequence}, {} old", minutes(age)),
                );
            }
        }
    }

    fn judge_release(&self, bundle: &Bundle, judge: &mut Judge) -> Option<&Release> {
        match Release::find(&self.policy.releases, bundle.keyset.release, self.at) {
            Ok(release) => {
                judge.holds(SUBJECT, "release", &release.name);
                if let Some(until) = release.until_ms {
                    judge.ends(until);
                }
                Some(release)
            }
            Err(fault) => {
                judge.refuse(SUBJECT, "release", fault);
                None
            }
        }
    }

    fn judge_platform(&self, bundle: &Bundle, release: Option<&Release>, judge: &mut Judge) {
        let at = self.second();
        let policy = self.policy;
        let known = &policy.known_chips;
        match &bundle.platform {
            PlatformEvidence::Snp(evidence) => match evidence.verify(&self.roots.snp, at) {
                Ok(guest) => {
                    let maker = format!("by a chip of AMD's, {}", guest.product);
                    judge.holds("snp", "report", maker);
                    bind(bundle, "snp", Some(guest.report_data), judge);
                    let measurements = release.map(|release| &release.snp);
                    policy::judge_snp(policy.snp.as_ref(), known, measurements, &guest, judge);
                }
                Err(fault) => judge.refuse("snp", "report", fault),
            },
            PlatformEvidence::Tdx(evidence) => match evidence.verify(self.roots.intel, at) {
                Ok(guest) => {
                    judge.holds("tdx", "quote", "by a platform of Intel's");
                    let events = evidence.events.len();
                    judge.holds(
                        "tdx",
                        "event log",
                        format!("{events} events lead to the registers"),
                    );
                    bind(bundle, "tdx", Some(guest.report_data), judge);
                    let measurements = release.map(|release| &release.tdx[..]);
                    policy::judge_tdx(policy.tdx.as_ref(), known, measurements, &guest, judge);
                }
                Err(fault) => judge.refuse("tdx", "quote", fault),
            },
            PlatformEvidence::Nitro(evidence) => match evidence.verify(self.roots.nitro, at) {
                Ok(guest) => {
                    judge.holds("nitro", "document", format!("by AWS, {}", guest.module));
                    bind(bundle, "nitro", guest.report_data(), judge);
                    let key = &bundle.keyset.receipt_key;
                    let measurements = release.map(|release| &release.nitro[..]);
                    let rules = policy.nitro.as_ref();
                    policy::judge_nitro(rules, known, measurements, key, &guest, judge);
                }
                Err(fault) => judge.refuse("nitro", "document", fault),
            },
            PlatformEvidence::Software(evidence) => {
                bind(bundle, "software", Some(evidence.report_data), judge);
                let measurements = release.map(|release| &release.software);
                policy::judge_software(policy.software.as_ref(), measurements, evidence, judge);
            }
        }
    }
}

/// A length of time for people.
fn minutes(length: DurationMs) -> String {
    format!("{} min", length.0 / 60_000)
}

/// The report must have been asked to sign the statement over this very bundle.
fn bind(bundle: &Bundle, subject: &str, report_data: Option<Octets<64>>, judge: &mut Judge) {
    judge.require(
        subject,
        "report data",
        report_data == Some(bundle.report_data()),
        BundleFault::ReportData,
        "binds keyset, devices and freshness",
    );
}
