//! A ledger and a node as processes of their own, which can be killed and started again; the ledger may be
//! another network's.

use crate::{
    atoma::{Process, command, objects},
    user::User,
};
use atoma_client::request_key;
use atoma_engine::Engine as _;
use atoma_keys::{Keystore, SigningKey};
use atoma_ledger::Ledger;
use atoma_network::{
    create_task, engine_class,
    testing::{Elsewhere, TestTask, WalrusEndpoints},
};
use atoma_runtime::SystemRandom;
use atoma_types::{
    Address, MicroUsdc, NodeId, Price, StackId, TaskId, UnitWeights,
    chain::{Deployment, Event, NewTask},
};
use bytes::Bytes;
use futures::StreamExt;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The built-in model's name.
pub(crate) const MODEL: &str = atoma_engine::builtin::NAME;
const PRICE: Price = Price(1_000_000);

/// What differs between stories; another network has rules of its own.
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

/// Ledger, WalrusEndpoints, node, and what is needed to start them again.
pub(crate) struct Network {
    folder: tempfile::TempDir,
    /// Absent where the ledger is another network's.
    own: Option<Own>,
    elsewhere: Option<Elsewhere>,
    settings: NodeSettings,
    pub(crate) walrus: WalrusEndpoints,
    pub(crate) node: Process,
    pub(crate) ledger: Ledger,
    pub(crate) task: TaskId,
    pub(crate) user: SigningKey,
}

/// The story's own ledger and Walrus.
struct Own {
    localnet: Process,
    _walrus: Process,
}

impl Network {
    /// Any ledger will do.
    pub(crate) async fn start() -> Self {
        Self::start_with(Rules::default()).await
    }

    /// Any ledger will do whose windows are long enough for a story.
    pub(crate) async fn start_with(rules: Rules) -> Self {
        match Elsewhere::named().await {
            Some(elsewhere) => Self::on(elsewhere).await,
            None => Self::own(rules).await,
        }
    }

    /// With a ledger that the story may kill.
    pub(crate) async fn own(rules: Rules) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ledger_folder = folder.path().join("ledger");
        let params = format!(
            "[params]\ndispute_window_ms = {}\nanswer_window_ms = {}\nsettle_grace_ms = 60000\n\
             jail_ms = 10000\nslash_delay_ms = 5000\nmaturity_ms = 1000\nprotocol_fee_permille = 10\n",
            rules.dispute_window_ms, rules.answer_window_ms,
        );
        fs::write(folder.path().join("ledger.toml"), params).expect("the folder is writable");
        let localnet = start_localnet(folder.path(), &ledger_folder, "127.0.0.1:0");
        let url = localnet.text("ledger").to_owned();
        let ledger = Ledger::connect(&url).await.expect("the ledger answers");
        let storage = start_walrus(folder.path(), &ledger_folder, &url);
        let walrus = WalrusEndpoints {
            publisher: Some(storage.text("url").to_owned()),
            aggregator: Some(storage.text("url").to_owned()),
            shards: Some(10),
        };
        let networks = format!("active = \"own\"\n[networks.own]\nledger = {url:?}\n");
        fs::write(folder.path().join("networks.toml"), networks).expect("the folder is writable");
        let own = Own {
            localnet,
            _walrus: storage,
        };
        Self::over(folder, Some(own), None, ledger, walrus).await
    }

    /// On another network.
    async fn on(elsewhere: Elsewhere) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = elsewhere.file.as_ref().expect("a networks.toml");
        fs::copy(file, folder.path().join("networks.toml")).expect("it can be copied");
        let walrus = elsewhere.walrus.clone().expect("a Walrus there");
        let ledger = elsewhere.ledger.clone();
        Self::over(folder, None, Some(elsewhere), ledger, walrus).await
    }

    async fn over(
        folder: tempfile::TempDir,
        own: Option<Own>,
        elsewhere: Option<Elsewhere>,
        ledger: Ledger,
        walrus: WalrusEndpoints,
    ) -> Self {
        let (operator, user) = (
            SigningKey::generate(&SystemRandom),
            SigningKey::generate(&SystemRandom),
        );
        for key in [&operator, &user] {
            fund(elsewhere.as_ref(), &ledger, key.public_key().address()).await;
        }
        let task = builtin_task(&ledger, &operator).await;
        let secret = operator.to_suiprivkey().expect("a key has a text");
        let path = folder.path();
        atoma_runtime::files::write_private(&path.join("operator.key"), secret.as_bytes())
            .expect("writable");
        let params = ledger.db().await.expect("the database").params;
        let settings = NodeSettings {
            ledger: ledger.url().to_owned(),
            deployment: ledger.deployment().clone(),
            collateral: params.min_collateral,
            walrus: walrus.clone(),
            task,
        };
        let node = start_node(path, &settings, "127.0.0.1:0");
        Self {
            folder,
            own,
            elsewhere,
            settings,
            walrus,
            node,
            ledger,
            task,
            user,
        }
    }

    /// A data folder's `networks.toml` with this network in use.
    pub(crate) fn networks(&self) -> PathBuf {
        self.folder.path().join("networks.toml")
    }

    /// Gives an address gas, and dollars enough for any story.
    pub(crate) async fn fund(&self, address: Address) {
        fund(self.elsewhere.as_ref(), &self.ledger, address).await;
    }

    /// Starts the node again where it was.
    pub(crate) fn restart_node(&mut self) {
        let listen = address(self.node.text("url"));
        self.node = start_node(self.folder.path(), &self.settings, &listen);
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
        let request = hyper::Request::post(url)
            .header(atoma_types::http::OPERATOR, "yes")
            .body(Full::default());
        let mut events = self.ledger.subscribe().await.expect("events");
        let asked = http.request(request.expect("a URL")).await;
        assert!(asked.expect("the node answers").status().is_success());
        while let Some(event) = events.next().await {
            if let Event::SettlementOpened(opened) = event.expect("an event").event
                && opened.stack == stack
            {
                return;
            }
        }
    }

    /// kill -9 of the story's own ledger, which starts again where it was.
    pub(crate) fn crash_localnet(&mut self) {
        let own = self.own.as_mut().expect("a ledger of its own");
        own.localnet.kill();
        let listen = address(own.localnet.text("ledger"));
        let folder = self.folder.path().join("ledger");
        own.localnet = start_localnet(self.folder.path(), &folder, &listen);
    }

    pub(crate) fn node_id(&self) -> NodeId {
        self.node.text("node").parse().expect("an id")
    }

    /// The user ends a stack, and the node settles it; how much came back by it, in micro-USDC.
    pub(crate) fn closes(&self, stack: StackId) -> u64 {
        let home = self.folder.path().join("user");
        fs::create_dir_all(&home).expect("the folder is writable");
        fs::copy(self.networks(), home.join("networks.toml")).expect("it can be copied");
        let keystore = home.join("wallet.keystore");
        let mut store = Keystore::open(&keystore).expect("a keystore");
        if store.keys().is_empty() {
            let key = SigningKey::from_seed(&self.user.to_seed());
            store.add(key).expect("it is writable");
        }
        let (keystore, stack) = (keystore.to_string_lossy(), stack.to_string());
        let close = ["--keystore", &keystore, "stack", "close", &stack];
        let done = command(&close).env("ATOMA_HOME", &home).output();
        let done = done.expect("the binary starts");
        assert!(done.status.success(), "{done:?}");
        let closed = objects(&done.stdout).remove(0);
        closed["withdrawn_micro_usdc"].as_u64().expect("a number")
    }

    /// Buys a stack that the one node gets whole.
    pub(crate) async fn buy(&self, units: u64) -> User {
        let key = request_key(&self.user);
        let of_task = TestTask {
            ledger: &self.ledger,
            task: self.task,
            price: PRICE,
        };
        let stack = of_task.lease(&self.user, &key, units).await;
        User::new(self, stack, key)
    }
}

