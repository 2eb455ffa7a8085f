//! One changed byte anywhere in a bundle: nothing of it is accepted.

use crate::bundles::judge;
use atoma_tee::{
    Bundle,
    snp::SnpProduct,
    testing::{SnpClaims, SnpMaker},
};

/// `bytes` with the one at `place` changed: its lowest bit or its highest, in turn.
pub(crate) fn changed_at(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[place] ^= if place.is_multiple_of(2) { 0x01 } else { 0x80 };
    changed
}

/// The places at which a changed byte is accepted.
///
/// Where the platform's evidence is as it was, and the statement isn't what it signed, the bundle is
/// refused for that alone ([`a_changed_statement_alone_is_refused`]); what else there is isn't checked.
pub(crate) fn accepted_by(bundle: &Bundle, accepts: impl Fn(&Bundle) -> bool) -> Vec<usize> {
    assert!(accepts(bundle));
    let bytes = bundle.to_bytes();
    let signed = bundle.report_data();
    let holds = |place: &usize| {
        let Ok(changed) = Bundle::from_bytes(&changed_at(&bytes, *place)) else {
            return false;
        };
        let unsigned = changed.platform == bundle.platform && changed.report_data() != signed;
        !unsigned && accepts(&changed)
    };
    (0..bytes.len()).filter(holds).collect()
}

#[test]
fn a_changed_statement_alone_is_refused() {
    let maker = SnpMaker::new(SnpProduct::Genoa);
    let mut bundle = maker.bundle(&SnpClaims::default());
    bundle.keyset.models.0[0] ^= 1;
    let refusals = judge(&bundle, &maker.roots()).refusals();
    assert_eq!(refusals, ["bundle_report_data"]);
}

#[test]
fn no_flipped_byte_of_snp_evidence_is_accepted() {
    for product in [SnpProduct::Genoa, SnpProduct::Turin] {
        let maker = SnpMaker::with_rsa(product);
        let bundle = maker.bundle(&SnpClaims::default());
        let judged = |bundle: &Bundle| judge(bundle, &maker.roots()).accepted();
        assert_eq!(accepted_by(&bundle, judged), [0; 0], "{product}");
    }
}
