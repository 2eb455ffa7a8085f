//! The node's routes, and what it answers beside its acts: receipts, lanes, records, grants.

use super::{Scripted, acts::chat};
use atoma_types::{
    RequestId, StackId,
    chain::{Clock, calls},
    http::{RECEIPT, REQUEST, SIGNATURE},
    message::{EvidenceLeaf, Grant, MessageSignature, Receipt, RequestHeader, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONNECTION},
    middleware::map_response,
    routing::{get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

impl Scripted {
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/receipts/{id}", get(receipt))
            .route("/v1/leases", post(grant))
            .route("/v1/leases/{stack}", get(lease))
            .route("/v1/leases/{stack}/records", get(records))
            .layer(map_response(closed))
            .with_state(self)
    }
}

pub(super) fn signed_header(headers: &HeaderMap) -> Signed<RequestHeader> {
    let bytes = |name| BASE64_STANDARD.decode(headers.get(name).unwrap()).unwrap();
    let signature = MessageSignature::try_from(bytes(SIGNATURE).as_slice()).unwrap();
    Signed::decode(bytes(REQUEST), signature).unwrap()
}

pub(super) fn respond(
    status: StatusCode,
    kind: &str,
    receipt: Option<&str>,
    body: Body,
) -> Response<Body> {
    let mut response = Response::builder()
        .status(status)
        .header("content-type", kind);
    if let Some(receipt) = receipt {
        response = response.header(RECEIPT, receipt);
    }
    response.body(body).unwrap()
}

pub(super) fn refuse(code: RefusalCode, needed: u64) -> Response<Body> {
    let refusal = Refusal::new(code, "as scripted").needed(needed);
    let status = StatusCode::from_u16(code.status()).unwrap();
    respond(status, "application/json", None, refusal.to_json().into())
}

/// Each answer has a connection of its own: a node that leaves has none left.
async fn closed(mut response: Response<Body>) -> Response<Body> {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn json_or_404(value: Option<Value>) -> Response<Body> {
    match value {
        Some(value) => respond(
            StatusCode::OK,
            "application/json",
            None,
            value.to_string().into(),
        ),
        None => refuse(RefusalCode::NotFound, 0),
    }
}

async fn receipt(
    State(node): State<Arc<Scripted>>,
    Path(id): Path<String>,
    Query(of): Query<HashMap<String, StackId>>,
) -> Response<Body> {
    let account = node.account.lock();
    if account.is_silent || account.is_away {
        return refuse(RefusalCode::Unavailable, 0);
    }
    let request: RequestId = id.parse().unwrap();
    let mut kept = account.kept.get(&(of["stack"], request)).cloned();
    kept = kept.filter(|_| !account.hides_receipts);
    if let (Some(text), Some(change)) = (&mut kept, account.shows) {
        *text = node
            .changed(&Signed::from_text(text).unwrap(), change)
            .to_text();
    }
    drop(account);
    json_or_404(kept.map(|text| json!({ "request_id": id, "receipt": text })))
}

async fn lease(State(node): State<Arc<Scripted>>, Path(_): Path<String>) -> Response<Body> {
    let account = node.account.lock();
    let lanes: Vec<Value> = account
        .lanes
        .iter()
        .map(|(lane, committed)| json!({ "lane": lane, "ceiling": committed, "committed": committed }))
        .collect();
    json_or_404(Some(json!({ "running": [], "lanes": lanes })))
}

/// All that it has in truth, after a number.
async fn records(
    State(node): State<Arc<Scripted>>,
    Path(_): Path<String>,
    Query(after): Query<HashMap<String, u64>>,
) -> Response<Body> {
    let stalls = {
        let account = &mut *node.account.lock();
        account.pages += 1;
        account.stalls
    };
    if stalls {
        node.stalled.notify_one();
        std::future::pending::<()>().await;
    }
    let account = node.account.lock();
    if account.is_away {
        return refuse(RefusalCode::Unavailable, 0);
    }
    if let (Some((junk, many)), Some(last)) = (account.junk, account.records.last()) {
        let leaf = |_| node.junk(junk, last, after["after"]).to_bytes();
        let page = (0..many).map(|number| BASE64_STANDARD.encode(leaf(number)));
        return json_or_404(Some(json!({ "records": page.collect::<Vec<_>>() })));
    }
    if let (Some(step), Some((header, last))) = (account.drips, account.records.last()) {
        let seq = after["after"] + step;
        let copy = Receipt {
            seq,
            ..last.message().clone()
        };
        let copy = Signed::new(copy, &node.response_key);
        let leaf = EvidenceLeaf::new(header, &copy).to_bytes();
        return json_or_404(Some(json!({ "records": [BASE64_STANDARD.encode(leaf)] })));
    }
    let records = account
        .records
        .iter()
        .filter(|(_, receipt)| !account.withholds && receipt.message().seq > after["after"]);
    let records: Vec<String> = records
        .map(|(header, receipt)| {
            BASE64_STANDARD.encode(EvidenceLeaf::new(header, receipt).to_bytes())
        })
        .collect();
    json_or_404(Some(json!({ "records": records })))
}

/// Takes the grant to the ledger, as a node must.
async fn grant(State(node): State<Arc<Scripted>>, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let grant = Signed::<Grant>::from_text(body["grant"].as_str().unwrap()).unwrap();
    let stack = node.ledger.stack(grant.message().stack).await.unwrap();
    let call = calls::Lease {
        db: node.ledger.deployment().db.into(),
        stack: stack.id.into(),
        task: stack.task.into(),
        node: node.id.into(),
        grant: grant.bytes().to_vec(),
        signature: grant.signature().to_bytes(),
        clock: Clock,
    };
    match node.ledger.execute(&node.owner, vec![call.into()]).await {
        Ok(_) => json_or_404(Some(json!({ "stack": stack.id }))),
        Err(_) => refuse(RefusalCode::StackExpired, 0),
    }
}
