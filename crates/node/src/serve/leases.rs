//! Getting a lease by a grant, and looking at one.

use super::{
    lease_status::lease_status,
    record_pages::LeaseRecords,
    respond::{ok, refuse},
};
use crate::{concurrency::ConcurrencyLimit, lease::Lease, leases::Leases, ledger::Granter};
use atoma_http::server::{BodyLimit, Limits, read_body};
use atoma_types::{
    StackId,
    http::QUERY,
    message::{LeaseQuery, MAX_QUERY_AGE, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::HeaderMap;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct LeaseRoutes {
    pub granter: Granter,
    pub concurrency: Arc<ConcurrencyLimit>,
    pub limits: Limits,
    pub leases: Arc<Leases>,
    pub records: LeaseRecords,
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

/// How a lease stands, for the owner of its stack alone: use is private.
pub(super) async fn lease(
    State(state): State<Arc<LeaseRoutes>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = id
        .parse::<StackId>()
        .map_err(|_| Refusal::new(RefusalCode::NotFound, "not a stack id"))
        .and_then(|stack| state.asked_for(stack, &headers));
    match found {
        Ok(lease) => {
            let summary = lease.with_account(|account| account.summary());
            ok(&lease_status(lease.stack, summary))
        }
        Err(refusal) => refuse(&refusal),
    }
}

impl LeaseRoutes {
    /// The lease that a signed question is about.
    pub(super) fn asked_for(
        &self,
        stack: StackId,
        headers: &HeaderMap,
    ) -> Result<Arc<Lease>, Refusal> {
        let query = read_query(headers)?;
        let lease = self.leases.get(stack).ok_or_else(|| {
            let message = "this node holds no open lease on the stack";
            Refusal::new(RefusalCode::UnknownStack, message)
        })?;
        let asked = query.message();
        let us = &self.granter.us;
        let ours = (asked.network, asked.node, asked.stack) == (us.network, us.node, stack);
        if !ours || query.verify(&lease.verifier).is_err() {
            let message = "the question is not signed for this lease by the stack's request key";
            return Err(Refusal::new(RefusalCode::BadSignature, message));
        }
        let (now, at) = (self.granter.clock.now(), asked.asked_at_ms);
        if now.since(at).max(at.since(now)) > MAX_QUERY_AGE {
            let message = "the question is of another time: ask anew, or set the clock";
            return Err(Refusal::new(RefusalCode::Expired, message));
        }
        Ok(lease)
    }
}

fn read_query(headers: &HeaderMap) -> Result<Signed<LeaseQuery>, Refusal> {
    let Some(value) = headers.get(QUERY) else {
        let message = format!("only the stack's owner may ask: sign the question in `{QUERY}`");
        return Err(Refusal::new(RefusalCode::MissingHeader, message));
    };
    let query = value
        .to_str()
        .ok()
        .and_then(|text| Signed::from_text(text).ok());
    query.ok_or_else(|| {
        let message = format!("`{QUERY}` is not a signed question");
        Refusal::new(RefusalCode::InvalidHeader, message)
    })
}
