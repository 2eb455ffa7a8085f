//! Getting a lease by a grant, and looking at one.

use super::{
    lease_status::lease_status,
    respond::{ok, refuse},
};
use crate::{concurrency::ConcurrencyLimit, leases::Leases, ledger::Granter};
use atoma_http::server::{BodyLimit, Limits, read_body};
use atoma_types::{
    StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct LeaseRoutes {
    pub granter: Granter,
    pub concurrency: Arc<ConcurrencyLimit>,
    pub limits: Limits,
    pub leases: Arc<Leases>,
}

/// Bytes of a grant's body, a signed message in text. It is open to everybody, so no more is held.
const MAX_GRANT_BYTES: usize = 64 << 10;

/// The body of `POST /v1/leases`.
#[derive(Deserialize)]
struct GrantBody {
    grant: String,
}

pub(super) async fn take_grant(
    State(state): State<Arc<LeaseRoutes>>,
    request: Request,
) -> Response {
    let taken = async {
        let (parts, body) = request.into_parts();
        let limit = BodyLimit {
            max_bytes: MAX_GRANT_BYTES,
            ..BodyLimit::new(&state.limits)
        };
        let bytes = read_body(&parts.headers, body, limit, |_| ()).await?;
        // not before the body is here, for anyone may ask; held so that a drain waits for the ledger's
        // answer
        let _permit = state.concurrency.enter()?;
        let body: GrantBody = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::new(RefusalCode::InvalidBody, error.to_string()))?;
        state.granter.take(&body.grant).await
    };
    match taken.await {
        Ok(lease) => ok(&lease),
        Err(refusal) => {
            state.granter.metrics.refused(refusal.code);
            refuse(&refusal)
        }
    }
}

pub(super) async fn lease(
    State(state): State<Arc<LeaseRoutes>>,
    Path(id): Path<String>,
) -> Response {
    let Ok(stack) = id.parse::<StackId>() else {
        return refuse(&Refusal::new(RefusalCode::NotFound, "not a stack id"));
    };
    match state.leases.get(stack) {
        Some(lease) => ok(&lease_status(
            stack,
            lease.with_account(|account| account.summary()),
        )),
        None => {
            let message = "this node holds no open lease on the stack";
            refuse(&Refusal::new(RefusalCode::UnknownStack, message))
        }
    }
}
