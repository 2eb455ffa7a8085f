//! Walrus's own HTTP API over the local store: publisher (`PUT /v1/blobs`, `PUT /v1/quilts`) and
//! aggregator (`GET /v1/blobs/...`, `GET /v1/quilts/...`) on one port.

mod admission;
mod aggregator;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod jwt;
mod publisher;
mod query;
mod quilts;
mod range;
mod state;

pub use crate::token::{Claims, sign_token};
pub use jwt::JwtOptions;
pub use state::HttpOptions;

use crate::store::Store;
use atoma_http::server::Server;
use atoma_runtime::Listener;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use state::Api;
use std::{io, sync::Arc};

/// Serves the API until the server is closed or dropped.
///
/// # Errors
/// If the listener can't be used.
pub fn serve(
    listener: impl Into<Listener>,
    store: Store,
    options: HttpOptions,
) -> io::Result<Server> {
    let limits = options.limits.clone();
    Server::start(listener, routes(store, options), limits, Arc::default())
}

/// The routes of publisher and aggregator over a store.
pub fn routes(store: Store, options: HttpOptions) -> Router {
    let api = Arc::new(Api::new(store, options));
    Router::new()
        .route("/v1/blobs", put(publisher::put_blob))
        .route("/v1/quilts", put(quilts::put_quilt))
        .route(
            "/v1/blobs/{blob_id}",
            get(aggregator::get_blob).head(aggregator::head_blob),
        )
        .route("/v1/blobs/{blob_id}/byte-range", get(aggregator::get_range))
        .route(
            "/v1/blobs/by-object-id/{object}",
            get(aggregator::get_object).head(aggregator::head_object),
        )
        .route(
            "/v1/blobs/by-quilt-patch-id/{patch}",
            get(quilts::get_patch),
        )
        .route(
            "/v1/blobs/by-quilt-id/{quilt}/{identifier}",
            get(quilts::get_identifier),
        )
        .route("/v1/quilts/{quilt}/patches", get(quilts::get_patches))
        .route("/status", get(async || "OK"))
        .with_state(api)
        // bodies are limited where they are read
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(any_origin))
}

/// Pages of any origin may use the API.
async fn any_origin(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        next.run(request).await
    };
    let any = HeaderValue::from_static("*");
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        response.headers_mut().insert(name, any.clone());
    }
    response
}
