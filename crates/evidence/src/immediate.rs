//! Immediate evidence: the user stores the signed request before it is sent, and names the blob in
//! the header that is sent.
//!
//! The blob is a pack with a record of the request alone. Its header is the one that was sent
//! without the blob's id, which it can't contain; the same key signed both.

use crate::pack::{
    Header, Kind, Pack, PackError, Record, SaltedBody, SealContext, Sealer, pack_records,
};
use atoma_keys::{SigningKey, Verifier};
use atoma_runtime::Random;
use atoma_types::{
    PublicKey,
    message::{CommitmentKind, Origin, RequestHeader, Signed},
};
use bytes::Bytes;

/// Why a blob isn't the request that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredRequestError {
    /// Its bytes are no pack.
    #[error("the blob is not a pack")]
    NoPack,
    /// It is a pack of other requests.
    #[error("the blob has no record of this request")]
    NoRecord,
    /// The record breaks a rule of the format.
    #[error("the blob's record is damaged")]
    Damaged,
    /// The record has an answer too.
    #[error("the blob's record is not of a request alone")]
    Kind,
    /// The record's statement isn't a signed header.
    #[error("the blob's record has no signed header")]
    NoHeader,
    /// It is the header of another request, or of a changed one.
    #[error("the blob's header is for another request")]
    OtherRequest,
    /// Somebody else signed the header.
    #[error("the blob's header is not signed by the stack's request key")]
    Signature,
    /// The body isn't sealed for this node.
    #[error("the blob's body can't be opened by this node")]
    Sealed,
    /// The body isn't the one that the header names.
    #[error("the blob's body is not the request's")]
    Body,
}

/// The blob of a request, sealed for `parties`: its user and its node. `signed` names no blob yet,
/// and `random` draws the content key.
///
/// # Errors
/// If the body is too long, or can't be sealed for one of the keys.
pub fn request_blob(
    signed: &Signed<RequestHeader>,
    body: &SaltedBody,
    parties: [PublicKey; 2],
    random: &dyn Random,
) -> Result<Bytes, PackError> {
    let header = signed.message();
    let sealer = Sealer::new(&context(header), &parties, random)?;
    let sealed = sealer.seal(
        signed.hash(),
        CommitmentKind::Request,
        body.as_bytes().clone(),
    )?;
    let pack = Header {
        network: header.network,
        node: header.node,
        first_seq: 0,
        created: header.issued_at_ms,
    };
    pack_records(pack, &[Record::request(signed, sealed)])
}

/// Holds a blob against the header that names it. `user` verifies the stack's request key,
/// `response_key` is the node's own.
///
/// # Errors
/// If the blob isn't this very request.
pub fn check_request_blob(
    blob: Bytes,
    header: &RequestHeader,
    user: &Verifier,
    response_key: &SigningKey,
) -> Result<(), StoredRequestError> {
    let pack = Pack::from_bytes(blob).map_err(|_| StoredRequestError::NoPack)?;
    let place = pack.catalog().places_of(header.request_id).next();
    let record = pack.record(place.ok_or(StoredRequestError::NoRecord)?);
    let record = record.map_err(|_| StoredRequestError::Damaged)?;
    if record.kind() != Kind::Request {
        return Err(StoredRequestError::Kind);
    }
    let signed = record.signed_request();
    let signed = signed.map_err(|_| StoredRequestError::NoHeader)?;
    let unnamed = RequestHeader {
        origin: Origin::Own,
        ..header.clone()
    };
    if *signed.message() != unnamed {
        return Err(StoredRequestError::OtherRequest);
    }
    if signed.verify(user).is_err() {
        return Err(StoredRequestError::Signature);
    }
    let body = record.request_body();
    let body = body.unseal(
        response_key,
        &context(header),
        signed.hash(),
        CommitmentKind::Request,
    );
    let body = body.map_err(|_| StoredRequestError::Sealed)?;
    let fits = body
        .and_then(|body| SaltedBody::from_bytes(body).ok())
        .is_some_and(|body| body.commitment(CommitmentKind::Request) == header.body_hash);
    if fits {
        Ok(())
    } else {
        Err(StoredRequestError::Body)
    }
}

fn context(header: &RequestHeader) -> SealContext {
    SealContext {
        network: header.network,
        stack: header.stack,
        node: header.node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{BODY, Plan, Sample, operator, salt, user};

    fn body(text: &[u8]) -> SaltedBody {
        SaltedBody::new(&salt(), text)
    }

    fn request() -> Signed<RequestHeader> {
        Sample::new(&Plan::default()).exchanges[0].0.clone()
    }

    fn check(blob: Bytes, header: &RequestHeader) -> Result<(), StoredRequestError> {
        let verifier = Verifier::new(&user().public_key()).unwrap();
        check_request_blob(blob, header, &verifier, &operator())
    }

    #[test]
    fn a_stored_request_is_known_again_and_another_is_not() {
        let signed = request();
        let keys = (user().public_key(), operator().public_key());
        let blob = request_blob(
            &signed,
            &body(BODY),
            [keys.0, keys.1],
            &atoma_runtime::SystemRandom,
        )
        .unwrap();
        assert_eq!(check(blob.clone(), signed.message()), Ok(()));
        let dearer = RequestHeader {
            lane: 1,
            ..signed.message().clone()
        };
        assert_eq!(check(blob, &dearer), Err(StoredRequestError::OtherRequest));
        let other = request_blob(
            &signed,
            &body(b"other"),
            [keys.0, keys.1],
            &atoma_runtime::SystemRandom,
        )
        .unwrap();
        assert_eq!(
            check(other, signed.message()),
            Err(StoredRequestError::Body)
        );
        let not_for_us = request_blob(
            &signed,
            &body(BODY),
            [keys.0, keys.0],
            &atoma_runtime::SystemRandom,
        )
        .unwrap();
        assert_eq!(
            check(not_for_us, signed.message()),
            Err(StoredRequestError::Sealed)
        );
        let stranger = Signed::new(signed.message().clone(), &operator());
        let forged = request_blob(
            &stranger,
            &body(BODY),
            [keys.0, keys.1],
            &atoma_runtime::SystemRandom,
        )
        .unwrap();
        assert_eq!(
            check(forged, signed.message()),
            Err(StoredRequestError::Signature)
        );
        let noise = Bytes::from_static(b"noise");
        assert_eq!(
            check(noise, signed.message()),
            Err(StoredRequestError::NoPack)
        );
    }
}
