//! `immediate` mode: the user stores the signed request first and names the blob in the header. The
//! node reads the blob and computes only if it holds this very request.

use super::log::{EvidenceLog, IMMEDIATE_TIMEOUT};
use crate::{account::SignedRequest, lease::Lease};
use atoma_evidence::immediate::check_request_blob;
use atoma_keys::SigningKey;
use atoma_runtime::WithCauses;
use atoma_types::{
    BlobId,
    refusal::{Refusal, RefusalCode},
};
use atoma_walrus::client::ClientError;

impl EvidenceLog {
    /// Reads what the header names.
    pub(crate) async fn check_stored(
        &self,
        blob: BlobId,
        request: &SignedRequest,
        lease: &Lease,
        response_key: &SigningKey,
    ) -> Result<(), Refusal> {
        let read = self.requests.read_certified(blob);
        let read = tokio::time::timeout(IMMEDIATE_TIMEOUT, read).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(ClientError::NotFound(_))) => {
                return Err(invalid(
                    "Walrus does not have the blob that the header names",
                ));
            }
            Ok(Err(error)) => {
                tracing::warn!(error = %WithCauses(&error), "a request's blob can't be read");
                return Err(away());
            }
            Err(_) => return Err(away()),
        };
        let checked = check_request_blob(bytes, request.message(), &lease.verifier, response_key);
        checked.map_err(|error| invalid(&WithCauses(&error).to_string()))
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(RefusalCode::EvidenceInvalid, message)
}

fn away() -> Refusal {
    Refusal::new(
        RefusalCode::EvidenceUnavailable,
        "the request's blob can't be read now: try again, or send without stored evidence",
    )
}
