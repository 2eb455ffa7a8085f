//! Evidence of AMD SEV-SNP: what is accepted, and what each change of it is refused for.

use crate::bundles::{judge, judge_by, policy_with};
use atoma_tee::{
    Bundle, Tier,
    bundle::PlatformEvidence,
    octets::Octets,
    snp::{SnpEvidence, SnpProduct, SnpTcb},
    testing::{AT, SnpClaims, SnpMaker},
};

fn genoa() -> SnpMaker {
    SnpMaker::new(SnpProduct::Genoa)
}

/// The refusals of a guest that claims this.
fn refused(maker: &SnpMaker, claims: &SnpClaims) -> Vec<&'static str> {
    judge(&maker.bundle(claims), &maker.roots()).refusals()
}

/// A good bundle whose evidence was changed afterwards.
fn tampered(maker: &SnpMaker, change: impl Fn(&mut SnpEvidence)) -> Vec<&'static str> {
    let mut bundle = maker.bundle(&SnpClaims::default());
    let PlatformEvidence::Snp(evidence) = &mut bundle.platform else {
        unreachable!("the maker makes this kind");
    };
    change(evidence);
    judge(&bundle, &maker.roots()).refusals()
}

#[test]
fn genoa_and_turin_are_accepted_in_each_layout() {
    for product in [SnpProduct::Genoa, SnpProduct::Turin] {
        let maker = SnpMaker::with_rsa(product);
        for version in [2, 3, 4, 5] {
            let claims = SnpClaims {
                version,
                ..SnpClaims::default()
            };
            assert_eq!(refused(&maker, &claims), [""; 0], "{product} {version}");
        }
    }
    let claims = SnpClaims {
        version: 6,
        ..SnpClaims::default()
    };
    assert_eq!(refused(&genoa(), &claims), ["snp_version"]);
}

/// Milan's keys can be extracted by software, so its reports prove nothing.
#[test]
fn milan_refused() {
    let maker = SnpMaker::new(SnpProduct::Milan);
    assert_eq!(
        refused(&maker, &SnpClaims::default()),
        ["policy_snp_product"]
    );
}

#[test]
fn debugging_and_migration_are_refused() {
    let with = |policy| SnpClaims {
        policy,
        ..SnpClaims::default()
    };
    let maker = genoa();
    assert_eq!(refused(&maker, &with(0xb_0000)), ["policy_snp_debug"]);
    assert_eq!(refused(&maker, &with(0x7_0000)), ["policy_snp_migration"]);
    assert_eq!(refused(&maker, &with(0x1_0000)), ["snp_guest_policy"]);
    assert_eq!(
        refused(&maker, &with(1 << 26 | 0x3_0000)),
        ["snp_guest_policy"]
    );
}

/// Two threads on a core let one see the other's work where microcode isn't patched.
#[test]
fn smt_needs_patched_microcode() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    let later = policy_with("smt_from_microcode = 0x90", "smt_from_microcode = 0x91");
    let verdict = judge_by(&bundle, &maker.roots(), &later);
    assert_eq!(verdict.refusals(), ["policy_snp_smt"]);
    let never = policy_with("smt_from_microcode = 0x90", "");
    let verdict = judge_by(&bundle, &maker.roots(), &never);
    assert_eq!(verdict.refusals(), ["policy_snp_smt"]);
    let alone = SnpClaims {
        policy: 0x2_0000,
        platform: 0x20,
        ..SnpClaims::default()
    };
    let bundle = maker.bundle(&alone);
    assert!(judge_by(&bundle, &maker.roots(), &never).accepted());
}

/// The floor is held against what AMD has certified, and a report can't claim more than that.
#[test]
fn tcb_floor_reads_the_certificate() {
    let mut maker = genoa();
    let old = SnpTcb {
        snp: 22,
        ..SnpMaker::TCB
    };
    let chip = maker.chip_id;
    maker.chip = SnpMaker::certify(&maker.intermediate, maker.product, &chip, old);
    // the report says 23
    assert_eq!(refused(&maker, &SnpClaims::default()), ["snp_tcb"]);
    let honest = SnpClaims {
        tcb: old,
        ..SnpClaims::default()
    };
    assert_eq!(refused(&maker, &honest), ["policy_snp_tcb"]);
}

/// A memory module that answers at two addresses lets its owner replay memory.
#[test]
fn memory_alias_check_required() {
    let maker = genoa();
    let claims = SnpClaims {
        platform: 1,
        ..SnpClaims::default()
    };
    assert_eq!(refused(&maker, &claims), ["policy_snp_alias_check"]);
}

