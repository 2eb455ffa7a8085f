//! From bytes to a guest.

use super::{
    GuestPolicy, PlatformInfo, REPORT_BYTES, SnpFault, SnpGuest, SnpProduct, SnpRoot, SnpTcb,
    report::{COMMITTED_TCB, CURRENT_TCB, LAUNCH_TCB, REPORTED_TCB, Report},
};
use crate::{
    bounded::Bytes,
    crypto::Scheme,
    fault::Result,
    limits::{MAX_CERTIFICATE_BYTES, MAX_REVOCATION_LIST_BYTES},
    octets::Octets,
    x509::{Certificate, CertificateFault, Chain, Links, RevocationList},
};
use serde::{Deserialize, Serialize};

/// What an SEV-SNP guest shows.
///
/// # BCS
/// ```text
/// report       ULEB128 length 1184, report
/// chip         ULEB128 length, certificate of the chip's key (VCEK), DER
/// intermediate ULEB128 length, certificate of its issuer (ASK), DER
/// root         ULEB128 length, AMD's root of this generation (ARK), DER
/// revocations  0, or 1 ‖ ULEB128 length ‖ AMD's revocation list, DER
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnpEvidence {
    /// The report, as the firmware gave it.
    pub report: Bytes<REPORT_BYTES>,
    /// The certificate of the key that signed it.
    pub chip: Bytes<MAX_CERTIFICATE_BYTES>,
    /// The certificate of that one's issuer.
    pub intermediate: Bytes<MAX_CERTIFICATE_BYTES>,
    /// The certificate of AMD's root for this generation (ARK).
    pub root: Bytes<MAX_CERTIFICATE_BYTES>,
    /// AMD's list of revoked certificates.
    pub revocations: Option<Bytes<MAX_REVOCATION_LIST_BYTES>>,
}

/// 1.3.6.1.4.1.3704.1.3.n: version n of the firmware that the chip's key is for.
const VERSION_OID: [u8; 9] = [0x2b, 6, 1, 4, 1, 0x9c, 0x78, 1, 3];
/// 1.3.6.1.4.1.3704.1.4: the chip.
const CHIP_OID: [u8; 9] = [0x2b, 6, 1, 4, 1, 0x9c, 0x78, 1, 4];
/// Flags of the signing key: the author's key may be in use, nothing else.
const AUTHOR_KEY: u32 = 1;
/// Certificates from chip to root.
const CHAIN: usize = 3;

impl SnpEvidence {
    /// Checks chain and report at `at`, seconds since 1970. What comes back is true by AMD's word;
    /// whether it is good enough is for a policy to say.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn verify(&self, roots: &[SnpRoot], at: i64) -> Result<SnpGuest> {
        let product = self.product(roots)?;
        let root = product.pin;
        let product = product.product;
        let raw: [&[u8]; CHAIN] = [&self.chip, &self.intermediate, &self.root];
        let chain = Chain::check(raw, root, &mut Links::default(), at)?;
        let mut not_after = chain.not_after();
        if let Some(list) = &self.revocations {
            let [_, intermediate, root] = chain.certificates() else {
                return Err(CertificateFault::Length.into());
            };
            let list = RevocationList::check(list, root)?;
            list.valid_at(at)?;
            list.allows(intermediate)?;
            not_after = not_after.min(list.next_update);
        }
        let report = Report::read(&self.report)?;
        if report.number(0x48) & !AUTHOR_KEY != 0 {
            return Err(SnpFault::SignatureKey.into());
        }
        let leaf = chain.leaf();
        let holds = leaf.may_sign_reports()
            && leaf.has_signed_report(Scheme::P384Fixed, report.signed(), &report.signature());
        if !holds {
            return Err(SnpFault::Signature.into());
        }
        let tcb = |offset| SnpTcb::read(product, report.octets(offset).0);
        let certified = certified_tcb(leaf, product)?;
        if tcb(REPORTED_TCB) != certified {
            return Err(SnpFault::Tcb.into());
        }
        // what runs now is never older than what is certified for it
        if !tcb(CURRENT_TCB).at_least(&certified) {
            return Err(SnpFault::Tcb.into());
        }
        Ok(SnpGuest {
            product,
            certified,
            committed: tcb(COMMITTED_TCB),
            launched: tcb(LAUNCH_TCB),
            measurement: report.octets(0x90),
            report_data: report.octets(0x50),
            host_data: report.octets(0xc0),
            chip: certified_chip(leaf, product, report.octets(0x1a0))?,
            vmpl: report.number(0x30),
            policy: GuestPolicy::read(report.long(0x08))?,
            platform: PlatformInfo::read(report.long(0x40)),
            revocation_checked: self.revocations.is_some(),
            not_after,
        })
    }

    /// The pinned root that the evidence carries.
    fn product(&self, roots: &[SnpRoot]) -> Result<SnpRoot> {
        let found = roots.iter().find(|root| root.pin.is(&self.root));
        found.copied().ok_or_else(|| CertificateFault::Root.into())
    }
}

/// The versions in the certificate, each an INTEGER from 0 to 255 in its one encoding.
fn certified_tcb(leaf: &Certificate<'_>, product: SnpProduct) -> Result<SnpTcb> {
    let version = |n: u8| {
        let oid = [&VERSION_OID[..], &[n]].concat();
        match leaf.extension(&oid) {
            Some(&[2, 1, version @ ..0x80]) => Ok(version),
            Some(&[2, 2, 0, version @ 0x80..=0xff]) => Ok(version),
            _ => Err(SnpFault::TcbMissing),
        }
    };
    let fmc = match product {
        SnpProduct::Milan | SnpProduct::Genoa => 0,
        SnpProduct::Turin => version(9)?,
    };
    Ok(SnpTcb {
        fmc,
        boot: version(1)?,
        tee: version(2)?,
        snp: version(3)?,
        microcode: version(8)?,
    })
}

/// The chip in the report, which must be the one in the certificate.
fn certified_chip(
    leaf: &Certificate<'_>,
    product: SnpProduct,
    reported: Octets<64>,
) -> Result<Octets<64>> {
    let certified = leaf.extension(&CHIP_OID).ok_or(SnpFault::ChipMissing)?;
    let (used, rest) = reported.0.split_at(product.chip_bytes());
    let rest_is_zero = rest.iter().all(|byte| *byte == 0);
    if certified != used || !rest_is_zero || reported.is_zero() {
        return Err(SnpFault::Chip.into());
    }
    Ok(reported)
}
