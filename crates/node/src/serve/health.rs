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

const NO_JOURNAL: &str = "the journal cannot be written: is the disk full?\n";
const DEAF: &str = "the ledger's events do not come: no new leases are taken\n";

impl Readiness {
    /// Why requests are refused now; nothing if they aren't.
    fn trouble(&self) -> Option<&'static str> {
        if self.concurrency.is_draining() {
            Some("stopping\n")
        } else if !self.journal.is_healthy() {
            Some(NO_JOURNAL)
        } else if !self.link.is_reachable() {
            Some("the ledger does not answer\n")
        } else if self.link.is_deaf() {
            Some(DEAF)
        } else if !self.tasks.are_healthy() {
            Some("an engine does not work\n")
        } else {
            None
        }
    }
}

/// A node that can't write its journal does nothing, though its process lives; one that hears nothing of the ledger goes
/// on with what it has leased.
pub(crate) async fn healthz(State(readiness): State<Arc<Readiness>>) -> Response {
    let trouble = if readiness.concurrency.is_draining() {
        None
    } else if !readiness.journal.is_healthy() {
        Some(NO_JOURNAL)
    } else {
        readiness.link.is_deaf().then_some(DEAF)
    };
    match trouble {
        None => text(StatusCode::OK, "ok\n"),
        Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

pub(crate) async fn readyz(State(readiness): State<Arc<Readiness>>) -> Response {
    match readiness.trouble() {
        None => text(StatusCode::OK, "ready\n"),
        Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