#[test]
fn skipped_check_lowers_the_tier() {
    let maker = genoa();
    let lax = "[snp]\nalias_check_missing = \"lowers_tier\"\nrevocations_missing = \"lowers_tier\"\n[snp.genoa]";
    let claims = SnpClaims {
        platform: 1,
        ..SnpClaims::default()
    };
    let judged = |bundle: &Bundle, tier: &str| {
        let text = atoma_tee::testing::policy_text()
            .replace("[snp.genoa]", lax)
            .replace("tier = \"attested\"", &format!("tier = \"{tier}\""));
        judge_by(
            bundle,
            &maker.roots(),
            &atoma_tee::Policy::from_toml(&text).unwrap(),
        )
    };
    let unchecked = maker.bundle(&claims);
    assert_eq!(judged(&unchecked, "partial").tier, Some(Tier::Partial));
    assert_eq!(judged(&unchecked, "attested").refusals(), ["policy_tier"]);
    let mut unlisted = maker.bundle(&SnpClaims::default());
    if let PlatformEvidence::Snp(evidence) = &mut unlisted.platform {
        evidence.revocations = None;
    }
    assert_eq!(judged(&unlisted, "partial").tier, Some(Tier::Partial));
    assert_eq!(
        judge(&unlisted, &maker.roots()).refusals(),
        ["policy_snp_revocations"]
    );
}

#[test]
fn unknown_chip_is_a_lower_tier() {
    let maker = genoa();
    let bundle = maker.bundle(&SnpClaims::default());
    assert_eq!(judge(&bundle, &maker.roots()).tier, Some(Tier::Manifests));
    let known = policy_with(
        "[[releases]]",
        &format!("known_chips = [\"{}\"]\n[[releases]]", maker.chip_id),
    );
    assert_eq!(
        judge_by(&bundle, &maker.roots(), &known).tier,
        Some(Tier::Known)
    );
    let asked = policy_with("tier = \"attested\"", "tier = \"known\"");
    let verdict = judge_by(&bundle, &maker.roots(), &asked);
    assert_eq!(verdict.refusals(), ["policy_tier"]);
}

/// A report with the measurement of a release, signed by a key that AMD doesn't vouch for.
#[test]
fn right_measurement_wrong_signature() {
    let (maker, other) = (genoa(), genoa());
    let stranger = other.bundle(&SnpClaims::default());
    assert_eq!(
        judge(&stranger, &maker.roots()).refusals(),
        ["certificate_root"]
    );
    let report = match &stranger.platform {
        PlatformEvidence::Snp(evidence) => evidence.report.clone(),
        _ => unreachable!("the maker makes this kind"),
    };
    let refusals = tampered(&maker, |evidence| evidence.report = report.clone());
    assert_eq!(refusals, ["snp_signature"]);
}

#[test]
fn a_certificate_of_another_chip_is_refused() {
    let mut maker = genoa();
    maker.chip_id = Octets([0xc3; 64]);
    assert_eq!(refused(&maker, &SnpClaims::default()), ["snp_chip"]);
    // a masked chip
    maker.chip_id = Octets([0; 64]);
    assert_eq!(refused(&maker, &SnpClaims::default()), ["snp_chip"]);
}

#[test]
fn a_key_that_is_no_chips_own_is_refused() {
    let claims = SnpClaims {
        key_flags: 1 << 2,
        ..SnpClaims::default()
    };
    assert_eq!(refused(&genoa(), &claims), ["snp_signature_key"]);
}

#[test]
fn a_low_privilege_level_is_refused() {
    let claims = SnpClaims {
        vmpl: 1,
        ..SnpClaims::default()
    };
    assert_eq!(refused(&genoa(), &claims), ["policy_snp_vmpl"]);
}

#[test]
fn a_revoked_intermediate_is_refused() {
    let maker = genoa();
    let serial = &maker.intermediate.serial[..];
    let list = |from, until, serials: &[&[u8]]| {
        let list = maker.root.revoke(serials, from, until);
        Some(list.try_into().unwrap())
    };
    let with = |list| {
        tampered(&maker, |evidence| {
            evidence.revocations = Clone::clone(&list);
        })
    };
    assert_eq!(with(list(AT, AT + 1, &[&[9]])), [""; 0]);
    assert_eq!(
        with(list(AT, AT + 1, &[&[9], serial])),
        ["certificate_revoked"]
    );
    assert_eq!(with(list(AT - 9, AT - 1, &[])), ["revocation_list_time"]);
    assert_eq!(with(list(AT + 1, AT + 9, &[])), ["revocation_list_time"]);
    let other = genoa().root.revoke(&[], AT, AT + 1);
    assert_eq!(
        with(Some(other.try_into().unwrap())),
        ["revocation_list_signature"]
    );
}
