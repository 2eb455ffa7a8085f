//! Where the attacks are run: a ledger, a task for the built-in model, one user with money, nodes with
//! configurations of the test's own.
#![allow(dead_code, reason = "each attack uses its own part")]

use atoma_client::request_key;
use atoma_engine::{
    Engine, Upstream, UpstreamOptions, builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_http::client::{AnswerLimits, Pool, PoolOptions, get, post_json};
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, required_escrow};
use atoma_network::Network;
use atoma_node::{KeySource, Node, NodeConfig, RunningNode, ServedModel, SubscriptionConfig};
use atoma_runtime::{Runtime, SystemClock, SystemRandom};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, RequestId, StackId, TaskId, TimestampMs,
    chain::{Clock, Event, Params, Payment, Random, Selection, calls},
    http::{REQUEST, SALT, SIGNATURE},
    message::{CommitmentKind, Domain, Endpoint, RequestHeader, Salt, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

/// What nodes ask per million units.
pub(crate) const PRICE: Price = Price(2_000_000);
/// Nothing here takes longer, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The model of a server that takes its time.
pub(crate) const SLOW: &str = "slow";
/// For any answer.
const ANSWER: AnswerLimits = AnswerLimits::within(PATIENCE, 64 << 20);

/// The ledger and who is on it.
pub(crate) struct Arena {
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) task: TaskId,
    pub(crate) user: Arc<SigningKey>,
    pub(crate) request_key: SigningKey,
    pub(crate) operator: Arc<SigningKey>,
    pub(crate) http: Pool,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: Arc<dyn Engine>,
}

/// A machine's clock that the test sets: the real one, so much ahead.
#[derive(Clone, Debug, Default)]
pub(crate) struct WallClock(Arc<AtomicI64>);

impl WallClock {
    /// Sets the clock so much ahead of the real one; behind it if negative.
    pub(crate) fn set_ahead(&self, by_ms: i64) {
        self.0.store(by_ms, SeqCst);
    }

    /// A runtime of the machine's own that shows this time.
    pub(crate) fn runtime(&self) -> Runtime {
        let ahead = Arc::clone(&self.0);
        let real = Runtime::system();
        let wall = move || {
            let now = real.now().0.saturating_add_signed(ahead.load(SeqCst));
            TimestampMs(now)
        };
        Runtime {
            clock: Arc::new(SystemClock::over(wall)),
            ..Runtime::system()
        }
    }
}

