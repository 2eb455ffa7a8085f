//! The operator's port: metrics, health, leases, settlement by word. Not for the public.

use crate::{
    account::Phase,
    evidence::EvidenceLog,
    journal::Journal,
    leases::Leases,
    metrics::{Metrics, Now},
    serve::{Readiness, healthz, json, lease_status, ok, readyz, refuse, text},
    tasks::Tasks,
};
use atoma_runtime::WithCauses;
use atoma_types::{
    StackId,
    http::OPERATOR,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode, header::HOST, uri::Authority};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::Notify;

/// What the operator's routes need.
#[derive(Debug)]
pub(crate) struct Operator {
    pub metrics: Arc<Metrics>,
    pub leases: Arc<Leases>,
    pub tasks: Arc<Tasks>,
    pub journal: Journal,
    /// Where evidence is kept; none without a Walrus.
    pub evidence: Option<Arc<EvidenceLog>>,
    /// Wakes the settler before its time.
    pub settle_now: Arc<Notify>,
}

/// All routes of the operator's port.
pub(crate) fn router(operator: Operator, readiness: Arc<Readiness>) -> Router {
    let health = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(readiness);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/admin/leases", get(leases))
        .route("/admin/settle/{stack}", post(settle))
        .with_state(Arc::new(operator))
        .merge(health)
}

async fn metrics(State(operator): State<Arc<Operator>>) -> Response {
    let (open, reserved) = operator.leases.load();
    let evidence = operator.evidence.as_ref();
    let backlog = evidence.map_or(0, |evidence| evidence.backlog());
    let now = Now {
        leases: open,
        reserved,
        backlog,
        ids: operator.leases.ids(),
        prefixes: operator.tasks.prefixes(),
    };
    text(StatusCode::OK, operator.metrics.encode(&now))
}

/// Leases and settlements are for who came to this very port on purpose. A page in the operator's
/// browser can neither send our header to another site, nor be of a site without a name.
fn check_operator(headers: &HeaderMap) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::new(RefusalCode::NotFound, message));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let named = host.is_none_or(|host| {
        let name = host.host();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name != "localhost" && bare.parse::<IpAddr>().is_err()
    });
    if named {
        return refuse("the operator's port is reached by its address, not by a name".to_owned());
    }
    if !headers.contains_key(OPERATOR) {
        return refuse(format!(
            "the operator says so with the header `{OPERATOR}: yes`"
        ));
    }
    Ok(())
}

async fn leases(State(operator): State<Arc<Operator>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = check_operator(&headers) {
        return refuse(&refusal);
    }
    let leases = operator.leases.all();
    let leases: Vec<_> = leases
        .iter()
        .map(|lease| lease_status(lease.stack, lease.with_account(|account| account.summary())))
        .collect();
    ok(&leases)
}

/// Settles a lease now: it takes no more requests, and its claim goes to the ledger when those
/// that run are done.
async fn settle(
    State(operator): State<Arc<Operator>>,
    Path(stack): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = check_operator(&headers) {
        return refuse(&refusal);
    }
    let lease = stack
        .parse::<StackId>()
        .ok()
        .and_then(|stack| operator.leases.get(stack));
    let Some(lease) = lease else {
        return refuse(&Refusal::new(
            RefusalCode::UnknownStack,
            "no open lease on this stack",
        ));
    };
    let ack = lease.save(&operator.journal, Vec::new(), |account| {
        account.advance(Phase::Settling);
    });
    if let Err(error) = ack.durable().await {
        return refuse(&Refusal::new(
            RefusalCode::Internal,
            WithCauses(&error).to_string(),
        ));
    }
    operator.settle_now.notify_one();
    json(StatusCode::ACCEPTED, "{}")
}
