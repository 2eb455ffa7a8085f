//! Whether the node lives, and whether it can serve.

use super::respond::text;
use crate::{concurrency::ConcurrencyLimit, journal::Journal, ledger::LedgerLink, tasks::Tasks};
use axum::{extract::State, response::Response};
use http::StatusCode;
use std::sync::Arc;

/// All that must be well for requests to be served.
#[derive(Debug)]
pub(crate) struct Readiness {
    pub concurrency: Arc<ConcurrencyLimit>,
    pub journal: Journal,
    pub link: Arc<LedgerLink>,
    pub tasks: Arc<Tasks>,
}

impl Readiness {
    fn is_ready(&self) -> bool {
        !self.concurrency.is_draining()
            && self.journal.is_healthy()
            && self.link.is_reachable()
            && self.tasks.are_healthy()
    }
}

pub(crate) async fn healthz() -> Response {
    text(StatusCode::OK, "ok\n")
}

pub(crate) async fn readyz(State(readiness): State<Arc<Readiness>>) -> Response {
    if readiness.is_ready() {
        text(StatusCode::OK, "ready\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
