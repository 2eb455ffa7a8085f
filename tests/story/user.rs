//! A user who signs every byte by hand.

use crate::processes::{MODEL, Network};
use atoma_keys::SigningKey;
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, DurationMs, NetworkId, NodeId, StackId, TaskId, http,
    message::{CommitmentKind, Endpoint, LeaseQuery, Origin, Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who holds a stack's request key.
pub(crate) struct User {
    pub(crate) stack: StackId,
    key: SigningKey,
    network: NetworkId,
    node: NodeId,
    task: TaskId,
    url: String,
    ceiling: AtomicU64,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) receipt: Option<Signed<Receipt>>,
}

impl Answer {
    /// The refusal's code.
    pub(crate) fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl User {
    pub(crate) fn new(network: &Network, stack: StackId, key: SigningKey) -> Self {
        Self {
            stack,
            key,
            network: network.ledger.network(),
            node: network.node_id(),
            task: network.task,
            url: network.node.text("url").to_owned(),
            ceiling: AtomicU64::new(0),
            http: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Sends one chat request of exactly `max_tokens` tokens at most; `None` if nobody answered.
    pub(crate) async fn ask(
        &self,
        prompt: &str,
        max_tokens: u32,
        max_units: u64,
    ) -> Option<Answer> {
        let body = serde_json::json!({
            "model": MODEL,
            "messages": [{ "role": "user", "content": prompt }],
            "max_tokens": max_tokens,
        });
        let body = Bytes::from(body.to_string());
        let now = Runtime::system().now();
        let request_id = Runtime::system().request_id();
        let salt = self.key.salt_of(request_id);
        let header = RequestHeader {
            domain: Default::default(),
            network: self.network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id,
            endpoint: Endpoint::ChatCompletions,
            body_hash: salt.commit(CommitmentKind::Request, &body),
            lane: 0,
            ceiling: ComputeUnits(self.ceiling.fetch_add(max_units, Ordering::Relaxed) + max_units),
            max_units: ComputeUnits(max_units),
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(DurationMs(60_000)),
            origin: Origin::Own,
        };
        let signed = Signed::new(header, &self.key);
        let request = hyper::Request::post(format!("{}/v1/chat/completions", self.url))
            .header("content-type", "application/json")
            .header(http::REQUEST, BASE64_STANDARD.encode(signed.bytes()))
            .header(
                http::SIGNATURE,
                BASE64_STANDARD.encode(signed.signature().to_bytes()),
            )
            .header(http::SALT, &*salt.to_text())
            .body(Full::new(body))
            .expect("the request is valid");
        let response = self.http.request(request).await.ok()?;
        let status = response.status().as_u16();
        let receipt = response.headers().get(http::RECEIPT).map(|value| {
            let text = value.to_str().expect("a receipt is ASCII");
            Signed::from_text(text).expect("a receipt can be read")
        });
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some(Answer {
            status,
            body,
            receipt,
        })
    }

    /// How the lease stands, as the node says to its owner.
    pub(crate) async fn lease(&self) -> Option<Value> {
        let query = LeaseQuery {
            domain: Default::default(),
            network: self.network,
            stack: self.stack,
            node: self.node,
            asked_at_ms: Runtime::system().now(),
        };
        let query = Signed::new(query, &self.key);
        let request = hyper::Request::get(format!("{}/v1/leases/{}", self.url, self.stack))
            .header(http::QUERY, query.to_text())
            .body(Full::default())
            .expect("the request is valid");
        let response = self.http.request(request).await.ok()?;
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some(serde_json::from_slice(&body).unwrap_or_default())
    }
}
