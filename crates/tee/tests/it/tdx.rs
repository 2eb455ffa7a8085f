//! Evidence of Intel TDX: what is accepted, and what each change of it is refused for.

use crate::{bundles::judge_by, flips::accepted_by};
use atoma_tee::{
    Bundle, Policy, Tier,
    bundle::PlatformEvidence,
    octets::Octets,
    tdx::{Event, TdxEvidence},
    testing::{self, AT, TdxClaims, TdxMaker},
};

fn bundle(maker: &TdxMaker, claims: &TdxClaims) -> Bundle {
    testing::bundle(Vec::new(), Vec::new(), |report_data| {
        let claims = TdxClaims {
            report_data,
            ..claims.clone()
        };
        PlatformEvidence::Tdx(maker.evidence(&claims))
    })
}

/// A policy that accepts a guest with the events of [`TdxMaker::events`], running `compose`.
fn policy_text(compose: &str) -> String {
    let mrtd = "30".repeat(48);
    let [rtmr0, rtmr1, rtmr2, _] = TdxMaker::registers(&TdxMaker::events(&[]));
    let rules = format!(
        r#"
[[releases.tdx]]
mrtd = "{mrtd}"
rtmr0 = "{rtmr0}"
rtmr1 = "{rtmr1}"
rtmr2 = "{rtmr2}"
{compose}

[tdx]
statuses = ["UpToDate"]
allow_dynamic_platform = true
allow_cached_keys = true
allow_smt = true

[snp.genoa]"#
    );
    testing::policy_text().replace("[snp.genoa]", &rules)
}

fn policy() -> Policy {
    let compose = "cc".repeat(32);
    Policy::from_toml(&policy_text(&format!("compose = \"{compose}\""))).unwrap()
}

fn refused(claims: &TdxClaims) -> Vec<&'static str> {
    let maker = TdxMaker::new();
    judge_by(&bundle(&maker, claims), &maker.roots(), &policy()).refusals()
}

/// The refusals of a good bundle whose evidence was changed afterwards.
fn tampered(maker: &TdxMaker, change: impl Fn(&mut TdxEvidence)) -> Vec<&'static str> {
    let mut bundle = bundle(maker, &TdxClaims::default());
    let PlatformEvidence::Tdx(evidence) = &mut bundle.platform else {
        unreachable!("the maker makes this kind");
    };
    change(evidence);
    judge_by(&bundle, &maker.roots(), &policy()).refusals()
}

#[test]
fn a_guest_of_a_release_is_accepted() {
    let maker = TdxMaker::new();
    let verdict = judge_by(
        &bundle(&maker, &TdxClaims::default()),
        &maker.roots(),
        &policy(),
    );
    assert_eq!(verdict.refusals(), [""; 0]);
    assert_eq!(verdict.tier, Some(Tier::Manifests));
}

#[test]
fn compose_hash_not_allowed() {
    let other = TdxClaims {
        events: TdxMaker::events(&[0xcd; 32]),
        ..TdxClaims::default()
    };
    assert_eq!(refused(&other), ["policy_measurement"]);
    // a release that measures nothing at run time
    let maker = TdxMaker::new();
    let without = Policy::from_toml(&policy_text("")).unwrap();
    let bare =
        |claims: &TdxClaims| judge_by(&bundle(&maker, claims), &maker.roots(), &without).refusals();
    assert_eq!(bare(&TdxClaims::default()), ["policy_measurement"]);
    let mut quiet = TdxClaims::default();
    quiet.events.truncate(3);
    assert_eq!(bare(&quiet), [""; 0]);
}

/// The host writes the tables of devices, and the firmware measures them.
#[test]
fn changed_acpi_tables_change_an_allowed_register() {
    let mut claims = TdxClaims::default();
    claims.events[0].digest = Octets([0x4f; 48]);
    assert_eq!(refused(&claims), ["policy_measurement"]);
}

/// What the host hands over beside the measured log isn't in the format at all, and an event that
/// claims what its digest doesn't say is refused.
#[test]
fn environment_outside_the_measurement_decides_nothing() {
    let maker = TdxMaker::new();
    let renamed = tampered(&maker, |evidence| {
        let mut events = evidence.events.to_vec();
        events[3].payload = vec![0xee; 20].try_into().unwrap();
        evidence.events = events.try_into().unwrap();
    });
    assert_eq!(renamed, ["tdx_event_digest"]);
    let annotated = tampered(&maker, |evidence| {
        let mut events = evidence.events.to_vec();
        events[0].payload = vec![0xee; 20].try_into().unwrap();
        evidence.events = events.try_into().unwrap();
    });
    assert_eq!(annotated, ["tdx_event_form"]);
}

/// An event that begins with the name of another: told apart elsewhere, it has the same digest.
#[test]
fn an_events_name_ends_at_its_first_colon() {
    let mut claims = TdxClaims::default();
    let other = Event::at_run_time("compose-hash:x", b"y").unwrap();
    claims.events[4] = other.clone();
    assert_eq!(refused(&claims), ["tdx_event_form"]);
    let named = Event::at_run_time("compose-hash", b"x:y").unwrap();
    assert_eq!(named.digest, other.digest);
    claims.events[4] = named;
    assert_eq!(refused(&claims), ["policy_measurement"]);
}

