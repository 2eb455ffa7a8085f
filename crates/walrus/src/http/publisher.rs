//! Storing blobs.

use super::{
    Api,
    error::ApiError,
    jwt::Claims,
    query::{self, PutQuery},
};
use crate::{
    api::{BlobStoreResult, EventOrObject, ResourceOperation},
    store::PutOutcome,
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// A body must be here by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);

/// `PUT /v1/blobs`.
pub(super) async fn put_blob(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<BlobStoreResult>, ApiError> {
    let query: PutQuery = query::read(request.uri())?;
    let options = query.options(false)?;
    let _admitted = api.uploads.enter().await?;
    let claims = admit(&api, &request, &query)?;
    let blob = body(request.into_body(), api.options.max_body).await?;
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
pub(super) async fn body(body: Body, most: usize) -> Result<Bytes, ApiError> {
    let read = timeout(BODY_TIMEOUT, axum::body::to_bytes(body, most)).await;
    let read = read.map_err(|_| ApiError::malformed("the body took too long"))?;
    read.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        if too_long {
            ApiError::TooLong(most)
        } else {
            ApiError::malformed("the body broke off")
        }
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
