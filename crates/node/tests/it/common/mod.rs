//! A real network on loopback for the node's tests: localnet, one task, one node, one user who
//! signs by hand, so that every byte can also be wrong on purpose.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod real_server;
pub(crate) mod walrus;

use atoma_engine::{Engine, Upstream, UpstreamOptions, builtin, testing::InstantUpstream};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::{Network, create_task, engine_class, testing::TestTask};
use atoma_node::{Node, NodeConfig, RunningNode, ServedModel};
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, SecurityLevel, StackId, UnitWeights,
    chain::{Clock, Event, NewTask, Params, Stack, Task, calls},
    hash::Hash32,
    http::{QUERY, RECEIPT, RECEIPT_COMMENT, REQUEST, SALT, SIGNATURE},
    message::{CommitmentKind, Domain, LeaseQuery, Receipt, RequestHeader, Salt, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{sync::Arc, time::Duration};

/// What the node asks per million units.
pub(crate) const PRICE: Price = Price(2_000_000);
/// The highest that it may ask.
const CEILING: Price = Price(100_000_000);
/// Nothing in these tests takes longer, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Which engine the node has.
pub(crate) enum Backend {
    /// The model in the binary.
    Builtin,
    /// An instant server over HTTP.
    Upstream(InstantUpstream),
    /// An engine that the test made.
    Given(Arc<dyn Engine>),
}

/// Ledger, task and user; nodes come and go.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) user: SigningKey,
    pub(crate) request_key: SigningKey,
    pub(crate) operator: Arc<SigningKey>,
    pub(crate) task: Task,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) backend: Backend,
    pub(crate) http: HttpClient,
    pub(crate) dir: tempfile::TempDir,
}

