//! A ledger whose clock can be moved, a node in this process with the built-in model, and a user who types
//! commands: for stories about what a node does by itself.

use crate::{
    case::{settings, types},
    stalling::Stalling,
};
use atoma_client::{KeptReceipt, Receipts};
use atoma_engine::{Engine, builtin};
use atoma_keys::{SigningKey, read_private};
use atoma_localnet::{ClockMode, LocalnetConfig};
use atoma_network::{
    create_task, engine_class,
    testing::{
        Accounts, Attester, Parties, TestTask, World, attesters, examined_task, get, wait_until,
    },
};
use atoma_node::{EvidenceConfig, Node, NodeConfig, RunningNode, ServedModel};
use atoma_runtime::Threads;
use atoma_types::{
    MicroUsdc, NodeId, Price, StackId, TaskId,
    chain::{self, NewTask, Params},
    message::{Receipt, Signed},
};
use serde_json::Value;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::OnceCell;

pub(crate) const HOUR: u64 = 3_600_000;
/// One micro-USDC a unit, and as dollars a million as the command has it.
const PRICE: (Price, &str) = (Price(1_000_000), "1");
/// A tenth of a cent: a few requests are worth an examination.
const EXAMINED_PRICE: (Price, &str) = (Price(1_000_000_000), "1000");

/// Whoever lives there.
pub(crate) struct Town {
    pub(crate) world: World,
    pub(crate) operator: Arc<SigningKey>,
    pub(crate) user: SigningKey,
    engine: Arc<dyn Engine>,
    task: TaskId,
    price: (Price, &'static str),
    /// Once so much is served it is claimed.
    worth: MicroUsdc,
    /// Where the node stores its evidence.
    walrus: Option<EvidenceConfig>,
    idle: Option<Duration>,
    /// Who may be drawn to examine, where answers are examined.
    pub(crate) attesters: Vec<Attester>,
    node: Option<RunningNode>,
    /// The node's, whatever becomes of its offer.
    id: OnceCell<NodeId>,
}

/// How a town is.
#[derive(Clone, Copy, Default)]
struct Plan {
    worth: Option<MicroUsdc>,
    walrus: bool,
    /// Of a thousand tickets so many are examined; with 0 an answer can be challenged all the same.
    examined: Option<u64>,
    /// A pack of the node's has no more bytes than this.
    pack: Option<u64>,
    /// After so long idle leases give their units back.
    idle: Option<Duration>,
    /// Answers stand still after some tokens.
    stalls: bool,
}

impl Town {
    /// Windows of an hour, a jail of two; the node runs, and claims when a stack ends.
    pub(crate) async fn start() -> Self {
        Self::with(Plan::default()).await
    }

    /// The same where the node claims once so much is served.
    pub(crate) async fn claiming(worth: MicroUsdc) -> Self {
        let worth = Some(worth);
        Self::with(Plan {
            worth,
            ..Plan::default()
        })
        .await
    }

    /// The same where the node stores its evidence on a Walrus, each answer for itself.
    pub(crate) async fn storing(worth: Option<MicroUsdc>) -> Self {
        Self::with(Plan {
            worth,
            walrus: true,
            ..Plan::default()
        })
        .await
    }

    /// The same where leases that are idle for so long give their units back.
    pub(crate) async fn giving_back(idle: Duration) -> Self {
        Self::with(Plan {
            idle: Some(idle),
            ..Plan::default()
        })
        .await
    }

    /// The same where answers stand still after some tokens.
    pub(crate) async fn stalling() -> Self {
        Self::with(Plan {
            stalls: true,
            ..Plan::default()
        })
        .await
    }

    /// The same where of a thousand tickets so many are examined.
    pub(crate) async fn examined(permille: u64) -> Self {
        Self::with(Plan {
            walrus: true,
            examined: Some(permille),
            ..Plan::default()
        })
        .await
    }

    /// The same where all are, and the node's packs are so small that they hold short answers alone.
    pub(crate) async fn examined_in_small_packs() -> Self {
        Self::with(Plan {
            walrus: true,
            examined: Some(1_000),
            pack: Some(8 << 10),
            ..Plan::default()
        })
        .await
    }

