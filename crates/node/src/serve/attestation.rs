//! The evidence that nobody can look into this node.

use super::respond::{bytes, refuse};
use crate::confidential::Guest;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use std::sync::Arc;

/// The guest, where the node is one.
#[derive(Clone, Debug)]
pub(crate) struct Attestation(pub Option<Arc<Guest>>);

/// `GET /v1/attestation`: the bundle that is registered; with `?nonce=` and 64 hex digits one that is made for it.
pub(super) async fn attestation(
    State(Attestation(guest)): State<Attestation>,
    RawQuery(query): RawQuery,
) -> Response {
    let shown = match guest {
        Some(guest) => shown(&guest, query.as_deref()).await,
        None => Err(none()),
    };
    shown.map_or_else(|refusal| refuse(&refusal), bytes)
}

async fn shown(guest: &Guest, query: Option<&str>) -> Result<bytes::Bytes, Refusal> {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        return guest.bundle().ok_or_else(none);
    };
    let nonce = query
        .strip_prefix("nonce=")
        .and_then(|hex| hex.parse().ok());
    let nonce = nonce.ok_or_else(|| {
        let message = "the question takes `nonce=` with 64 hex digits, or nothing";
        Refusal::new(RefusalCode::InvalidBody, message).param("nonce")
    })?;
    guest.answer(nonce).await
}

fn none() -> Refusal {
    let message = "nothing shows that nobody looks into this node";
    Refusal::new(RefusalCode::NotFound, message)
}
