//! All that is needed to check an attested node, in one piece: keyset, freshness, evidence, and the
//! certificates and lists that the evidence is checked with. Nothing is fetched.

pub use crate::fault::BundleFault;
use crate::{
    bounded::List,
    crypto::sha256,
    fault::Result,
    keyset::Keyset,
    limits::{MAX_BUNDLE_BYTES, MAX_DEVICES, MAX_MANIFESTS},
    nitro::NitroEvidence,
    nvidia::{DeviceEvidence, ManifestBytes},
    octets::{Digest, Octets},
    snp::SnpEvidence,
    software::SoftwareEvidence,
    statement::{self, Freshness},
    tdx::TdxEvidence,
};
use atoma_types::message::{Domain, Tag};
use serde::{Deserialize, Serialize};

/// Tag of bundles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BundleTag;

impl Tag for BundleTag {
    const BYTES: [u8; 16] = *b"atoma/bundle/v1\0";
}

/// A node's evidence with everything to check it by.
///
/// # BCS
/// ```text
/// domain     16  "atoma/bundle/v1", 0
/// keyset         see Keyset
/// freshness      see Freshness
/// platform       1 kind, then: 0 SnpEvidence, 1 TdxEvidence, 2 NitroEvidence, 3 SoftwareEvidence
/// devices        ULEB128 count, at most 16, then of each: report, chain (leaf first), answers
/// manifests      ULEB128 count, at most 8, then of each ULEB128 length and bytes
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Always the bundle tag.
    pub domain: Domain<BundleTag>,
    /// The keys that the evidence is for.
    pub keyset: Keyset,
    /// What shows that the evidence is fresh.
    pub freshness: Freshness,
    /// The processor's evidence.
    pub platform: PlatformEvidence,
    /// The evidence of GPUs and their switches.
    pub devices: List<DeviceEvidence, MAX_DEVICES>,
    /// What the devices' makers say that their firmware measures.
    pub manifests: List<ManifestBytes, MAX_MANIFESTS>,
}

/// The evidence of a processor, by its maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlatformEvidence {
    /// A report of AMD SEV-SNP, and the certificates of its chip.
    Snp(SnpEvidence),
    /// A quote of Intel TDX, with what Intel says of the platform.
    Tdx(TdxEvidence),
    /// A document that AWS Nitro signed for an enclave.
    Nitro(NitroEvidence),
    /// Software that acts as hardware, for development.
    Software(SoftwareEvidence),
}

impl Bundle {
    /// Reads a bundle; its bytes are the only ones that it has.
    ///
    /// # Errors
    /// `bundle_too_long`, `bundle_encoding`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleFault::TooLong.into());
        }
        bcs::from_bytes(bytes).map_err(|_| BundleFault::Encoding.into())
    }

    /// The bundle's bytes.
    ///
    /// # Panics
    /// Never: a bundle can always be written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bcs::to_bytes(self).expect("a bundle has BCS")
    }

    /// SHA-256 of the bundle's bytes: what the ledger records, so that certificates and lists have
    /// one form, too.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&self.to_bytes())
    }

    /// What the platform's report must have been asked to sign.
    #[must_use]
    pub fn report_data(&self) -> Octets<64> {
        let freshness = self.freshness.digest();
        statement::report_data(self.statement(), freshness)
    }

    /// The digest of what the guest says.
    #[must_use]
    pub fn statement(&self) -> Digest {
        let devices = statement::devices_digest(&self.devices, &self.manifests);
        statement::statement_digest(self.keyset.digest(), devices, self.freshness.digest())
    }

    /// What the devices must have been asked with.
    #[must_use]
    pub fn device_nonce(&self) -> Digest {
        statement::device_nonce(self.keyset.digest(), self.freshness.digest())
    }
}