    async fn with(plan: Plan) -> Self {
        let change = |config: &mut LocalnetConfig| {
            config.clock = ClockMode::Adjustable;
            config.params = Params {
                dispute_window_ms: HOUR,
                answer_window_ms: HOUR,
                settle_grace_ms: HOUR,
                jail_ms: 2 * HOUR,
                maturity_ms: 1,
                // days begin at any hour of the test's
                treasury_payout_permille: 0,
                ..Params::default()
            };
            if let Some(permille) = plan.examined {
                config.params.sample_permille = permille;
            }
        };
        let world = match plan.walrus {
            true => World::with_walrus(change).await,
            false => World::start_with(change).await,
        };
        let (operator, user) = (Arc::new(world.party().await), world.party().await);
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let engine = match plan.stalls {
            true => Arc::new(Stalling(engine)),
            false => engine,
        };
        let is_examined = plan.examined.is_some();
        let price = if is_examined { EXAMINED_PRICE } else { PRICE };
        let task = NewTask::chat(builtin::NAME, engine_class(engine.info()), price.0);
        let stranger = world.party().await;
        let task = match is_examined {
            true => examined_task(&world, &stranger, task).await,
            false => create_task(&world.ledger, &operator, task).await.unwrap(),
        };
        let walrus = plan.walrus.then(|| {
            let (url, shards) = (world.walrus().url(), world.walrus().shards());
            let mut config = EvidenceConfig::new(&url, &url, shards);
            config.patience_ms = Some(10);
            config.max_pack_bytes = plan.pack.unwrap_or(config.max_pack_bytes);
            config
        });
        let mut town = Self {
            world,
            operator,
            user,
            engine,
            task,
            price,
            worth: plan.worth.unwrap_or(MicroUsdc(1_000_000)),
            walrus,
            idle: plan.idle,
            attesters: Vec::new(),
            node: None,
            id: OnceCell::new(),
        };
        town.start_node().await;
        town.id().await;
        if is_examined {
            town.attesters = attesters(&town.world, &stranger, task).await;
        }
        town
    }

    /// Where the node keeps its things.
    pub(crate) fn folder(&self) -> PathBuf {
        self.world.folder.path().join("node")
    }

    /// The key that signs the node's receipts.
    pub(crate) fn response_key(&self) -> SigningKey {
        let text = read_private(&self.folder().join("response.key"));
        SigningKey::from_suiprivkey(text.unwrap().unwrap().trim()).unwrap()
    }

    fn config(&self) -> NodeConfig {
        let task = TestTask {
            ledger: &self.world.ledger,
            task: self.task,
            price: self.price.0,
        };
        let mut config = task.node(&self.operator, self.folder());
        config.collateral = self.world.collateral;
        config.upkeep.tick_ms = 100;
        config.settlement.worth = self.worth;
        config.evidence = self.walrus.clone();
        if let Some(idle) = self.idle {
            config.settlement.release_idle_after_ms = idle.as_millis() as u64;
        }
        config
    }

    /// Starts the node with what its folder has.
    pub(crate) async fn start_node(&mut self) {
        let served = vec![ServedModel {
            model: builtin::NAME.to_owned(),
            engine: Arc::clone(&self.engine),
        }];
        let node = Node::start(self.config(), served).await.unwrap();
        self.node = Some(node);
    }

    /// The node ends as when the machine loses power.
    pub(crate) fn drop_node(&mut self) {
        self.node = None;
    }

    /// All that the node keeps is gone, but for the key that signs its receipts; it runs no more.
    pub(crate) fn loses_its_disk(&mut self) {
        self.drop_node();
        for entry in std::fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else if path.file_name().unwrap() != "response.key" {
                std::fs::remove_file(path)
            } else {
                Ok(())
            };
            // what a store removes itself when it is closed may go meanwhile
            let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
            assert!(removed.as_ref().err().is_none_or(is_gone), "{removed:?}");
        }
    }