impl Arena {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let network = Network::builder(folder.path())
            .params(Params {
                dispute_window_ms: 200,
                settle_grace_ms: 5_000,
                ..Params::default()
            })
            .serving(engine.clone());
        Self::of(network.start().await.unwrap(), folder).await
    }

    /// With a server behind the node that takes a hundredth of a second for each token.
    pub(crate) async fn start_slow(server: &InstantUpstream) -> Self {
        let options = UpstreamOptions::new(SLOW, vec![server.url()]);
        let engine = Upstream::connect(options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let network = Network::builder(folder.path()).serving(engine);
        Self::of(network.start().await.unwrap(), folder).await
    }

    /// Around a network that serves the built-in model and has no node yet.
    pub(crate) async fn of(network: Network, folder: tempfile::TempDir) -> Self {
        let ledger = network.ledger.clone();
        let user = Arc::new(SigningKey::generate(&SystemRandom));
        let operator = Arc::new(SigningKey::generate(&SystemRandom));
        for key in [&user, &operator] {
            ledger.faucet(key.public_key().address()).await.unwrap();
        }
        Self {
            task: network.task.unwrap(),
            engine: network.engine.clone().unwrap(),
            network,
            ledger,
            request_key: request_key(&user),
            user,
            operator,
            http: Pool::new(PoolOptions::ONE_REQUEST).unwrap(),
            folder,
        }
    }

    /// A node's configuration; the same folder every time.
    pub(crate) fn config(&self) -> NodeConfig {
        let key = KeySource::Given(self.operator.clone());
        let mut config = NodeConfig::new(self.network.localnet.url(), key, self.node_folder());
        config.settlement.tick_ms = 50;
        config.subscriptions = vec![SubscriptionConfig {
            task: self.task,
            price: PRICE,
            capacity: ComputeUnits(1 << 40),
        }];
        config
    }

    pub(crate) fn node_folder(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    pub(crate) async fn node(&self) -> RunningNode {
        self.node_with(self.config()).await
    }

    pub(crate) async fn node_with(&self, config: NodeConfig) -> RunningNode {
        Node::start(config, self.engines()).await.unwrap()
    }

    pub(crate) fn engines(&self) -> Vec<ServedModel> {
        vec![ServedModel {
            model: self.engine.info().id.clone(),
            engine: self.engine.clone(),
        }]
    }

    /// Buys a stack of the user's; `Single` leases all of it to the one node.
    pub(crate) async fn buy(&self, units: u64, selection: Selection) -> StackId {
        let task = self.ledger.task(self.task).await.unwrap();
        let db = self.ledger.db().await.unwrap();
        let total_units = ComputeUnits(units);
        let call = calls::AcquireStack {
            db: db.id.into(),
            task: task.id.into(),
            payment: Payment(required_escrow(&task, &db, total_units, PRICE).unwrap()),
            total_units,
            max_price: PRICE,
            selection,
            request_key: self.request_key.public_key(),
            lifetime_ms: DurationMs(3_600_000),
            random: Random,
            clock: Clock,
        };
        let done = self.ledger.execute(&self.user, vec![call.into()]).await;
        let bought = done
            .unwrap()
            .events
            .into_iter()
            .find_map(|event| match event {
                Event::StackAcquired(bought) => Some(bought.stack),
                _ => None,
            });
        bought.unwrap()
    }

    /// A header as a good client signs it at `now`.
    pub(crate) fn header(
        &self,
        node: NodeId,
        stack: StackId,
        body: &[u8],
        now: TimestampMs,
    ) -> RequestHeader {
        let random = Runtime::system();
        RequestHeader {
            domain: Domain::default(),
            network: self.ledger.network(),
            stack,
            node,
            task: self.task,
            request_id: RequestId::new(now, random.random.bytes()),
            endpoint: Endpoint::ChatCompletions,
            body_hash: salt().commit(CommitmentKind::Request, body),
            lane: 0,
            ceiling: ComputeUnits(1 << 40),
            max_units: ComputeUnits(1 << 40),
            issued_at_ms: now,
            expires_at_ms: TimestampMs(now.0 + 60_000),
            evidence: None,
        }
    }

    pub(crate) fn sign(&self, header: RequestHeader) -> Signed<RequestHeader> {
        Signed::new(header, &self.request_key)
    }

    /// Signs and sends.
    pub(crate) async fn send(&self, url: &str, header: RequestHeader, body: &str) -> Answer {
        self.send_signed(url, &self.sign(header), body).await
    }

    pub(crate) async fn send_signed(
        &self,
        url: &str,
        signed: &Signed<RequestHeader>,
        body: &str,
    ) -> Answer {
        let path = signed.message().endpoint.as_str();
        let mut request = post_json(&format!("{url}{path}"), body.to_owned());
        for (name, value) in signed_headers(signed) {
            let value = HeaderValue::from_str(&value).unwrap();
            request.headers_mut().insert(name, value);
        }
        Answer(self.http.ask(request, ANSWER).await.unwrap())
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        Answer(self.http.ask(get(url), ANSWER).await.unwrap())
    }
}

/// A server that answers in so many tokens, slowly.
pub(crate) async fn slow_server(tokens: u32) -> InstantUpstream {
    let options = InstantOptions {
        tokens,
        pause: Some(Duration::from_millis(10)),
        ..InstantOptions::default()
    };
    InstantUpstream::start(options).await.unwrap()
}

/// Of every request here.
pub(crate) fn salt() -> Salt {
    Salt::new([9; 32])
}

/// The three headers of a signed request.
pub(crate) fn signed_headers(signed: &Signed<RequestHeader>) -> [(&'static str, String); 3] {
    let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    [
        (REQUEST, encode(signed.bytes())),
        (SIGNATURE, encode(&signed.signature().to_bytes())),
        (SALT, encode(salt().reveal())),
    ]
}

/// A short chat.
pub(crate) fn chat(max_tokens: u32, stream: bool) -> String {
    let model = builtin::NAME;
    let message = r#"{"role":"user","content":"Say hello."}"#;
    format!(
        r#"{{"model":"{model}","messages":[{message}],"max_tokens":{max_tokens},"stream":{stream}}}"#
    )
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) Response<Bytes>);

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.0.body()).unwrap_or_default()
    }

    /// The stable code of a refusal.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        json["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Waits until `check` says so, looking again and again.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let waiting = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let over = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(over.is_ok(), "{what}");
}
