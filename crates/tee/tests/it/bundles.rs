//! What holds for bundles of every platform: keyset, freshness, release, binding.

use atoma_tee::{
    Appraisal, Bundle, Policy, Roots, Tier, Verdict,
    appraise::Expected,
    bounded::List,
    bundle::PlatformEvidence,
    octets::Octets,
    snp::SnpProduct,
    statement::{Freshness, FreshnessKind},
    testing::{SnpClaims, SnpMaker, now, policy, policy_text},
};
use atoma_types::{NetworkId, NodeId, ObjectId, TimestampMs};

/// Judged now, by the sample policy.
pub(crate) fn judge(bundle: &Bundle, roots: &Roots) -> Verdict {
    judge_by(bundle, roots, &policy())
}

/// Judged now, by this policy.
pub(crate) fn judge_by(bundle: &Bundle, roots: &Roots, policy: &Policy) -> Verdict {
    judge_for(bundle, roots, policy, Expected::default())
}

fn judge_for(bundle: &Bundle, roots: &Roots, policy: &Policy, expected: Expected) -> Verdict {
    let appraisal = Appraisal {
        roots,
        policy,
        at: now(),
        expected,
    };
    appraisal.judge(bundle)
}

/// The sample policy with one text replaced by another.
pub(crate) fn policy_with(from: &str, to: &str) -> Policy {
    let text = policy_text();
    assert!(text.contains(from), "{from}");
    Policy::from_toml(&text.replace(from, to)).unwrap()
}

fn genoa() -> SnpMaker {
    SnpMaker::new(SnpProduct::Genoa)
}

/// A genuine guest that says it has `change`d keys.
fn changed(maker: &SnpMaker, change: impl Fn(&mut Bundle)) -> Bundle {
    let mut bundle = maker.bundle(&SnpClaims::default());
    change(&mut bundle);
    let claims = SnpClaims {
        report_data: bundle.report_data(),
        ..SnpClaims::default()
    };
    bundle.platform = PlatformEvidence::Snp(maker.evidence(&claims));
    bundle
}

#[test]
fn a_bundle_is_its_bytes_and_no_others() {
    let bundle = genoa().bundle(&SnpClaims::default());
    let bytes = bundle.to_bytes();
    assert_eq!(Bundle::from_bytes(&bytes).unwrap(), bundle);
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(
        Bundle::from_bytes(&longer).unwrap_err().code(),
        "bundle_encoding"
    );
    let shorter = &bytes[..bytes.len() - 1];
    assert_eq!(
        Bundle::from_bytes(shorter).unwrap_err().code(),
        "bundle_encoding"
    );
    let huge = vec![0; atoma_tee::limits::MAX_BUNDLE_BYTES + 1];
    assert_eq!(
        Bundle::from_bytes(&huge).unwrap_err().code(),
        "bundle_too_long"
    );
}

#[test]
fn a_verdict_says_what_was_checked_and_until_when_it_holds() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    let verdict = judge(&bundle, &maker.roots());
    assert_eq!(verdict.refusals(), [""; 0]);
    assert_eq!(verdict.tier, Some(Tier::Manifests));
    // the keyset ends before everything else but the freshness
    assert_eq!(verdict.valid_until, bundle.keyset.not_after);
    assert!(
        verdict
            .checks
            .iter()
            .any(|check| check.name == "report data")
    );
}

/// Sealed under another root than AMD's: whoever makes processors of their own.
#[test]
fn own_roots_are_not_the_makers() {
    let bundle = genoa().bundle(&SnpClaims::default());
    let verdict = judge(&bundle, &Roots::pinned());
    assert_eq!(verdict.refusals(), ["certificate_root"]);
}

/// What a node says beside its report counts for nothing: the statement is computed anew.
#[test]
fn json_report_data_ignored() {
    let maker = genoa();
    let mut bundle = maker.bundle(&SnpClaims::default());
    bundle.keyset.receipt_key.0[0] ^= 1;
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["bundle_report_data"]
    );
}

/// The host's own TLS key isn't in what the guest has said, and no host can put it there.
#[test]
fn tls_key_of_the_host_is_no_identity() {
    let maker = genoa();
    let mut bundle = maker.bundle(&SnpClaims::default());
    bundle.keyset.tls_key = Some(Octets([9; 32]));
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["bundle_report_data"]
    );
}

#[test]
fn a_stored_statement_is_stale() {
    let maker = genoa();
    let old = |bundle: &mut Bundle| {
        let fresh = FreshnessKind::Checkpoint {
            sequence: 1,
            digest: Octets([6; 32]),
            timestamp: TimestampMs(now().0 - 3_600_001),
        };
        bundle.freshness = Freshness::new(bundle.keyset.node, fresh);
    };
    let bundle = changed(&maker, old);
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["policy_checkpoint_age"]
    );
    // at the time of its registration it still holds
    let appraisal = Appraisal {
        roots: &maker.roots(),
        policy: &policy(),
        at: bundle.keyset.not_before,
        expected: Expected::default(),
    };
    assert!(appraisal.judge(&bundle).accepted());
}