    /// A metric of the node.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let url = self.node.as_ref().unwrap().admin_url();
        let read = move || get(&format!("{url}/metrics"));
        let text = Threads::Real.blocking(read).await.unwrap();
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        let value = lines.find(|(found, _)| *found == name).unwrap().1;
        value.parse().unwrap()
    }

    /// The node ends well.
    pub(crate) async fn stop_node(&mut self) {
        let node = self.node.take().unwrap();
        node.drain_and_stop().await;
    }

    /// The node's id.
    pub(crate) async fn id(&self) -> NodeId {
        let only = async {
            let task = self.world.ledger.task(self.task).await.unwrap();
            task.subscriptions[0].node
        };
        *self.id.get_or_init(|| only).await
    }

    /// The task that the node serves.
    pub(crate) fn task(&self) -> TaskId {
        self.task
    }

    /// The node as the ledger has it.
    pub(crate) async fn on_ledger(&self) -> chain::Node {
        self.world.ledger.node(self.id().await).await.unwrap()
    }

    /// What a million units cost.
    pub(crate) fn price(&self) -> Price {
        self.price.0
    }

    /// What the user's commands say of ledger, keys and folder.
    pub(crate) fn settings(&self) -> Vec<String> {
        settings(&self.world, &self.user)
    }

    /// The user types.
    pub(crate) async fn does(&self, words: &[&str]) -> Vec<Value> {
        let done = types(&self.world, &self.user, words).await;
        done.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The node's owner types.
    pub(crate) async fn operates(&self, words: &[&str]) -> Vec<Value> {
        let done = types(&self.world, &self.operator, words).await;
        done.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Buys a stack; whether the node takes it is seen by its leases.
    pub(crate) async fn buys(&self) -> StackId {
        self.buys_with(&[]).await
    }

    /// Buys a stack whose units nobody has.
    pub(crate) async fn buys_ungranted(&self) -> StackId {
        self.buys_with(&["--ungranted"]).await
    }

    /// Grants the node all of a stack.
    pub(crate) async fn grants(&self, stack: StackId) {
        let (stack, node) = (stack.to_string(), self.id().await.to_string());
        self.does(&["stack", "grant", &stack, &node, "5000"]).await;
    }

    /// What everybody has, in their wallets and in these stacks, the user's so far.
    pub(crate) async fn accounts(&self, stacks: &[StackId]) -> Accounts {
        let parties = Parties {
            world: &self.world,
            user: &self.user,
            operator: &self.operator,
            attesters: &self.attesters,
            node: self.id().await,
            task: self.task,
            stacks,
            elsewhere: None,
        };
        Accounts::of(&parties).await
    }

    async fn buys_with(&self, more: &[&str]) -> StackId {
        let task = self.task.to_string();
        let price = self.price.1;
        let words = [
            "stack",
            "buy",
            &task,
            "--units",
            "5000",
            "--max-price",
            price,
        ];
        let bought = self.does(&[&words[..], more].concat()).await;
        let stack = bought.iter().find_map(|line| line["stack"].as_str());
        stack.unwrap().parse().unwrap()
    }

    /// Asks on a stack; the receipt.
    pub(crate) async fn asks(&self, stack: StackId) -> Signed<Receipt> {
        self.asks_and_keeps(stack).await.signed().unwrap()
    }

    /// The same; what the user has kept of it.
    pub(crate) async fn asks_and_keeps(&self, stack: StackId) -> KeptReceipt {
        self.asks_about(stack, "What is the sun?").await
    }

    /// The same with a question of the story's own.
    pub(crate) async fn asks_about(&self, stack: StackId, question: &str) -> KeptReceipt {
        let stack = stack.to_string();
        let words = ["chat", question, "--max-tokens", "8", "--stack", &stack];
        let said = self.does(&words).await;
        let request = said.last().unwrap()["request"].as_str().unwrap();
        let home = self.world.folder.path();
        let home = home.join(self.user.public_key().to_string());
        let receipts = Receipts::open(&home.join("client")).unwrap();
        let kept = receipts.show(request.parse().unwrap()).unwrap();
        kept.unwrap()
    }

    /// The node's owner claims by hand what the user has a receipt for.
    pub(crate) async fn claims_by_hand(&self, kept: &KeptReceipt) -> Value {
        self.tries_by_hand(kept).await.unwrap().remove(0)
    }

    /// The same where it may be refused.
    pub(crate) async fn tries_by_hand(&self, kept: &KeptReceipt) -> Result<Vec<Value>, String> {
        let (receipt, header) = (kept.signed().unwrap(), kept.signed_header().unwrap());
        let (receipt, header) = (receipt.to_text(), header.to_text());
        let settle = ["node", "settle", "--receipt", &receipt, "--header", &header];
        types(&self.world, &self.operator, &settle).await
    }

    /// Ends a stack: the node has settled, and what it doesn't claim is the user's.
    pub(crate) async fn closes(&self, stack: StackId) -> Value {
        let stack = stack.to_string();
        let closed = self.does(&["stack", "close", &stack]).await;
        closed.into_iter().next().unwrap()
    }

    /// A stack as the ledger has it.
    pub(crate) async fn stack(&self, stack: StackId) -> chain::Stack {
        self.world.ledger.stack(stack).await.unwrap()
    }

    /// The window of what was claimed is over; waits until the node has taken its pay for a stack.
    pub(crate) async fn paid(&self, stack: StackId) {
        let node = self.id().await;
        self.world.advance(HOUR + 1).await;
        self.waits(async || {
            let stack = self.stack(stack).await;
            stack
                .lease(node)
                .is_some_and(|lease| lease.tickets.is_empty())
        })
        .await;
    }

    /// Waits until it is so.
    pub(crate) async fn waits(&self, is_so: impl AsyncFn() -> bool) {
        wait_until("the story goes on", is_so).await;
    }
}
