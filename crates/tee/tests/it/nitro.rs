//! AWS Nitro enclaves.

use crate::{bundles::judge_by, flips::accepted_by};
use atoma_tee::{
    Bundle, Policy, Roots, Tier,
    bundle::PlatformEvidence,
    testing::{self, AT, NitroClaims, NitroMaker},
};

fn roots(maker: &NitroMaker) -> Roots {
    Roots {
        nitro: maker.pin(),
        ..testing::no_roots()
    }
}

fn bundle(maker: &NitroMaker, claims: &NitroClaims) -> Bundle {
    testing::bundle(Vec::new(), Vec::new(), |report_data| {
        let claims = NitroClaims {
            report_data,
            ..claims.clone()
        };
        PlatformEvidence::Nitro(maker.evidence(&claims))
    })
}

fn policy() -> Policy {
    let registers: Vec<String> = ["70", "71", "72"].map(|byte| byte.repeat(48)).to_vec();
    let [pcr0, pcr1, pcr2] = &registers[..] else {
        unreachable!("there are three");
    };
    let measured = format!(
        "nitro = [{{ pcr0 = \"{pcr0}\", pcr1 = \"{pcr1}\", pcr2 = \"{pcr2}\" }}]\n\n[nitro]\n\n[snp.genoa]"
    );
    Policy::from_toml(&testing::policy_text().replace("[snp.genoa]", &measured)).unwrap()
}

fn refused(claims: &NitroClaims) -> Vec<&'static str> {
    let maker = NitroMaker::new();
    judge_by(&bundle(&maker, claims), &roots(&maker), &policy()).refusals()
}

#[test]
fn a_document_of_a_release_is_accepted() {
    let maker = NitroMaker::new();
    let verdict = judge_by(
        &bundle(&maker, &NitroClaims::default()),
        &roots(&maker),
        &policy(),
    );
    assert_eq!(verdict.refusals(), [""; 0]);
    assert_eq!(verdict.tier, Some(Tier::Manifests));
    let open = NitroClaims {
        open_map: true,
        ..NitroClaims::default()
    };
    assert_eq!(refused(&open), [""; 0]);
    let without = testing::policy();
    let verdict = judge_by(
        &bundle(&maker, &NitroClaims::default()),
        &roots(&maker),
        &without,
    );
    assert_eq!(verdict.refusals(), ["policy_platform"]);
}

#[test]
fn debug_mode_another_image_and_another_key_are_refused() {
    let claims = |registers| NitroClaims {
        registers,
        ..NitroClaims::default()
    };
    let debug = claims([[0; 48]; 3]);
    assert_eq!(
        refused(&debug),
        ["policy_nitro_debug", "policy_measurement"]
    );
    let other = claims([[0x70; 48], [0x71; 48], [0x73; 48]]);
    assert_eq!(refused(&other), ["policy_measurement"]);
    let key = NitroClaims {
        public_key: vec![1; 32],
        ..NitroClaims::default()
    };
    assert_eq!(refused(&key), ["policy_nitro_key"]);
    let future = NitroClaims {
        timestamp_ms: AT as u64 * 1_000 + 1_000,
        ..NitroClaims::default()
    };
    assert_eq!(refused(&future), ["nitro_time"]);
}

/// The enclave's certificate lives three hours, and the document no longer.
#[test]
fn a_document_holds_as_long_as_its_certificate() {
    let maker = NitroMaker::new();
    let PlatformEvidence::Nitro(evidence) = bundle(&maker, &NitroClaims::default()).platform else {
        unreachable!("the maker makes this kind");
    };
    let at = |at| {
        evidence
            .verify(maker.pin(), at)
            .map_err(|fault| fault.code())
    };
    assert!(at(AT + 7_200).is_ok());
    assert_eq!(at(AT + 7_201), Err("certificate_expired"));
    let stranger = NitroMaker::new();
    let other = evidence
        .verify(stranger.pin(), AT)
        .map_err(|fault| fault.code());
    assert_eq!(other, Err("certificate_root"));
}

#[test]
fn no_flipped_byte_of_a_nitro_document_is_accepted() {
    let maker = NitroMaker::new();
    let bundle = bundle(&maker, &NitroClaims::default());
    let (roots, policy) = (roots(&maker), policy());
    let judged = |bundle: &Bundle| judge_by(bundle, &roots, &policy).accepted();
    assert_eq!(accepted_by(&bundle, judged), [0; 0]);
}
