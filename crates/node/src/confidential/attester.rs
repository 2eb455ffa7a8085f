//! Who has the hardware sign. One implementation for each platform; which one is used is the operator's word, and what it
//! is worth the client's policy says.

use atoma_tee::{
    bundle::PlatformEvidence,
    nvidia::{DeviceEvidence, ManifestBytes},
    octets::{Digest, Octets},
};
use futures::future::BoxFuture;
use std::fmt;

/// Asks a guest's hardware for evidence.
pub(super) trait Attester: fmt::Debug + Send + Sync {
    /// What every output calls it.
    fn name(&self) -> &'static str;

    /// The number that stands for it on the ledger: the platform's place in a bundle.
    fn kind(&self) -> u8;

    /// The evidence of GPUs and switches for this nonce.
    fn devices(&self, nonce: Digest) -> BoxFuture<'_, Result<Devices, AttesterError>>;

    /// The processor's evidence over these 64 bytes.
    fn platform(
        &self,
        report_data: Octets<64>,
    ) -> BoxFuture<'_, Result<PlatformEvidence, AttesterError>>;
}

/// What a guest's devices show.
#[derive(Debug, Default)]
pub(super) struct Devices {
    pub(super) evidence: Vec<DeviceEvidence>,
    pub(super) manifests: Vec<ManifestBytes>,
}

/// The hardware gave no evidence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttesterError {
    /// More devices or manifests than a bundle holds.
    #[error("there is more evidence than a bundle holds")]
    TooMuch(#[from] atoma_tee::bounded::TooMany),
}
