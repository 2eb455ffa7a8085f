//! Naming the parts of a network, and starting them in the order in which they need each other.

use crate::{
    COLLATERAL, Network, NetworkError, NetworkNode, POCKET_MONEY, Silent, any_port, engine_class,
    find_or_create_task, fund, natural_role,
    progress::{Observer, Step},
    release, stored_key,
};
use atoma_engine::Engine;
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, LedgerConfig};
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_node::{
    AttestConfig, ConfidentialConfig, EvidenceConfig, ForwardConfig, KeySource, Node, NodeConfig,
    ServedModel, SettlementConfig, SubscriptionConfig, UpkeepConfig,
};
use atoma_types::{
    MicroUsdc, Price, SecurityLevel, TaskId, UnitWeights,
    chain::{NewTask, Params, Payment, calls},
    hash::Hash32,
};
use atoma_walrus_localnet::{LocalWalrus, LocalWalrusConfig};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::time::Instant;

/// Ten USDC per million units.
const PRICE_CEILING: Price = Price(10_000_000);

/// The parts of a network before it starts.
#[derive(Clone)]
pub struct NetworkBuilder {
    folder: PathBuf,
    localnet: LocalnetConfig,
    /// Where a Walrus listens, if there is to be one.
    walrus: Option<SocketAddr>,
    engine: Option<Arc<dyn Engine>>,
    weights: UnitWeights,
    price_ceiling: Price,
    /// What the task's pool begins with, where its answers are examined.
    examined: Option<MicroUsdc>,
    /// As what nodes run, where the task is confidential.
    confidential: Option<ConfidentialConfig>,
    nodes: Vec<NodePlan>,
    settlement: SettlementConfig,
    observer: Arc<dyn Observer>,
}

/// How often a node looks after its standing where people watch.
const UPKEEP_TICK_MS: u64 = 250;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

/// One node before it starts.
#[derive(Clone)]
struct NodePlan {
    price: Price,
    listen: SocketAddr,
    admin: SocketAddr,
    forward: Option<ForwardConfig>,
    attest: Option<AttestConfig>,
    /// What it serves instead of the network's engine, under its name.
    engine: Option<Arc<dyn Engine>>,
    /// Its evidence goes to a Walrus that isn't there.
    withholds: bool,
}

impl NodePlan {
    /// What its wallet needs: its collateral, what it buys of other nodes, and as an attester twice what it may deposit,
    /// since it accuses with as much.
    fn money(&self) -> MicroUsdc {
        let budget = self.forward.as_ref().map(|forward| forward.budget);
        let deposit = self.attest.as_ref().map(|attest| attest.max_deposit);
        let more = [budget, deposit, deposit].into_iter().flatten();
        more.fold(COLLATERAL, |sum, more| sum.checked_add(more).unwrap_or(sum))
    }
}

impl Network {
    /// A network whose state is kept in this folder.
    #[must_use]
    pub fn builder(folder: impl Into<PathBuf>) -> NetworkBuilder {
        NetworkBuilder::new(folder.into())
    }
}

impl NetworkBuilder {
    fn new(folder: PathBuf) -> Self {
        Self {
            localnet: LocalnetConfig::new(folder.join("ledger")),
            folder,
            walrus: None,
            engine: None,
            weights: UnitWeights::TEXT,
            price_ceiling: PRICE_CEILING,
            examined: None,
            confidential: None,
            nodes: Vec::new(),
            settlement: quick_settlement(),
            observer: Arc::new(Silent),
        }
    }

    /// How the ledger is run: its folder, address, clock, faucet.
    #[must_use]
    pub fn localnet(mut self, change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        change(&mut self.localnet);
        self
    }

    /// Where the ledger listens; any free port of loopback if this isn't said.
    #[must_use]
    pub fn listen(self, ledger: SocketAddr) -> Self {
        self.localnet(|config| config.listen = ledger)
    }

    /// Sets the parameters that the package starts with; else they are the defaults.
    #[must_use]
    pub fn params(self, params: Params) -> Self {
        self.localnet(|config| config.params = params)
    }

    /// A local Walrus on any free port of loopback, and nodes that keep evidence on it.
    #[must_use]
    pub fn walrus(self) -> Self {
        self.walrus_at(any_port())
    }

    /// The same at an address.
    #[must_use]
    pub fn walrus_at(mut self, listen: SocketAddr) -> Self {
        self.walrus = Some(listen);
        self
    }

    /// A task for this engine's model.
    #[must_use]
    pub fn serving(mut self, engine: Arc<dyn Engine>) -> Self {
        self.engine = Some(engine);
        self
    }

    /// The task's weights; those of text if this isn't said.
    #[must_use]
    pub fn weights(mut self, weights: UnitWeights) -> Self {
        self.weights = weights;
        self
    }

    /// The task's highest price; 10 USDC per million units if this isn't said.
    #[must_use]
    pub fn price_ceiling(mut self, ceiling: Price) -> Self {
        self.price_ceiling = ceiling;
        self
    }

    /// One more node, at this price, on any free ports of loopback.
    #[must_use]
    pub fn node(self, price: Price) -> Self {
        self.node_at(price, any_port(), any_port())
    }

