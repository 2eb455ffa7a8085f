//! Talking to nodes: one pool of connections for all, http and https, without Nagle's delay.

use crate::{ClientError, MalformedAnswer, NodeReach, node_info::NodeInfo};
use atoma_http::client::{AnswerLimits, Body, Error, Pool, PoolOptions, get};
use atoma_runtime::Sockets;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A node that takes no connection by then is taken for dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed before servers usually do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections kept per node.
const IDLE_PER_NODE: usize = 256;
/// Answers that aren't the model's (receipts, leases, refusals) are small and come soon; a grant waits
/// for the ledger.
const SMALL_ANSWER: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), 256 * 1024);

/// The connections to all nodes.
#[derive(Clone, Debug)]
pub(crate) struct Http(Pool);

impl Http {
    pub(crate) fn new(sockets: Sockets, reach: NodeReach) -> Result<Self, ClientError> {
        let options = PoolOptions {
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            idle_per_server: IDLE_PER_NODE,
            keepalive: None,
        };
        let pool = match reach {
            NodeReach::Anywhere => Pool::over(sockets, options),
            NodeReach::Public => Pool::public_only(sockets, options),
        };
        let pool = pool.map_err(ClientError::Tls)?;
        Ok(Self(pool))
    }

    /// Sends a request and waits so long for the head of its answer. What fails before anything was sent is `Unreachable`, later `Broken`.
    pub(crate) async fn send(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
        answer_begins: Duration,
    ) -> Result<Response<Body>, ClientError> {
        match tokio::time::timeout(answer_begins, self.0.send(request)).await {
            Ok(answered) => answered.map_err(|e| failed(node, e)),
            Err(_) => Err(ClientError::TimedOut {
                what: "the node's answer",
                after: answer_begins,
            }),
        }
    }

    /// A small question with a JSON answer.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
    ) -> Result<T, ClientError> {
        self.ask_within(node, request, SMALL_ANSWER).await
    }

    /// The same with limits of its own.
    pub(crate) async fn ask_within<T: DeserializeOwned>(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
        limits: AnswerLimits,
    ) -> Result<T, ClientError> {
        let answer = self.ok(node, request, limits).await?;
        serde_json::from_slice(&answer).map_err(|e| ClientError::Malformed {
            node: node.id,
            reason: MalformedAnswer::Json(e),
        })
    }

    /// `GET` of a path whose answer is bytes.
    pub(crate) async fn bytes(
        &self,
        node: &NodeInfo,
        path: &str,
        limits: AnswerLimits,
    ) -> Result<Bytes, ClientError> {
        self.ok(node, get(&node.at(path)), limits).await
    }

    /// The body of a good answer.
    async fn ok(
        &self,
        node: &NodeInfo,
        request: Request<Full<Bytes>>,
        limits: AnswerLimits,
    ) -> Result<Bytes, ClientError> {
        let answer = self.0.ask(request, limits).await;
        let answer = answer.map_err(|e| failed(node, e))?;
        if answer.status() != StatusCode::OK {
            return Err(ClientError::refused(
                node.id,
                answer.status(),
                answer.body(),
            ));
        }
        Ok(answer.into_body())
    }

    /// `GET` of a path.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        node: &NodeInfo,
        path: &str,
    ) -> Result<T, ClientError> {
        self.ask(node, get(&node.at(path))).await
    }
}

/// The whole of a small body.
pub(crate) async fn small(node: &NodeInfo, response: Response<Body>) -> Result<Bytes, ClientError> {
    let whole = response.into_body().whole(SMALL_ANSWER).await;
    whole.map_err(|e| failed(node, e))
}

fn failed(node: &NodeInfo, error: Error) -> ClientError {
    if error.is_connect() {
        return ClientError::Unreachable {
            node: node.id,
            url: node.url.clone(),
            source: error,
        };
    }
    if error.is_timeout() {
        return ClientError::TimedOut {
            what: "the node's answer",
            after: SMALL_ANSWER.total,
        };
    }
    ClientError::Broken {
        node: node.id,
        source: error,
    }
}

/// The node's URL on the ledger is none, so no request can be made of it.
pub(crate) fn bad_url(node: &NodeInfo) -> ClientError {
    ClientError::Unreachable {
        node: node.id,
        url: node.url.clone(),
        source: Error::Url,
    }
}
