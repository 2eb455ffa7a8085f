//! `/healthz` and `/readyz`, for whoever watches over the process.

use super::respond;
use crate::market::Market;
use atoma_http::server::json;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What telling the gateway's health takes.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) market: Arc<Market>,
    pub(crate) stop: CancellationToken,
}

impl Health {
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .with_state(Arc::new(self))
    }
}

/// The process answers.
async fn healthz() -> Response {
    json(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// It can serve: it isn't stopping, and there is something to serve.
async fn readyz(State(state): State<Arc<Health>>) -> Response {
    let unready = |message| {
        let refusal = Refusal::new(RefusalCode::Unavailable, message);
        respond::refuse(state.market.runtime(), &refusal)
    };
    if state.stop.is_cancelled() {
        unready("the gateway is stopping")
    } else if state.market.list().is_empty() {
        unready("no model is on sale")
    } else {
        json(StatusCode::OK, r#"{"status":"ready"}"#)
    }
}