    /// The same, with the addresses at which users and its operator reach it.
    #[must_use]
    pub fn node_at(mut self, price: Price, listen: SocketAddr, admin: SocketAddr) -> Self {
        self.nodes.push(NodePlan {
            price,
            listen,
            admin,
            forward: None,
            attest: None,
            engine: None,
            withholds: false,
        });
        self
    }

    /// The last node passes requests on; its wallet gets the budget for it.
    #[must_use]
    pub fn passing_on(mut self, forward: ForwardConfig) -> Self {
        if let Some(node) = self.nodes.last_mut() {
            node.forward = Some(forward);
        }
        self
    }

    /// The task's answers are examined, by attesters whom a pool pays that begins with so much.
    #[must_use]
    pub fn examined(mut self, pool: MicroUsdc) -> Self {
        self.examined = Some(pool);
        self
    }

    /// The task is confidential, and all nodes run as such guests. Its release is announced before they start.
    #[must_use]
    pub fn confidential(mut self, guest: ConfidentialConfig) -> Self {
        self.confidential = Some(guest);
        self
    }

    /// The last node attests; its wallet gets the deposit.
    #[must_use]
    pub fn attesting(mut self, attest: AttestConfig) -> Self {
        if let Some(node) = self.nodes.last_mut() {
            node.attest = Some(attest);
        }
        self
    }

    /// A node attests like this from its next [start](Self::start_again) on. The first is number 1.
    #[must_use]
    pub fn attesting_from_now_on(mut self, number: usize, attest: AttestConfig) -> Self {
        if let Some(node) = self.nodes.get_mut(number - 1) {
            node.attest = Some(attest);
        }
        self
    }

    /// The last node computes with another engine, which says that it is the network's: one that cheats.
    #[must_use]
    pub fn computing_with(mut self, engine: Arc<dyn Engine>) -> Self {
        if let Some(node) = self.nodes.last_mut() {
            node.engine = Some(engine);
        }
        self
    }

    /// The last node's evidence goes where no Walrus is: it claims at the last moment, and has nothing to show then.
    #[must_use]
    pub fn withholding(mut self) -> Self {
        if let Some(node) = self.nodes.last_mut() {
            node.withholds = true;
        }
        self
    }

    /// When nodes settle; soon, if this isn't said, for people watch.
    #[must_use]
    pub fn settlement(mut self, settlement: SettlementConfig) -> Self {
        self.settlement = settlement;
        self
    }

    /// Who is told of each step.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Starts the parts. What was kept in the folder goes on where it was.
    ///
    /// # Errors
    /// If a part doesn't start; those that had are stopped.
    pub async fn start(self) -> Result<Network, NetworkError> {
        if self.engine.is_none() && !self.nodes.is_empty() {
            return Err(NetworkError::NothingToServe);
        }
        let (localnet, ledger) = self.start_ledger().await?;
        let walrus = match self.walrus {
            Some(listen) => Some(self.start_walrus(listen, &localnet, &ledger).await?),
            None => None,
        };
        let random = &*self.localnet.runtime.random;
        let operator = Arc::new(stored_key(&self.folder.join("operator.key"), random)?);
        let mut network = Network {
            localnet,
            ledger,
            walrus,
            engine: self.engine.clone(),
            task: None,
            operator,
            nodes: Vec::new(),
            folder: self.folder.clone(),
        };
        let Some(engine) = &self.engine else {
            return Ok(network);
        };
        let info = engine.info();
        let task = NewTask {
            role: natural_role(info),
            weights: self.weights,
            security: match (self.examined, &self.confidential) {
                (Some(_), Some(_)) => SecurityLevel::SamplingAndConfidential,
                (Some(_), None) => SecurityLevel::SamplingConsensus,
                (None, Some(_)) => SecurityLevel::ConfidentialCompute,
                (None, None) => SecurityLevel::None,
            },
            ..NewTask::chat(info.id.clone(), engine_class(info), self.price_ceiling)
        };
        let (ledger, operator) = (&network.ledger, &network.operator);
        let address = operator.public_key().address();
        fund(ledger, "operator", address, POCKET_MONEY, &*self.observer).await?;
        let task = find_or_create_task(ledger, operator, info, task, &*self.observer).await?;
        if let Some(pool) = self.examined
            && ledger.task(task).await?.dues < pool
        {
            let fund = calls::FundTask {
                task: task.into(),
                payment: Payment(pool),
            };
            ledger.execute(operator, vec![fund.into()]).await?;
        }
        if let Some(guest) = &self.confidential {
            release(ledger, operator, task, Hash32(guest.release.0)).await?;
        }
        network.task = Some(task);
        for (index, plan) in self.nodes.iter().enumerate() {
            let node = self
                .start_node(&network, engine, task, index + 1, plan)
                .await?;
            network.nodes.push(node);
        }
        Ok(network)
    }

