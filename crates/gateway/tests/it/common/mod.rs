//! A whole network for a test: ledger, nodes with the built-in model, gateway; on loopback ports
//! that the system picks, in a folder that goes away.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use atoma_engine::{Engine, builtin};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, RequestLimits, RunningGateway,
    StackPolicy,
};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::{NetworkBuilder, create_task, engine_class, subscribe_unreachable_node};
use atoma_node::SettlementConfig;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, TaskId,
    chain::{NewTask, Params},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy, rt::TokioExecutor};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};
use tempfile::TempDir;

pub const MODEL: &str = builtin::NAME;
/// A model that is on the ledger and whose only node is down.
pub const DEAD_MODEL: &str = "atoma-dead";
const CEILING: Price = Price(5_000_000);

pub struct Network {
    pub parts: atoma_network::Network,
    pub ledger: Ledger,
    pub task: TaskId,
    pub key: ApiKey,
    pub poor: ApiKey,
    pub narrow: ApiKey,
    pub wallet: Arc<SigningKey>,
    pub folder: TempDir,
}

impl Network {
    /// Nodes at these prices, in micro-USDC per million units.
    pub async fn start(prices: &[u64]) -> Self {
        Self::start_with(prices, |builder| builder).await
    }

    /// The same, built otherwise.
    pub async fn start_with(
        prices: &[u64],
        change: impl FnOnce(NetworkBuilder) -> NetworkBuilder,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(builtin::load().unwrap());
        let mut builder = atoma_network::Network::builder(folder.path())
            .params(Params {
                dispute_window_ms: 200,
                settle_grace_ms: 5_000,
                release_delay_ms: 0,
                ..Params::default()
            })
            .price_ceiling(CEILING)
            .settlement(SettlementConfig::default())
            .serving(engine.clone());
        for &price in prices {
            builder = builder.node(Price(price));
        }
        let parts = change(builder).start().await.unwrap();
        let ledger = parts.ledger.clone();
        let wallet = Arc::new(SigningKey::generate(&SystemRandom));
        ledger.faucet(wallet.public_key().address()).await.unwrap();
        let dead = NewTask::chat(DEAD_MODEL, engine_class(engine.info()), CEILING);
        let dead = create_task(&ledger, &parts.operator, dead).await.unwrap();
        subscribe_unreachable_node(&ledger, &parts.operator, dead, Price(1_000_000))
            .await
            .unwrap();
        Self {
            task: parts.task.unwrap(),
            ledger,
            parts,
            key: ApiKey::generate(&SystemRandom),
            poor: ApiKey::generate(&SystemRandom),
            narrow: ApiKey::generate(&SystemRandom),
            wallet,
            folder,
        }
    }

    pub fn config(&self) -> GatewayConfig {
        let key = |name: &str, key: &ApiKey, budget, max_concurrent| ApiKeyConfig {
            name: name.to_owned(),
            hash: key.hash(),
            budget: MicroUsdc(budget),
            max_concurrent,
        };
        GatewayConfig {
            ledger: self.parts.localnet.url(),
            deployment: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            data_dir: self.data_dir(),
            api_keys: vec![
                key("rich", &self.key, 100_000_000, None),
                key("poor", &self.poor, 1, None),
                key("narrow", &self.narrow, 100_000_000, Some(1)),
            ],
            budget: MicroUsdc(500_000_000),
            policy: StackPolicy {
                // the dearest node is used, too
                max_price: Some(CEILING),
                stack_units: ComputeUnits(1_000_000),
                grant_units: ComputeUnits(100_000),
                ..StackPolicy::default()
            },
            models: Vec::new(),
            limits: Limits::default(),
            requests: RequestLimits::default(),
            local_nodes: true,
            watch_settlements: true,
            no_forward: false,
            max_bonds: MicroUsdc::ZERO,
            close_stacks_on_stop: true,
            own_use: false,
            client_dir: None,
            confidential: None,
            through: None,
            purchases: None,
            runtime: Runtime::default(),
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("gateway")
    }

    pub async fn gateway(&self, config: GatewayConfig) -> RunningGateway {
        Gateway::start(config, Arc::clone(&self.wallet))
            .await
            .unwrap()
    }

    pub async fn node_url(&self, node: NodeId) -> String {
        self.ledger.node(node).await.unwrap().url
    }
}

/// An answer, all of it.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A user who knows HTTP and nothing else.
#[derive(Clone)]
pub struct User {
    http: legacy::Client<legacy::connect::HttpConnector, Full<Bytes>>,
    url: String,
    key: String,
}

impl User {
    pub fn new(gateway: &RunningGateway, key: &ApiKey) -> Self {
        Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            url: gateway.url(),
            key: key.reveal().to_owned(),
        }
    }

    /// Somebody without a key.
    pub fn at(url: String) -> Self {
        Self {
            http: legacy::Client::builder(TokioExecutor::new()).build_http(),
            url,
            key: String::new(),
        }
    }

    /// A stream whose reader decides how far it is read.
    pub async fn open_stream(&self, max_tokens: u32) -> Incoming {
        let request = self.request(
            Method::POST,
            "/v1/chat/completions",
            chat_body(MODEL, max_tokens, true).into(),
        );
        let response = self.http.request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Request<Full<Bytes>> {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .unwrap()
    }

    pub async fn ask(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = self.request(method, path, body.into());
        let (head, body) = self.http.request(request).await.unwrap().into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// Bytes that say that they are sealed.
    pub async fn sealed(&self, method: Method, path: &str, body: &'static [u8]) -> Answer {
        let mut request = self.request(method, path, Bytes::from_static(body));
        let sealed = "application/vnd.atoma.sealed".parse().unwrap();
        request.headers_mut().insert("content-type", sealed);
        let (head, body) = self.http.request(request).await.unwrap().into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub async fn chat(&self, max_tokens: u32, stream: bool) -> Answer {
        self.ask(
            Method::POST,
            "/v1/chat/completions",
            chat_body(MODEL, max_tokens, stream),
        )
        .await
    }
}

pub fn chat_body(model: &str, max_tokens: u32, stream: bool) -> String {
    serde_json::json!({
        "model": model,
        "messages": [{ "role": "user", "content": "Say hello." }],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": stream,
    })
    .to_string()
}
