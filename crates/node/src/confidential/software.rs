//! Software that acts as hardware, for development: it signs nothing, and protects against nobody.

use super::{
    attester::{Attester, AttesterError, Devices},
    guest_kind::GuestKind,
};
use atoma_tee::{
    bundle::PlatformEvidence,
    octets::{Digest, Measurement, Octets},
    software::SoftwareEvidence,
};
use futures::future::BoxFuture;

/// What it says that it started with.
#[derive(Debug)]
pub(super) struct SoftwareAttester {
    pub(super) measurement: Measurement,
}

impl Attester for SoftwareAttester {
    fn name(&self) -> &'static str {
        GuestKind::Software.as_str()
    }

    fn kind(&self) -> u8 {
        3
    }

    fn devices(&self, _: Digest) -> BoxFuture<'_, Result<Devices, AttesterError>> {
        Box::pin(async { Ok(Devices::default()) })
    }

    fn platform(
        &self,
        report_data: Octets<64>,
    ) -> BoxFuture<'_, Result<PlatformEvidence, AttesterError>> {
        let evidence = SoftwareEvidence {
            measurement: self.measurement,
            report_data,
        };
        Box::pin(async move { Ok(PlatformEvidence::Software(evidence)) })
    }
}