/// Gives an address gas and dollars.
async fn fund(elsewhere: Option<&Elsewhere>, ledger: &Ledger, address: Address) {
    if let Some(elsewhere) = elsewhere {
        return elsewhere.fund(address).await;
    }
    ledger.faucet(address).await.expect("the faucet gives");
    let minted = ledger.mint_usdc(address, MicroUsdc(1_000_000_000)).await;
    minted.expect("it mints");
}

fn start_localnet(folder: &Path, data: &Path, listen: &str) -> Process {
    let config = folder.join("ledger.toml");
    Process::start(&[
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

fn start_walrus(folder: &Path, ledger_folder: &Path, ledger: &str) -> Process {
    let (keystore, data) = (ledger_folder.join("admin.keystore"), folder.join("walrus"));
    Process::start(&[
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

/// What a node's file says that isn't the same for all.
struct NodeSettings {
    ledger: String,
    deployment: Deployment,
    collateral: u64,
    walrus: WalrusEndpoints,
    task: TaskId,
}

fn start_node(folder: &Path, settings: &NodeSettings, listen: &str) -> Process {
    let NodeSettings {
        ledger,
        deployment,
        collateral,
        walrus,
        task,
    } = settings;
    let path = folder.join("node.toml");
    let publisher = walrus.publisher.as_deref().expect("a publisher");
    let aggregator = walrus.aggregator.as_deref().expect("an aggregator");
    let deployment = toml::to_string(deployment).expect("ids have texts");
    let config = format!(
        "ledger = {ledger:?}\nkey = {{ file = {:?} }}\nlisten = {listen:?}\n\
         admin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\ncollateral = {collateral}\ngrant_step_permille = 1000\n\
         [settlement]\ntick_ms = 100\nrest_ms = 200\n\
         [evidence]\npublisher = {publisher:?}\naggregators = [{aggregator:?}]\nshards = {}\npatience_ms = 500\n\
         [[subscriptions]]\ntask = \"{task}\"\nprice = {}\n\
         [[engines]]\nmodel = {MODEL:?}\nfrom = \"builtin\"\n\
         [deployment]\n{}",
        folder.join("operator.key"),
        folder.join("node"),
        walrus.shards.expect("a number of shards"),
        PRICE.0,
        deployment.replace("[walrus]", "[deployment.walrus]"),
    );
    fs::write(&path, config).expect("the folder is writable");
    Process::start(&["node", "run", "--config", &path.to_string_lossy()])
}

/// The built-in model's task.
async fn builtin_task(ledger: &Ledger, owner: &SigningKey) -> TaskId {
    let engine = atoma_engine::builtin::load().expect("the built-in model loads");
    let task = NewTask {
        // a cached token costs as much as any: what a request costs is then known beforehand
        weights: UnitWeights {
            cached_input: UnitWeights::TEXT.input,
            ..UnitWeights::TEXT
        },
        ..NewTask::chat(MODEL, engine_class(engine.info()), Price(10_000_000))
    };
    create_task(ledger, owner, task).await.expect("a task")
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned()
}