    /// Starts a node of the network anew, from what its folder has: it was stopped, or killed. The first is number 1.
    ///
    /// # Errors
    /// If it doesn't start.
    ///
    /// # Panics
    /// If the network has no such node.
    pub async fn start_again(
        &self,
        network: &mut Network,
        number: usize,
    ) -> Result<(), NetworkError> {
        let (Some(engine), Some(task)) = (&self.engine, network.task) else {
            return Err(NetworkError::NothingToServe);
        };
        let plan = &self.nodes[number - 1];
        let node = self.start_node(network, engine, task, number, plan).await?;
        network.nodes.insert(number - 1, node);
        Ok(())
    }

    async fn start_ledger(&self) -> Result<(RunningLocalnet, Ledger), NetworkError> {
        let started = Instant::now();
        let localnet = Localnet::start(self.localnet.clone()).await?;
        let ledger = Ledger::open(LedgerConfig {
            url: localnet.url(),
            deployment: None,
            faucet: None,
            runtime: self.localnet.runtime.clone(),
        })
        .await?;
        let step = Step::Ledger {
            url: localnet.url(),
            network: localnet.network(),
        };
        self.observer.step(&step, started.elapsed());
        Ok((localnet, ledger))
    }

    async fn start_walrus(
        &self,
        listen: SocketAddr,
        localnet: &RunningLocalnet,
        ledger: &Ledger,
    ) -> Result<LocalWalrus, NetworkError> {
        let started = Instant::now();
        // on localnet the administrator operates the storage nodes, and ends its epochs
        let operator = SigningKey::from_seed(&localnet.admin_key().to_seed());
        let folder = self.folder.join("walrus");
        let config = LocalWalrusConfig {
            listen,
            ..LocalWalrusConfig::new(folder, ledger.clone(), operator)
        };
        let nodes = config.store.nodes;
        let walrus = LocalWalrus::start(config).await?;
        let step = Step::Walrus {
            url: walrus.url(),
            nodes,
            shards: walrus.shards(),
        };
        self.observer.step(&step, started.elapsed());
        Ok(walrus)
    }

    async fn start_node(
        &self,
        network: &Network,
        engine: &Arc<dyn Engine>,
        task: TaskId,
        number: usize,
        plan: &NodePlan,
    ) -> Result<NetworkNode, NetworkError> {
        let started = Instant::now();
        let folder = self.folder.join(format!("node-{number}"));
        // a wallet of its own: two processes must not spend one wallet's coins
        let wallet = Arc::new(stored_key(
            &folder.join("wallet.key"),
            &*self.localnet.runtime.random,
        )?);
        let address = wallet.public_key().address();
        fund(&network.ledger, "node", address, plan.money(), &Silent).await?;
        let config = NodeConfig {
            subscriptions: vec![SubscriptionConfig {
                task,
                price: plan.price,
            }],
            listen: plan.listen,
            admin_listen: plan.admin,
            collateral: COLLATERAL,
            settlement: self.settlement.clone(),
            evidence: network.walrus.as_ref().map(|walrus| match plan.withholds {
                true => EvidenceConfig::new(NOWHERE, NOWHERE, walrus.shards()),
                false => quick_evidence(walrus),
            }),
            forward: plan.forward.clone(),
            attest: plan.attest.clone(),
            confidential: self.confidential.clone(),
            upkeep: self.upkeep(),
            runtime: network.ledger.runtime().clone(),
            ..NodeConfig::new(
                network.ledger.url().to_owned(),
                KeySource::Given(wallet),
                folder,
            )
        };
        let served = vec![ServedModel {
            model: engine.info().id.clone(),
            engine: plan.engine.as_ref().unwrap_or(engine).clone(),
        }];
        let running = Node::start(config, served).await;
        let running = running.map_err(|source| NetworkError::Node {
            number,
            source: Box::new(source),
        })?;
        let id = running.node_id();
        let step = Step::Node {
            number,
            node: id,
            url: running.url(),
            price: plan.price,
            collateral: COLLATERAL,
            guest: self.confidential.as_ref().map(|guest| guest.kind.as_str()),
        };
        self.observer.step(&step, started.elapsed());
        Ok(NetworkNode {
            id,
            price: plan.price,
            running,
        })
    }

    /// Where answers are examined, a node's weight counts once somebody has the ledger look at it.
    fn upkeep(&self) -> UpkeepConfig {
        let mut upkeep = UpkeepConfig::default();
        if self.examined.is_some() {
            upkeep.tick_ms = UPKEEP_TICK_MS;
        }
        upkeep
    }
}

impl std::fmt::Debug for NodePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodePlan")
            .field("price", &self.price)
            .field("attest", &self.attest)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for NetworkBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NetworkBuilder")
            .field("folder", &self.folder)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// People watch: look often, settle a used-up lease soon.
fn quick_settlement() -> SettlementConfig {
    SettlementConfig {
        tick_ms: 100,
        rest_ms: 2_000,
        ..SettlementConfig::default()
    }
}

/// People watch: what was answered is stored a moment later.
fn quick_evidence(walrus: &LocalWalrus) -> EvidenceConfig {
    EvidenceConfig {
        patience_ms: Some(200),
        ..EvidenceConfig::new(walrus.url(), walrus.url(), walrus.shards())
    }
}
