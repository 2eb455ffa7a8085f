//! `immediate` mode: the user stores the signed request first and names the blob in the header. The
//! node reads the blob and computes only if it holds this very request.
//!
//! The blob is a pack with a record of the request alone. Its header is the one that was sent
//! without the blob's id, which it can't contain; the same key signed both.

use super::log::{EvidenceLog, IMMEDIATE_TIMEOUT};
use crate::{account::SignedRequest, lease::Lease};
use atoma_evidence::pack::{Kind, Pack, Part, SealContext};
use atoma_keys::SigningKey;
use atoma_types::{
    BlobId,
    hash::Hash32,
    message::RequestHeader,
    refusal::{Refusal, RefusalCode},
};
use atoma_walrus::client::ClientError;
use bytes::Bytes;

impl EvidenceLog {
    /// Reads what the header names.
    pub(crate) async fn check_stored(
        &self,
        blob: BlobId,
        request: &SignedRequest,
        lease: &Lease,
        response_key: &SigningKey,
    ) -> Result<(), Refusal> {
        let id = atoma_walrus::BlobId(blob.0);
        let read = self.requests.read_certified(id);
        let read = tokio::time::timeout(IMMEDIATE_TIMEOUT, read).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(ClientError::NotFound(_))) => {
                return Err(invalid(
                    "Walrus does not have the blob that the header names",
                ));
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "a request's blob can't be read");
                return Err(away());
            }
            Err(_) => return Err(away()),
        };
        check_blob(bytes, request, lease, response_key)
    }
}

fn check_blob(
    bytes: Bytes,
    request: &SignedRequest,
    lease: &Lease,
    response_key: &SigningKey,
) -> Result<(), Refusal> {
    let pack = Pack::from_bytes(bytes).map_err(|_| invalid("the blob is not a pack"))?;
    let header = request.message();
    let bare = RequestHeader {
        evidence: None,
        ..header.clone()
    };
    let place = pack.catalog().places_of(header.request_id).next();
    let place = place.ok_or_else(|| invalid("the blob has no record of this request"))?;
    let record = pack
        .record(place)
        .map_err(|_| invalid("the blob's record is damaged"))?;
    if record.kind() != Kind::Request {
        return Err(invalid("the blob's record is not of a request alone"));
    }
    let signed = record
        .signed_request()
        .map_err(|_| invalid("the blob's record has no signed header"))?;
    if *signed.message() != bare {
        return Err(invalid("the blob's header is for another request"));
    }
    if signed.verify(&lease.verifier).is_err() {
        return Err(invalid(
            "the blob's header is not signed by the stack's request key",
        ));
    }
    let context = SealContext {
        network: header.network,
        stack: header.stack,
        node: header.node,
    };
    let body = record
        .request_body()
        .unseal(response_key, &context, signed.hash(), Part::Request);
    let body = body.map_err(|_| invalid("the blob's body can't be opened by this node"))?;
    let fits = body.is_some_and(|body| Hash32::of(&body) == header.body_hash);
    fits.then_some(())
        .ok_or_else(|| invalid("the blob's body is not the request's"))
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
