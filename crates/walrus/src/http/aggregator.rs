//! The aggregator: gives blobs and parts of them.

use super::{
    error::ApiError,
    query::{self, GetQuery, RangeQuery},
    range,
    state::Api,
};
use crate::{BlobId, ObjectId, store::BlobObject};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use std::{collections::BTreeMap, fmt::Display, str::FromStr, sync::Arc};

/// Blobs never change.
const CACHE_CONTROL: &str = "public, max-age=86400, stale-while-revalidate=3600";
/// Attributes and tags that become headers.
const HEADERS: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_DISPOSITION,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::LINK,
];

/// Answers `GET /v1/blobs/{blob_id}`.
pub(super) async fn get_blob(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<Response, ApiError> {
    let object = api.store.stat(parse(&id)?).await?;
    give(&api, &request, &object, &BTreeMap::new()).await
}

/// Answers `GET /v1/blobs/by-object-id/{object}`.
pub(super) async fn get_object(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<Response, ApiError> {
    let object = api.store.object(parse::<ObjectId>(&id)?).await?;
    let attributes = object.attributes.clone();
    give(&api, &request, &object, &attributes).await
}

/// Answers `HEAD /v1/blobs/{blob_id}`.
pub(super) async fn head_blob(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<Response, ApiError> {
    query::read::<GetQuery>(&request.uri)?.check()?;
    let object = api.store.stat(parse(&id)?).await?;
    Ok(head(&object, &BTreeMap::new()))
}

/// Answers `HEAD /v1/blobs/by-object-id/{object}`.
pub(super) async fn head_object(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<Response, ApiError> {
    query::read::<GetQuery>(&request.uri)?.check()?;
    let object = api.store.object(parse::<ObjectId>(&id)?).await?;
    Ok(head(&object, &object.attributes))
}

/// Answers `GET /v1/blobs/{blob_id}/byte-range`.
pub(super) async fn get_range(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<Response, ApiError> {
    let id: BlobId = parse(&id)?;
    let RangeQuery { start, length } = query::read(&request.uri)?;
    let end = start.checked_add(length).filter(|_| length > 0);
    let end = end.ok_or_else(|| ApiError::range("the range is empty or too long"))?;
    let _admitted = api.downloads.enter().await?;
    let bytes = api.store.read_range(id, start..end).await?;
    Ok((headers(&id, &BTreeMap::new()), bytes).into_response())
}

/// A blob, or the range of it that is asked for.
async fn give(
    api: &Api,
    request: &Parts,
    object: &BlobObject,
    attributes: &BTreeMap<String, String>,
) -> Result<Response, ApiError> {
    let check = query::read::<GetQuery>(&request.uri)?.check()?;
    let _admitted = api.downloads.enter().await?;
    let mut headers = headers(&object.blob_id, attributes);
    let Some(range) = range::requested(&request.headers, object.size)? else {
        let blob = api.store.read(object.blob_id, check).await?;
        return Ok((headers, blob).into_response());
    };
    let bytes = api.store.read_range(object.blob_id, range.clone()).await?;
    let said = format!("bytes {}-{}/{}", range.start, range.end - 1, object.size);
    put(&mut headers, header::CONTENT_RANGE, &said);
    Ok((StatusCode::PARTIAL_CONTENT, headers, bytes).into_response())
}

fn head(object: &BlobObject, attributes: &BTreeMap<String, String>) -> Response {
    let mut headers = headers(&object.blob_id, attributes);
    put(
        &mut headers,
        header::CONTENT_LENGTH,
        &object.size.to_string(),
    );
    headers.into_response()
}

/// Headers of bytes that never change under `tag`.
pub(super) fn headers(tag: &dyn Display, attributes: &BTreeMap<String, String>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, header::ETAG, &format!("\"{tag}\""));
    put(&mut headers, header::CACHE_CONTROL, CACHE_CONTROL);
    put(&mut headers, header::ACCEPT_RANGES, "bytes");
    put(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(
        &mut headers,
        header::CONTENT_TYPE,
        "application/octet-stream",
    );
    for name in HEADERS {
        if let Some(value) = attributes.get(name.as_str()) {
            put(&mut headers, name, value);
        }
    }
    headers
}

/// Values that can't stand in a header are left out.
pub(super) fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// An id in the path.
pub(super) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, ApiError> {
    text.parse()
        .map_err(|error| ApiError::malformed(format!("{error}")))
}
