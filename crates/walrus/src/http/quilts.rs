//! Storing and reading quilts.

use super::{
    aggregator::{headers, parse, put},
    error::ApiError,
    publisher::{admit, answer, body, check_size},
    query::{self, NoQuery, PutQuery},
    state::Api,
};
use crate::{
    BlobId,
    api::{
        METADATA_FIELD, PATCH_IDENTIFIER, PatchEntry, QuiltBlobMetadata, QuiltStoreResult,
        StoredQuiltBlob,
    },
    coding::MAX_SHARDS,
    quilt::{PatchContent, Quilt, QuiltBlob, QuiltError, QuiltPatchId, build, check_identifier},
    store::Check,
};
use atoma_runtime::Threads;
use axum::{
    Json,
    body::Body,
    extract::{FromRequest, Multipart, Path, Request, State},
    http::HeaderName,
    response::{IntoResponse, Response},
};
use std::{collections::HashMap, sync::Arc};

/// Answers `PUT /v1/quilts`.
pub(super) async fn put_quilt(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<QuiltStoreResult>, ApiError> {
    let query: PutQuery = query::read(request.uri())?;
    let options = query.options(true)?;
    let _admitted = api.uploads.enter().await?;
    let claims = admit(&api, &request, &query)?;
    let (parts, form) = request.into_parts();
    // the whole form first: its size counts
    let form = body(&api, &parts.headers, form, api.options.max_quilt_body).await?;
    check_size(&api, claims.as_ref(), form.len())?;
    let blobs = blobs(Request::from_parts(parts, Body::from(form))).await?;
    let params = api.store.params();
    let layout = Threads::Real.blocking(move || build(params, blobs)).await;
    let layout = layout.map_err(ApiError::malformed)??;
    check_size(&api, claims.as_ref(), layout.bytes.len())?;
    let outcome = api.store.put(layout.bytes.into(), options).await?;
    let quilt = outcome.object().blob_id;
    let stored = layout
        .index
        .patches
        .into_iter()
        .map(|patch| StoredQuiltBlob {
            quilt_patch_id: patch_id(quilt, patch.start, patch.end),
            identifier: patch.identifier,
            range: Some((patch.start, patch.end)),
        });
    Ok(Json(QuiltStoreResult {
        stored_quilt_blobs: stored.collect(),
        blob_store_result: answer(outcome),
    }))
}

/// A form's blobs: each field is one, under its name; `_metadata` has the tags.
async fn blobs(request: Request) -> Result<Vec<QuiltBlob>, ApiError> {
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| ApiError::malformed(error.body_text()))?;
    let mut blobs: Vec<QuiltBlob> = Vec::new();
    let mut metadata: Vec<QuiltBlobMetadata> = Vec::new();
    let malformed =
        |error: axum::extract::multipart::MultipartError| ApiError::malformed(error.body_text());
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        let name = field.name().unwrap_or_default().to_owned();
        let data = field.bytes().await.map_err(malformed)?;
        if name == METADATA_FIELD {
            metadata = serde_json::from_slice(&data)
                .map_err(|e| ApiError::malformed(format!("{METADATA_FIELD}: {e}")))?;
            continue;
        }
        check_identifier(&name)?;
        if blobs.len() >= usize::from(MAX_SHARDS) {
            let (found, most) = (blobs.len() + 1, usize::from(MAX_SHARDS));
            return Err(QuiltError::TooMany { found, most }.into());
        }
        blobs.push(QuiltBlob {
            identifier: name,
            tags: crate::quilt::Tags::new(),
            data: data.to_vec(),
        });
    }
    let places = blobs
        .iter()
        .enumerate()
        .map(|(place, blob)| (blob.identifier.clone(), place));
    let places: HashMap<String, usize> = places.collect();
    for entry in metadata {
        let place = places.get(&entry.identifier).ok_or_else(|| {
            ApiError::malformed(format!("{METADATA_FIELD}: no field {:?}", entry.identifier))
        })?;
        blobs[*place].tags = entry.tags;
    }
    Ok(blobs)
}

/// Answers `GET /v1/blobs/by-quilt-patch-id/{patch}`.
pub(super) async fn get_patch(
    State(api): State<Arc<Api>>,
    Path(patch): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let NoQuery {} = query::read(request.uri())?;
    let _admitted = api.downloads.enter().await?;
    let patch: QuiltPatchId = parse(&patch)?;
    let content = api.store.read_patch(patch).await?;
    Ok(give(&patch, content))
}

/// Answers `GET /v1/blobs/by-quilt-id/{quilt}/{identifier}`.
pub(super) async fn get_identifier(
    State(api): State<Arc<Api>>,
    Path((quilt, identifier)): Path<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let NoQuery {} = query::read(request.uri())?;
    let _admitted = api.downloads.enter().await?;
    let id: BlobId = parse(&quilt)?;
    let blob = api.store.read(id, Check::Slivers).await?;
    let quilt = Quilt::open(api.store.params(), &blob)?;
    let content = quilt.read(&identifier)?;
    let (start, end) = quilt
        .index()
        .find(&identifier)
        .map(|patch| (patch.start, patch.end))
        .ok_or(QuiltError::NoPatch)?;
    let patch = QuiltPatchId {
        quilt: id,
        start,
        end,
    };
    Ok(give(&patch, content))
}

/// Answers `GET /v1/quilts/{quilt}/patches`.
pub(super) async fn get_patches(
    State(api): State<Arc<Api>>,
    Path(quilt): Path<String>,
    request: Request,
) -> Result<Json<Vec<PatchEntry>>, ApiError> {
    let NoQuery {} = query::read(request.uri())?;
    let _admitted = api.downloads.enter().await?;
    let id: BlobId = parse(&quilt)?;
    let blob = api.store.read(id, Check::Slivers).await?;
    let quilt = Quilt::open(api.store.params(), &blob)?;
    let entries = quilt.index().patches.iter().map(|patch| PatchEntry {
        identifier: patch.identifier.clone(),
        patch_id: patch_id(id, patch.start, patch.end),
        tags: patch.tags.clone(),
    });
    Ok(Json(entries.collect()))
}

fn give(patch: &QuiltPatchId, content: PatchContent) -> Response {
    let mut headers = headers(patch, &content.tags);
    let name = HeaderName::from_static(PATCH_IDENTIFIER);
    put(&mut headers, name, &content.identifier);
    (headers, content.data).into_response()
}

fn patch_id(quilt: BlobId, start: u16, end: u16) -> String {
    QuiltPatchId { quilt, start, end }.to_string()
}
