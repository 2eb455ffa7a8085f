//! A ledger and a node as processes of their own, which can be killed and started again, and a user
//! who signs every byte by hand.

use crate::atoma::Part;
use atoma_engine::Engine as _;
use atoma_ledger::{Ledger, required_escrow};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Numerics, Price, RequestId, Rule, SigningKey,
    StackId, TaskId, TimestampMs,
    chain::{Clock, Event, Payment, Random, calls},
    hash::Hash32,
    http,
    message::{Endpoint, Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// The built-in model's name.
pub(crate) const MODEL: &str = atoma_engine::builtin::NAME;
const PRICE: Price = Price(1_000_000);

/// What differs between stories.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) dispute_window_ms: u64,
    pub(crate) answer_window_ms: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            dispute_window_ms: 200,
            answer_window_ms: 60_000,
        }
    }
}

/// Ledger, Walrus, node, and what is needed to start them again.
pub(crate) struct Network {
    folder: tempfile::TempDir,
    pub(crate) localnet: Part,
    pub(crate) walrus: Part,
    pub(crate) node: Part,
    pub(crate) ledger: Ledger,
    pub(crate) task: TaskId,
    pub(crate) user: SigningKey,
}

impl Network {
    pub(crate) async fn start() -> Self {
        Self::start_with(Rules::default()).await
    }

    pub(crate) async fn start_with(rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger_folder = folder.path().join("ledger");
        let params = format!(
            "[params]\ndispute_window_ms = {}\nanswer_window_ms = {}\nsettle_grace_ms = 60000\n\
             protocol_fee_permille = 10\n",
            rules.dispute_window_ms, rules.answer_window_ms,
        );
        std::fs::write(folder.path().join("ledger.toml"), params).expect("the folder is writable");
        let localnet = start_localnet(folder.path(), &ledger_folder, "127.0.0.1:0");
        let ledger = Ledger::connect(localnet.text("ledger"))
            .await
            .expect("the ledger answers");
        let (operator, user) = (SigningKey::generate(), SigningKey::generate());
        for key in [&operator, &user] {
            let address = key.public_key().address();
            ledger.faucet(address).await.expect("the faucet gives");
            ledger
                .mint_usdc(address, MicroUsdc(1_000_000_000))
                .await
                .expect("it mints");
        }
        let task = create_task(&ledger, &operator).await;
        let secret = operator.to_suiprivkey().expect("a key has a text");
        std::fs::write(folder.path().join("operator.key"), secret.as_bytes()).expect("writable");
        let walrus = start_walrus(folder.path(), &ledger_folder, ledger.url());
        let url = walrus.text("url");
        let node = start_node(folder.path(), ledger.url(), url, task, "127.0.0.1:0");
        Self {
            folder,
            localnet,
            walrus,
            node,
            ledger,
            task,
            user,
        }
    }

    /// Starts the node again where it was.
    pub(crate) fn restart_node(&mut self) {
        let listen = address(self.node.text("url"));
        let (ledger, walrus) = (self.ledger.url(), self.walrus.text("url"));
        self.node = start_node(self.folder.path(), ledger, walrus, self.task, &listen);
    }

    /// Removes all that the node keeps.
    pub(crate) fn delete_node(&self) {
        std::fs::remove_dir_all(self.folder.path().join("node")).expect("it is there");
    }

    /// The operator has a stack's lease settled, and it is.
    pub(crate) async fn settle(&self, stack: StackId) {
        let url = format!("{}/admin/settle/{stack}", self.node.text("admin"));
        let http: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build_http();
        let request = hyper::Request::post(url).body(Full::default());
        let asked = http.request(request.expect("a URL")).await;
        assert!(asked.expect("the node answers").status().is_success());
        let mut events = self.ledger.events(None);
        while let Some(event) = events.next().await {
            if let Event::SettlementOpened(opened) = event.expect("an event").event
                && opened.stack == stack
            {
                return;
            }
        }
    }

    /// What the node's owner has.
    pub(crate) async fn operator_money(&self) -> MicroUsdc {
        let node = self.ledger.node(self.node_id()).await.expect("the node");
        self.ledger.usdc(node.owner).await.expect("a sum")
    }

    /// Starts the ledger again where it was.
    pub(crate) fn restart_localnet(&mut self) {
        let listen = address(self.localnet.text("ledger"));
        let folder = self.folder.path().join("ledger");
        self.localnet = start_localnet(self.folder.path(), &folder, &listen);
    }

    pub(crate) fn node_id(&self) -> NodeId {
        self.node.text("node").parse().expect("an id")
    }