impl World {
    /// Starts a ledger with a short dispute window and makes a task for the backend's model.
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::secured_by(SecurityLevel::None, backend).await
    }

    /// The same with a task that is secured so; releases are good at once.
    pub(crate) async fn secured_by(security: SecurityLevel, backend: Backend) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let params = Params {
            dispute_window_ms: 0,
            release_delay_ms: 0,
            ..Params::default()
        };
        let network = Network::builder(dir.path()).params(params).start();
        let network = network.await.unwrap();
        let ledger = network.ledger.clone();
        let (user, operator) = (
            SigningKey::generate(&SystemRandom),
            Arc::new(SigningKey::generate(&SystemRandom)),
        );
        for key in [&user, operator.as_ref()] {
            ledger.faucet(key.public_key().address()).await.unwrap();
        }
        let engine: Arc<dyn Engine> = match &backend {
            Backend::Builtin => Arc::new(builtin::load().unwrap()),
            Backend::Upstream(server) => {
                Upstream::connect(UpstreamOptions::new("instant", vec![server.url()])).unwrap()
            }
            Backend::Given(engine) => engine.clone(),
        };
        let info = engine.info();
        let task = NewTask {
            weights: UnitWeights {
                cached_input: 1_000,
                ..UnitWeights::TEXT
            },
            security,
            ..NewTask::chat(info.id.clone(), engine_class(info), CEILING)
        };
        let task = create_task(&ledger, &operator, task).await.unwrap();
        let task = ledger.task(task).await.unwrap();
        let http = Client::builder(TokioExecutor::new()).build_http();
        let request_key = SigningKey::generate(&SystemRandom);
        Self {
            network,
            ledger,
            user,
            request_key,
            operator,
            task,
            engine,
            backend,
            http,
            dir,
        }
    }

    fn test_task(&self) -> TestTask<'_> {
        TestTask {
            ledger: &self.ledger,
            task: self.task.id,
            price: PRICE,
        }
    }

    /// The node's configuration; the same data directory every time.
    pub(crate) fn config(&self) -> NodeConfig {
        self.test_task().node(&self.operator, self.node_dir())
    }

    /// Another node's, with a wallet and a folder of its own.
    pub(crate) fn config_of(
        &self,
        wallet: &Arc<SigningKey>,
        folder: std::path::PathBuf,
    ) -> NodeConfig {
        self.test_task().node(wallet, folder)
    }

    pub(crate) fn node_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("node")
    }

    pub(crate) async fn node(&self) -> RunningNode {
        self.node_with(self.config()).await
    }

    pub(crate) async fn node_with(&self, config: NodeConfig) -> RunningNode {
        self.node_over(config, self.engine.clone()).await
    }

    /// A node with an engine of its own, of the task's class.
    pub(crate) async fn node_over(
        &self,
        config: NodeConfig,
        engine: Arc<dyn Engine>,
    ) -> RunningNode {
        let model = self.task.model_name.clone();
        Node::start(config, vec![ServedModel { model, engine }])
            .await
            .unwrap()
    }

    /// Buys a stack whose one lease is the node's.
    pub(crate) async fn buy(&self, units: u64) -> StackId {
        self.test_task()
            .lease(&self.user, &self.request_key, units)
            .await
    }

    /// Buys a stack whose one lease is this node's, one of several.
    pub(crate) async fn lease_of(&self, node: NodeId, units: u64) -> StackId {
        let task = self.test_task();
        let key = self.request_key.public_key();
        let stack = task.buy(&self.user, key, units).await;
        let grant = task.grant(node, stack, units, &self.request_key);
        let url = self.ledger.node(node).await.unwrap().url;
        let body = format!("{{\"grant\":\"{}\"}}", grant.to_text());
        // a node with one place may have it taken by another node, which leases just now
        eventually("the node takes the grant", || async {
            let request = Request::post(format!("{url}/v1/leases"))
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(body.clone())))
                .unwrap();
            let taken = post(&self.http, request).await;
            let is_busy = taken.status == StatusCode::TOO_MANY_REQUESTS;
            assert!(is_busy || taken.status == StatusCode::OK, "{taken:?}");
            !is_busy
        })
        .await;
        stack
    }

    /// The owner ends the stack, so that the node settles it.
    pub(crate) async fn begin_close(&self, stack: StackId) {
        let call = calls::BeginClose {
            stack: stack.into(),
            clock: Clock,
        };
        self.ledger
            .execute(&self.user, vec![call.into()])
            .await
            .unwrap();
    }

    /// The owner takes out what is free.
    pub(crate) async fn withdraw(&self, stack: StackId) {
        let call = calls::WithdrawFree {
            stack: stack.into(),
            to: self.user.public_key().address(),
        };
        let done = self.ledger.execute(&self.user, vec![call.into()]);
        done.await.unwrap();
    }

    /// Waits for the node to settle and claim all of a stack that has ended; what it was paid for.
    pub(crate) async fn paid(
        &self,
        stack: StackId,
        node: NodeId,
    ) -> (ComputeUnits, MicroUsdc, Stack) {
        let waiting = async {
            let (mut paid, mut events) = (MicroUsdc::ZERO, self.ledger.events(None));
            while let Some(event) = futures::StreamExt::next(&mut events).await {
                match event.unwrap().event {
                    Event::Claimed(e) if (e.stack, e.node) == (stack, node) => {
                        paid.0 += e.paid.0;
                    }
                    Event::LeaseClosed(e) if (e.stack, e.node) == (stack, node) => break,
                    _ => {}
                }
            }
            paid
        };
        let paid = tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("settled and claimed");
        let stack = self.ledger.stack(stack).await.unwrap();
        (stack.lease(node).unwrap().paid_units, paid, stack)
    }

    /// A header as a good client would sign it.
    pub(crate) fn header(&self, node: NodeId, stack: StackId, body: &[u8]) -> RequestHeader {
        let now = Runtime::system().now();
        let body_hash = salt().commit(CommitmentKind::Request, body);
        self.test_task().header(node, stack, body_hash, now)
    }

    /// A chat with a fixed prompt.
    pub(crate) fn chat(&self, more: &str) -> String {
        let model = &self.task.model_name;
        let message = r#"{"role":"user","content":"What is the capital of France?"}"#;
        format!(r#"{{"model":"{model}","messages":[{message}]{more}}}"#)
    }

    /// Signs and sends.
    pub(crate) async fn send(&self, url: &str, header: RequestHeader, body: &str) -> Answer {
        let signed = Signed::new(header, &self.request_key);
        self.send_signed(url, &signed, body).await
    }

    pub(crate) async fn send_signed(
        &self,
        url: &str,
        signed: &Signed<RequestHeader>,
        body: &str,
    ) -> Answer {
        let endpoint = signed.message().endpoint;
        let request = signed_request(url, endpoint.as_str(), signed, body.to_owned());
        post(&self.http, request).await
    }

    pub(crate) async fn text(&self, url: String) -> String {
        let request = Request::get(url).body(Full::default()).unwrap();
        let answer = post(&self.http, request).await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    pub(crate) async fn get(&self, url: String) -> (StatusCode, serde_json::Value) {
        let request = Request::get(url).body(Full::default()).unwrap();
        let answer = post(&self.http, request).await;
        let value = serde_json::from_slice(&answer.body).unwrap_or_default();
        (answer.status, value)
    }

    /// How a lease stands, as its owner asks the node.
    pub(crate) async fn lease(&self, url: &str, node: NodeId, stack: StackId) -> serde_json::Value {
        let query = LeaseQuery {
            domain: Domain::default(),
            network: self.ledger.network(),
            stack,
            node,
            asked_at_ms: Runtime::system().now(),
        };
        let query = Signed::new(query, &self.request_key);
        let request = Request::get(format!("{url}/v1/leases/{stack}"))
            .header(QUERY, query.to_text())
            .body(Full::default())
            .unwrap();
        post(&self.http, request).await.json()
    }

    /// Money is conserved on the ledger.
    pub(crate) fn audit(&self) {
        self.network.localnet.audit().unwrap();
    }
}

/// Of every request here.
pub(crate) fn salt() -> Salt {
    Salt::new([9; 32])
}

/// A request with its three headers.
pub(crate) fn signed_request(
    url: &str,
    path: &str,
    signed: &Signed<RequestHeader>,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    Request::post(format!("{url}{path}"))
        .header(REQUEST, BASE64_STANDARD.encode(signed.bytes()))
        .header(
            SIGNATURE,
            BASE64_STANDARD.encode(signed.signature().to_bytes()),
        )
        .header(SALT, &*salt().to_text())
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) async fn post(http: &HttpClient, request: Request<Full<Bytes>>) -> Answer {
    let answer = async {
        let response = http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    };
    tokio::time::timeout(PATIENCE, answer)
        .await
        .expect("an answer in time")
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        body["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The receipt in the header or the stream, with the commitment to what it covers.
    pub(crate) fn receipt(&self) -> (Signed<Receipt>, Hash32) {
        if let Some(text) = self.headers.get(RECEIPT) {
            let receipt = Signed::from_text(text.to_str().unwrap()).unwrap();
            return (receipt, salt().commit(CommitmentKind::Answer, &self.body));
        }
        let text = std::str::from_utf8(&self.body).unwrap();
        let at = text.find(RECEIPT_COMMENT).expect("a receipt");
        let end = text[at..].find("\n\n").unwrap() + at;
        assert_eq!(&text[end..], "\n\ndata: [DONE]\n\n");
        let receipt = Signed::from_text(&text[at + RECEIPT_COMMENT.len()..end]).unwrap();
        (
            receipt,
            salt().commit(CommitmentKind::Answer, &self.body[..at]),
        )
    }
}

/// What the node gets for units: their price less the protocol's fee.
pub(crate) fn earned(units: ComputeUnits) -> MicroUsdc {
    let pay = PRICE.cost(units).unwrap();
    let fee = pay
        .permille(Params::default().protocol_fee_permille)
        .unwrap();
    pay.checked_sub(fee).unwrap()
}

/// Waits until `check` says so, looking again and again.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let waiting = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
        "{what}"
    );
}