/// A log with more than the quote has, or a second word on what runs.
#[test]
fn nothing_is_added_after_hashing() {
    let maker = TdxMaker::new();
    let event = Event::at_run_time("compose-hash", &[0xcc; 32]).unwrap();
    let added = tampered(&maker, |evidence| {
        let events = [&evidence.events[..], std::slice::from_ref(&event)].concat();
        evidence.events = events.try_into().unwrap();
    });
    assert_eq!(added, ["tdx_event_log"]);
    let mut twice = TdxClaims::default();
    twice.events.push(event);
    assert_eq!(refused(&twice), ["tdx_event_twice"]);
}

#[test]
fn debugging_and_migration_are_refused() {
    let with = |attributes| TdxClaims {
        attributes,
        ..TdxClaims::default()
    };
    for attributes in [1 << 28 | 1, 1 << 28 | 1 << 29, 0] {
        let refusals = refused(&with(attributes));
        assert_eq!(refusals, ["tdx_attributes"], "{attributes:x}");
    }
}

#[test]
fn a_platform_with_known_weaknesses_is_refused() {
    let outdated = TdxClaims {
        status: "OutOfDate",
        ..TdxClaims::default()
    };
    assert_eq!(refused(&outdated), ["policy_tdx_status"]);
    let stale = TdxClaims {
        next_update: "2026-11-17T00:00:00Z",
        ..TdxClaims::default()
    };
    assert_eq!(refused(&stale), ["tdx_statement_time"]);
    let future = TdxClaims {
        issued: "2026-11-19T00:00:00Z",
        ..TdxClaims::default()
    };
    assert_eq!(refused(&future), ["tdx_statement_time"]);
}

#[test]
fn a_set_up_that_the_policy_does_not_allow_is_refused() {
    let maker = TdxMaker::new();
    let compose = format!("compose = \"{}\"", "cc".repeat(32));
    for rule in ["allow_dynamic_platform", "allow_cached_keys", "allow_smt"] {
        let text = policy_text(&compose);
        let text = text.replace(&format!("{rule} = true"), &format!("{rule} = false"));
        let policy = Policy::from_toml(&text).unwrap();
        let verdict = judge_by(
            &bundle(&maker, &TdxClaims::default()),
            &maker.roots(),
            &policy,
        );
        assert_eq!(verdict.refusals(), ["policy_tdx_set_up"], "{rule}");
    }
}

#[test]
fn revoked_platforms_and_authorities_are_refused() {
    let maker = TdxMaker::new();
    let platform = maker
        .authority
        .revoke(&[&maker.platform.serial], AT, AT + 9);
    let refusals = tampered(&maker, |evidence| {
        evidence.collateral.platform_revocations = platform.clone().try_into().unwrap();
    });
    assert_eq!(refusals, ["certificate_revoked"]);
    let authority = maker.root.revoke(&[&maker.authority.serial], AT, AT + 9);
    let refusals = tampered(&maker, |evidence| {
        evidence.collateral.root_revocations = authority.clone().try_into().unwrap();
    });
    assert_eq!(refusals, ["certificate_revoked"]);
    let old = maker.root.revoke(&[], AT - 9, AT - 1);
    let refusals = tampered(&maker, |evidence| {
        evidence.collateral.root_revocations = old.clone().try_into().unwrap();
    });
    assert_eq!(refusals, ["revocation_list_time"]);
}

/// Bytes behind the end, other line ends, a root of one's own: all of them were taken before.
#[test]
fn quote_has_one_form() {
    let maker = TdxMaker::new();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        tampered(&maker, |evidence| {
            let mut quote = evidence.quote.to_vec();
            change(&mut quote);
            evidence.quote = quote.try_into().unwrap();
        })
    };
    assert_eq!(changed(&|quote| quote.push(0)), ["tdx_trailing"]);
    let lines = |quote: &mut Vec<u8>| {
        let at = quote.iter().rposition(|byte| *byte == b'\n').unwrap();
        quote[at] = b' ';
    };
    assert_eq!(changed(&lines), ["tdx_certificates"]);
    // type of the certification data
    assert_eq!(changed(&|quote| quote[764] ^= 1), ["tdx_certification"]);
    // a length that is one too many, or too few
    let length = changed(&|quote| quote[632] ^= 1);
    assert!(
        ["tdx_truncated", "tdx_trailing"].contains(&length[0]),
        "{length:?}"
    );
    assert_eq!(changed(&|quote| quote[0] = 3), ["tdx_version"]);
    assert_eq!(changed(&|quote| quote[4] = 0), ["tdx_kind"]);
}

#[test]
fn root_in_quote_must_be_intels() {
    let (maker, stranger) = (TdxMaker::new(), TdxMaker::new());
    let verdict = judge_by(
        &bundle(&stranger, &TdxClaims::default()),
        &maker.roots(),
        &policy(),
    );
    assert_eq!(verdict.refusals(), ["tdx_root"]);
}

#[test]
fn no_flipped_byte_of_tdx_evidence_is_accepted() {
    let maker = TdxMaker::new();
    let bundle = bundle(&maker, &TdxClaims::default());
    let (roots, policy) = (maker.roots(), policy());
    let judged = |bundle: &Bundle| judge_by(bundle, &roots, &policy).accepted();
    assert_eq!(accepted_by(&bundle, judged), [0; 0]);
}
