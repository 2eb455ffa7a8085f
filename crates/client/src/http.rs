//! Talking to nodes: one pool of connections for all, http and https, without Nagle's delay.

use crate::{ClientError, MalformedAnswer, node_info::NodeInfo};
use atoma_http::{Body, Limits, Pool};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A node that takes no connection by then is taken for dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed before servers usually do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections kept per node.
const IDLE_PER_NODE: usize = 256;
/// Longer than any answer that isn't the model's: receipts, leases, refusals.
pub(crate) const MAX_SMALL_BYTES: usize = 256 * 1024;
/// Small questions get small answers, soon; a grant waits for the ledger.
const SMALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The pool.
#[derive(Clone, Debug)]
pub(crate) struct Http(Pool);

impl Http {
    pub(crate) fn new() -> Result<Self, ClientError> {
        let pool = Pool::new(Limits {
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            idle_per_server: IDLE_PER_NODE,
            keepalive: None,
        })
        .map_err(|e| ClientError::Store(format!("TLS: {}", describe(&e))))?;
        Ok(Self(pool))
    }

    /// Sends a request. What fails before anything was sent is `Unreachable`, later `Broken`.
    pub(crate) async fn send(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, ClientError> {
        self.0.send(request).await.map_err(|error| {
            let reason = describe(&error);
            if error.is_connect() {
                ClientError::Unreachable {
                    node: node.id,
                    url: node.url.clone(),
                    reason,
                }
            } else {
                ClientError::Broken {
                    node: node.id,
                    reason,
                }
            }
        })
    }

    /// A small question with a JSON answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
    ) -> Result<T, ClientError> {
        let answer = async {
            let response = self.send(node, request).await?;
            let status = response.status();
            Ok::<_, ClientError>((status, small(node, response).await?))
        };
        let late = |_| ClientError::TimedOut {
            what: "the node's answer",
            after: SMALL_TIMEOUT,
        };
        let (status, body) = tokio::time::timeout(SMALL_TIMEOUT, answer)
            .await
            .map_err(late)??;
        if status != StatusCode::OK {
            return Err(ClientError::refused(node.id, status, &body));
        }
        serde_json::from_slice(&body).map_err(|e| ClientError::Malformed {
            node: node.id,
            reason: MalformedAnswer::Json(e),
        })
    }

    /// `GET` of a path.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        node: &NodeInfo,
        path: &str,
    ) -> Result<T, ClientError> {
        let request = Request::get(node.at(path)).body(Full::default());
        self.ask(node, request.map_err(|e| bad_url(node, &e))?)
            .await
    }
}

/// The whole of a small body.
pub(crate) async fn small(node: &NodeInfo, response: Response<Body>) -> Result<Bytes, ClientError> {
    let body = Limited::new(response.into_body(), MAX_SMALL_BYTES);
    let whole = body.collect().await.map_err(|e| ClientError::Broken {
        node: node.id,
        reason: e.to_string(),
    })?;
    Ok(whole.to_bytes())
}

pub(crate) fn bad_url(node: &NodeInfo, error: &http::Error) -> ClientError {
    ClientError::Unreachable {
        node: node.id,
        url: node.url.clone(),
        reason: error.to_string(),
    }
}

/// An error with its causes: the outermost often says nothing.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
