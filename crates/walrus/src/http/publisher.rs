//! The publisher: takes blobs and has them stored.

use super::{
    error::ApiError,
    query::{self, PutQuery},
    state::Api,
};
use crate::{
    api::{BlobStoreResult, EventOrObject, ResourceOperation},
    store::PutOutcome,
    token::Claims,
};
use atoma_http::server::{BodyError, BodyLimit, read_body};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::HeaderMap,
};
use bytes::Bytes;
use std::sync::Arc;

/// Answers `PUT /v1/blobs`.
pub(super) async fn put_blob(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<BlobStoreResult>, ApiError> {
    let query: PutQuery = query::read(request.uri())?;
    let options = query.options(false)?;
    let _admitted = api.uploads.enter().await?;
    let claims = admit(&api, &request, &query)?;
    let (parts, blob) = request.into_parts();
    let most = api.options.limits.max_body_bytes;
    let blob = body(&api, &parts.headers, blob, most).await?;
    check_size(&api, claims.as_ref(), blob.len())?;
    let outcome = api.store.put(blob, options).await?;
    Ok(Json(answer(outcome)))
}

/// Checks the token, where one is needed.
pub(super) fn admit(
    api: &Api,
    request: &Request,
    query: &PutQuery,
) -> Result<Option<Claims>, ApiError> {
    let authenticator = api.authenticator.as_ref();
    authenticator
        .map(|authenticator| authenticator.admit(request.headers(), query))
        .transpose()
}

/// Holds what was uploaded to the token.
pub(super) fn check_size(api: &Api, claims: Option<&Claims>, size: usize) -> Result<(), ApiError> {
    match api.authenticator.as_ref().zip(claims) {
        Some((authenticator, claims)) => authenticator.check_size(claims, size as u64),
        None => Ok(()),
    }
}

/// All of a body.
pub(super) async fn body(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<Bytes, ApiError> {
    let limit = BodyLimit {
        max_bytes: most,
        ..BodyLimit::new(&api.options.limits)
    };
    read_body(headers, body, limit, |_| ())
        .await
        .map_err(|error| match error {
            BodyError::TooLarge { max_bytes } => ApiError::TooLong(max_bytes),
            BodyError::TooSlow(_) => ApiError::malformed("the body took too long"),
            _ => ApiError::malformed("the body broke off"),
        })
}

/// A result in the API's form.
pub(super) fn answer(outcome: PutOutcome) -> BlobStoreResult {
    match outcome {
        PutOutcome::NewlyCreated { object, cost } => BlobStoreResult::NewlyCreated {
            resource_operation: ResourceOperation::RegisterFromScratch {
                encoded_length: object.storage.storage_size,
                epochs_ahead: object.storage.end_epoch - object.storage.start_epoch,
            },
            cost,
            shared_blob_object: object.shared,
            blob_object: object,
        },
        PutOutcome::AlreadyCertified { object } => BlobStoreResult::AlreadyCertified {
            blob_id: object.blob_id,
            shown_by: EventOrObject::Object(object.id),
            end_epoch: object.storage.end_epoch,
        },
    }
}
