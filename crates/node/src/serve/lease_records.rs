//! The records of a lease, for the owner of its stack alone: so that a user can have what was lost on the way, what other
//! programs asked for, and what its node would rather not show. Signing ends where a node doesn't.

use super::{
    leases::LeaseRoutes,
    respond::{ok, refuse},
};
use atoma_types::{
    StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json as object;
use std::sync::Arc;

/// Which ones are asked for.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// Those with higher numbers than this.
    #[serde(default)]
    after: u64,
}

/// Records of a lease as text, those after a number in order.
pub(super) async fn records(
    State(state): State<Arc<LeaseRoutes>>,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let found = async {
        let not_a_stack = |_| Refusal::new(RefusalCode::NotFound, "not a stack id");
        let stack: StackId = id.parse().map_err(not_a_stack)?;
        state.asked_for(stack, &headers)?;
        let no_number = |_| Refusal::new(RefusalCode::InvalidBody, "`after` is a number");
        let Query(asked) = asked.map_err(no_number)?;
        state.records.after(stack, asked.after).await
    };
    match found.await {
        Ok(records) => {
            let records = records.iter().map(|record| BASE64_STANDARD.encode(record));
            ok(&object!({ "records": records.collect::<Vec<_>>() }))
        }
        Err(refusal) => refuse(&refusal),
    }
}