#[test]
fn a_checkpoint_of_the_future_is_refused() {
    let maker = genoa();
    let later = |bundle: &mut Bundle| {
        let fresh = FreshnessKind::Checkpoint {
            sequence: 1,
            digest: Octets([6; 32]),
            timestamp: TimestampMs(now().0 + 1),
        };
        bundle.freshness = Freshness::new(bundle.keyset.node, fresh);
    };
    let bundle = changed(&maker, later);
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["policy_checkpoint_future"]
    );
}

#[test]
fn only_the_nonce_that_was_asked_with_counts() {
    let maker = genoa();
    let nonce = Octets([0x11; 32]);
    let asked = |bundle: &mut Bundle| {
        bundle.freshness = Freshness::new(bundle.keyset.node, FreshnessKind::Nonce(nonce));
    };
    let bundle = changed(&maker, asked);
    let with = |nonce| {
        let expected = Expected {
            nonce,
            ..Expected::default()
        };
        judge_for(&bundle, &maker.roots(), &policy(), expected).refusals()
    };
    assert_eq!(with(Some(nonce)), [""; 0]);
    assert_eq!(with(Some(Octets([0x12; 32]))), ["policy_nonce"]);
    assert_eq!(with(None), ["policy_nonce"]);
}

#[test]
fn freshness_is_for_one_node() {
    let maker = genoa();
    let other = NodeId(ObjectId::new([4; 32]));
    let bundle = changed(&maker, |bundle| bundle.freshness.node = other);
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["bundle_freshness_node"]
    );
}

/// The same release on a machine of somebody else: its node is another.
#[test]
fn same_software_on_another_machine_refused() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    let expected = Expected {
        node: Some(NodeId(ObjectId::new([4; 32]))),
        ..Expected::default()
    };
    let verdict = judge_for(&bundle, &maker.roots(), &policy(), expected);
    assert_eq!(verdict.refusals(), ["policy_node"]);
}

#[test]
fn a_keyset_of_another_network_or_time_is_refused() {
    let maker = genoa();
    let refused =
        |change: &dyn Fn(&mut Bundle)| judge(&changed(&maker, change), &maker.roots()).refusals();
    let network = |bundle: &mut Bundle| bundle.keyset.network = NetworkId([9; 32]);
    assert_eq!(refused(&network), ["policy_network"]);
    let early = |bundle: &mut Bundle| bundle.keyset.not_before = TimestampMs(now().0 + 1);
    assert_eq!(refused(&early), ["policy_keyset_not_yet"]);
    let over = |bundle: &mut Bundle| bundle.keyset.not_after = now();
    assert_eq!(refused(&over), ["policy_keyset_expired"]);
    let long = |bundle: &mut Bundle| bundle.keyset.not_after = TimestampMs(now().0 + 7_200_000);
    assert_eq!(refused(&long), ["policy_keyset_lifetime"]);
    let keyless = |bundle: &mut Bundle| bundle.keyset.sealing_keys = List::default();
    assert_eq!(refused(&keyless), ["bundle_keys"]);
}

/// A guest that says it is of a release, and measures as none that the policy has of it.
#[test]
fn unpublished_measurement_refused() {
    let maker = genoa();
    let claims = SnpClaims {
        measurement: Octets([8; 48]),
        ..SnpClaims::default()
    };
    let bundle = maker.bundle(&claims);
    assert_eq!(
        judge(&bundle, &maker.roots()).refusals(),
        ["policy_measurement"]
    );
    let unknown = changed(&maker, |bundle| bundle.keyset.release = Octets([0x0f; 32]));
    assert_eq!(
        judge(&unknown, &maker.roots()).refusals(),
        ["policy_release"]
    );
}

#[test]
fn a_release_counts_in_its_time_only() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    let judged = |rule: &str| {
        let policy = policy_with("name = \"sample\"", &format!("name = \"sample\"\n{rule}"));
        judge_by(&bundle, &maker.roots(), &policy).refusals()
    };
    let now = now().0;
    assert_eq!(judged(&format!("from_ms = {now}")), [""; 0]);
    assert_eq!(
        judged(&format!("from_ms = {}", now + 1)),
        ["policy_release_time"]
    );
    assert_eq!(
        judged(&format!("until_ms = {now}")),
        ["policy_release_time"]
    );
}

/// Certificates and lists have one form, too, where the ledger has the bundle's digest.
#[test]
fn the_registered_bundle_is_the_one() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    let other = maker.bundle(&SnpClaims::default());
    let digest = |digest| Expected {
        digest: Some(digest),
        ..Expected::default()
    };
    let roots = maker.roots();
    assert!(judge_for(&bundle, &roots, &policy(), digest(bundle.digest())).accepted());
    let verdict = judge_for(&bundle, &roots, &policy(), digest(other.digest()));
    assert_eq!(verdict.refusals(), ["bundle_digest"]);
}

#[test]
fn a_misspelt_rule_is_no_rule_and_milan_has_none() {
    let with = |line: &str| Policy::from_toml(&policy_text().replace("[snp.genoa]", line));
    assert!(with("[snp.genoa]").is_ok());
    assert!(with("[snp.geneva]").is_err());
    assert!(with("[snp.milan]").is_err());
}