    /// Buys a stack that the one node gets whole.
    pub(crate) async fn buy(&self, units: u64) -> User {
        let key = SigningKey::generate();
        let task = self.ledger.task(self.task).await.expect("the task");
        let db = self.ledger.db().await.expect("the database");
        let units = ComputeUnits(units);
        let call = calls::AcquireStack {
            db: self.ledger.deployment().db.into(),
            task: self.task.into(),
            payment: Payment(required_escrow(&task, &db, units, PRICE).expect("it fits")),
            total_units: units,
            max_price: PRICE,
            selection: 0,
            nodes: 0,
            request_key: key.public_key(),
            lifetime_ms: DurationMs(3_600_000),
            random: Random,
            clock: Clock,
        };
        let done = self
            .ledger
            .execute(&self.user, vec![call.into()])
            .await
            .expect("it is bought");
        let stack = done.events.iter().find_map(|event| match event {
            Event::StackAcquired(acquired) => Some(acquired.stack),
            _ => None,
        });
        User {
            stack: stack.expect("a stack"),
            key,
            network: self.ledger.network(),
            node: self.node_id(),
            task: self.task,
            url: self.node.text("url").to_owned(),
            ceiling: AtomicU64::new(0),
            http: Client::builder(TokioExecutor::new()).build_http(),
        }
    }
}

fn start_localnet(folder: &Path, data: &Path, listen: &str) -> Part {
    let config = folder.join("ledger.toml");
    Part::start(&[
        "localnet",
        "run",
        "--config",
        &config.to_string_lossy(),
        "--listen",
        listen,
        "--data-dir",
        &data.to_string_lossy(),
    ])
}

fn start_walrus(folder: &Path, ledger_folder: &Path, ledger: &str) -> Part {
    let (keystore, data) = (ledger_folder.join("admin.keystore"), folder.join("walrus"));
    Part::start(&[
        "--ledger",
        ledger,
        "--keystore",
        &keystore.to_string_lossy(),
        "walrus",
        "serve",
        "--on-ledger",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &data.to_string_lossy(),
    ])
}

fn start_node(folder: &Path, ledger: &str, walrus: &str, task: TaskId, listen: &str) -> Part {
    let path = folder.join("node.toml");
    let config = format!(
        "ledger = {ledger:?}\nkey = {{ file = {:?} }}\nlisten = {listen:?}\n\
         admin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\
         [settlement]\ntick_ms = 100\nrest_ms = 200\n\
         [evidence]\npublisher = {walrus:?}\naggregators = [{walrus:?}]\nshards = 10\npatience_ms = 500\n\
         [[subscriptions]]\ntask = \"{task}\"\nprice = {}\ncapacity = 1000000000\n\
         [[engines]]\nmodel = {MODEL:?}\nfrom = \"builtin\"\n",
        folder.join("operator.key"),
        folder.join("node"),
        PRICE.0,
    );
    std::fs::write(&path, config).expect("the folder is writable");
    Part::start(&["node", "run", "--config", &path.to_string_lossy()])
}

async fn create_task(ledger: &Ledger, owner: &SigningKey) -> TaskId {
    let engine = atoma_engine::builtin::load().expect("the built-in model loads");
    let model = engine.info();
    let call = calls::CreateTask {
        db: ledger.deployment().db.into(),
        role: 0,
        model_name: MODEL.to_owned(),
        security_level: 0,
        price_ceiling: Price(10_000_000),
        // a cached token costs as much as any: what a request costs is then known beforehand
        weights: vec![1_000, 1_000, 1_000, 0, 0],
        model: model.revision.to_vec(),
        numerics: Numerics::DetBf16V1 as u8,
        rule: Rule::Exact as u8,
        min_reputation: 0,
        min_collateral: MicroUsdc::ZERO,
        allow_list: None,
    };
    let done = ledger
        .execute(owner, vec![call.into()])
        .await
        .expect("the task is created");
    let task = done.events.iter().find_map(|event| match event {
        Event::TaskCreated(created) => Some(created.task),
        _ => None,
    });
    task.expect("a task")
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}

/// Who holds a stack's request key.
pub(crate) struct User {
    pub(crate) stack: StackId,
    key: SigningKey,
    network: atoma_types::NetworkId,
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
        let now = TimestampMs::now();
        let header = RequestHeader {
            domain: Default::default(),
            network: self.network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id: RequestId::random(),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::of(&body),
            lane: 0,
            ceiling: ComputeUnits(self.ceiling.fetch_add(max_units, Ordering::Relaxed) + max_units),
            max_units: ComputeUnits(max_units),
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(DurationMs(60_000)),
            evidence: None,
        };
        let signed = Signed::new(header, &self.key);
        let request = hyper::Request::post(format!("{}/v1/chat/completions", self.url))
            .header("content-type", "application/json")
            .header(http::REQUEST, BASE64_STANDARD.encode(signed.bytes()))
            .header(
                http::SIGNATURE,
                BASE64_STANDARD.encode(signed.signature().to_bytes()),
            )
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

    /// Reads a path of the node.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let request = hyper::Request::get(format!("{}{path}", self.url))
            .body(Full::default())
            .expect("the request is valid");
        let response = self.http.request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}
