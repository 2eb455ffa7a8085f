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
use atoma_ledger::Ledger;
use atoma_network::{Network, NetworkBuilder, testing::TestTask};
use atoma_node::{EvidenceConfig, Node, NodeConfig, RunningNode, ServedModel};
use atoma_runtime::{Runtime, SystemClock, SystemRandom};
use atoma_types::{
    NodeId, Price, StackId, TaskId, TimestampMs,
    chain::{Clock, Params, calls},
    http::{REQUEST, SALT, SIGNATURE},
    message::{CommitmentKind, Grant, RequestHeader, Salt, Signed},
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
        Self::built_in(|network| network).await
    }

    /// With a Walrus.
    pub(crate) async fn start_with_walrus() -> Self {
        Self::built_in(NetworkBuilder::walrus).await
    }

    async fn built_in(change: impl FnOnce(NetworkBuilder) -> NetworkBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let network = Network::builder(folder.path())
            .params(Params {
                dispute_window_ms: 200,
                settle_grace_ms: 5_000,
                // a little collateral stands for large leases
                fine_multiple: 1,
                ..Params::default()
            })
            .serving(engine);
        Self::of(change(network).start().await.unwrap(), folder).await
    }

    /// With a server behind the node that takes a hundredth of a second for each token.
    pub(crate) async fn start_slow(server: &InstantUpstream) -> Self {
        Self::behind(server.url()).await
    }

    /// With any server behind the node.
    pub(crate) async fn behind(server: String) -> Self {
        let engine = Upstream::connect(UpstreamOptions::new(SLOW, vec![server])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let network = Network::builder(folder.path())
            .params(Params {
                fine_multiple: 1,
                ..Params::default()
            })
            .serving(engine);
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

    /// The task with its nodes, stacks and requests.
    fn test_task(&self) -> TestTask<'_> {
        TestTask {
            ledger: &self.ledger,
            task: self.task,
            price: PRICE,
        }
    }

    /// A node's configuration; the same folder every time.
    pub(crate) fn config(&self) -> NodeConfig {
        self.test_task().node(&self.operator, self.node_folder())
    }

    /// The same, with evidence on the network's Walrus: it is packed and stored after so long.
    pub(crate) fn config_with_evidence(&self, patience_ms: u64) -> NodeConfig {
        let walrus = self.network.walrus.as_ref().unwrap();
        NodeConfig {
            evidence: Some(EvidenceConfig {
                patience_ms: Some(patience_ms),
                ..EvidenceConfig::new(walrus.url(), walrus.url(), walrus.shards())
            }),
            ..self.config()
        }
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

    /// Buys a stack of the user's, all of which the one node has.
    pub(crate) async fn buy(&self, units: u64) -> StackId {
        let task = self.test_task();
        task.lease(&self.user, &self.request_key, units).await
    }

    /// Buys a stack of the user's, of which nobody has anything yet.
    pub(crate) async fn buy_ungranted(&self, units: u64) -> StackId {
        let request_key = self.request_key.public_key();
        self.test_task().buy(&self.user, request_key, units).await
    }

    /// The user's first grant of a stack to a node.
    pub(crate) fn grant(&self, node: NodeId, stack: StackId, units: u64) -> Signed<Grant> {
        self.test_task()
            .grant(node, stack, units, &self.request_key)
    }

    /// The user wants the stack closed; done once the node has settled and was paid.
    pub(crate) async fn close(&self, stack: StackId) {
        let close = calls::BeginClose {
            stack: stack.into(),
            clock: Clock,
        };
        let closing = self.ledger.execute(&self.user, vec![close.into()]);
        closing.await.unwrap();
        eventually("the node is paid", async || {
            let stack = self.ledger.stack(stack).await.unwrap();
            stack.open_leases().next().is_none()
        })
        .await;
    }

    /// A header as a good client signs it at `now`.
    pub(crate) fn header(
        &self,
        node: NodeId,
        stack: StackId,
        body: &[u8],
        now: TimestampMs,
    ) -> RequestHeader {
        let body_hash = salt().commit(CommitmentKind::Request, body);
        self.test_task().header(node, stack, body_hash, now)
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

/// What a node's operator reads of a metric without labels.
pub(crate) async fn metric(arena: &Arena, node: &RunningNode, name: &str) -> u64 {
    let answer = arena.get(&format!("{}/metrics", node.admin_url())).await;
    let text = String::from_utf8_lossy(answer.0.body());
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = lines.find(|(found, _)| *found == name).unwrap();
    value.parse().unwrap()
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

/// The most memory that this process has had, in KiB.
pub(crate) fn peak_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse().unwrap()
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
