//! A whole network in this process: ledger, Walrus, model, nodes. `demo` and `devnet` are two ways to look
//! at it.

use crate::{
    model::{self, ModelChoice, engine_class},
    output::{Fact, Output},
    task::{created, weights_list},
};
use anyhow::{Context, Result};
use atoma_engine::{Engine, ModelInfo};
use atoma_keys::{SigningKey, write_private};
use atoma_ledger::Ledger;
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_node::{
    EvidenceConfig, KeySource, Node, NodeConfig, RunningNode, ServedModel, SettlementConfig,
    SubscriptionConfig,
};
use atoma_types::{
    Address, ComputeUnits, EngineClass, MicroUsdc, NodeId, Price, Role, SecurityLevel, StackId,
    TaskId, UnitWeights,
    chain::{Params, calls},
};
use atoma_walrus_localnet::{LocalWalrus, LocalWalrusConfig};
use serde_json::json;
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// Collateral of each node.
pub(crate) const COLLATERAL: MicroUsdc = MicroUsdc(100_000_000);
/// Test money for each party: collateral and plenty to spend.
pub(crate) const POCKET_MONEY: MicroUsdc = MicroUsdc(1_000_000_000);
/// What each node is willing to have under lease at once.
const CAPACITY: ComputeUnits = ComputeUnits(1_000_000_000);
/// The tasks' highest price: 10 USDC per million units.
const PRICE_CEILING: Price = Price(10_000_000);

/// What to start.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where the state is kept.
    pub(crate) folder: PathBuf,
    /// Where the ledger listens.
    pub(crate) ledger: SocketAddr,
    /// The ledger's parameters.
    pub(crate) params: Params,
    /// One node for each.
    pub(crate) prices: Vec<Price>,
    /// What they serve.
    pub(crate) model: ModelChoice,
}

/// A node of it.
pub(crate) struct NetworkNode {
    pub(crate) id: NodeId,
    pub(crate) price: Price,
    pub(crate) running: RunningNode,
}

/// All of it, running.
pub(crate) struct Network {
    pub(crate) localnet: RunningLocalnet,
    pub(crate) ledger: Ledger,
    /// Keeps blobs whose objects are on the ledger.
    pub(crate) walrus: LocalWalrus,
    pub(crate) model: String,
    pub(crate) task: TaskId,
    /// Owns the nodes and the task.
    pub(crate) operator: SigningKey,
    pub(crate) nodes: Vec<NetworkNode>,
}

impl Network {
    /// Starts everything, telling each step to `output`.
    pub(crate) async fn start(plan: &Plan, output: &Output) -> Result<Self> {
        // first what can fail by the user's mistake
        let engine = tell_model(&plan.model, output).await?;
        let localnet = start_localnet(plan, output).await?;
        let ledger = Ledger::connect(&localnet.url()).await?;
        let walrus = start_walrus(plan, &localnet, &ledger, output).await?;
        let operator = stored_key(&plan.folder.join("operator.key"))?;
        fund(&ledger, "operator", &operator, POCKET_MONEY, output).await?;
        let task = find_or_create_task(&ledger, &operator, engine.info(), output).await?;
        let model = engine.info().id.clone();
        let mut nodes = Vec::new();
        for (index, &price) in plan.prices.iter().enumerate() {
            let folder = plan.folder.join(format!("node-{}", index + 1));
            let started = Instant::now();
            let served = vec![ServedModel {
                model: model.clone(),
                engine: Arc::clone(&engine),
            }];
            // a wallet of its own: two processes must not spend one wallet's coins
            let wallet = Arc::new(stored_key(&folder.join("wallet.key"))?);
            quietly_fund(&ledger, &wallet).await?;
            let config = NodeConfig {
                subscriptions: vec![SubscriptionConfig {
                    task,
                    price,
                    capacity: CAPACITY,
                }],
                collateral: COLLATERAL,
                settlement: quick_settlement(),
                evidence: Some(quick_evidence(&walrus)),
                ..NodeConfig::new(localnet.url(), KeySource::Given(wallet), folder)
            };
            let running = Node::start(config, served)
                .await
                .with_context(|| format!("node {} does not start", index + 1))?;
            let id = running.node_id();
            output.step(
                "node",
                &format!(
                    "Node {} registers with collateral and subscribes",
                    index + 1
                ),
                started.elapsed(),
                vec![
                    ("node", json!(id).into()),
                    ("url", json!(running.url()).into()),
                    ("collateral", Fact::Money(COLLATERAL)),
                    ("price_per_million_units", Fact::Price(price)),
                ],
            );
            nodes.push(NetworkNode { id, price, running });
        }
        Ok(Self {
            localnet,
            ledger,
            walrus,
            model,
            task,
            operator,
            nodes,
        })
    }

    /// All micro-USDC that there is: in these wallets and those of the network's own parties, in
    /// these stacks and in whatever else the contract holds.
    pub(crate) async fn all_money(&self, wallets: &[Address], stacks: &[StackId]) -> Result<u64> {
        let ledger = &self.ledger;
        let nodes = ledger.all_nodes().await?;
        let tasks = ledger.all_tasks().await?;
        let mut owners: BTreeSet<Address> = wallets.iter().copied().collect();
        owners.insert(self.operator.public_key().address());
        owners.extend(nodes.iter().map(|node| node.owner));
        let mut amounts = vec![ledger.db().await?.communal_treasury];
        for owner in owners {
            amounts.push(ledger.usdc(owner).await?);
        }
        amounts.extend(nodes.iter().map(|node| node.collateral));
        amounts.extend(tasks.iter().map(|task| task.fees));
        for &stack in stacks {
            amounts.push(ledger.stack(stack).await?.escrow);
        }
        amounts
            .into_iter()
            .try_fold(MicroUsdc::ZERO, MicroUsdc::checked_add)
            .map(|sum| sum.0)
            .context("more money than fits a number")
    }

    /// Stops everything, the ledger last.
    pub(crate) async fn stop(self) {
        for node in self.nodes {
            node.running.drain_and_stop().await;
        }
        self.walrus.stop().await;
        self.localnet.shutdown().await;
    }
}

async fn start_localnet(plan: &Plan, output: &Output) -> Result<RunningLocalnet> {
    let started = Instant::now();
    let config = LocalnetConfig {
        listen: plan.ledger,
        params: plan.params.clone(),
        ..LocalnetConfig::new(plan.folder.join("ledger"))
    };
    let localnet = Localnet::start(config)
        .await
        .context("the ledger does not start")?;
    output.step(
        "ledger",
        "A ledger starts (Sui's gRPC protocol, on this machine)",
        started.elapsed(),
        vec![
            ("url", json!(localnet.url())),
            ("network", json!(localnet.network())),
        ],
    );
    Ok(localnet)
}

async fn start_walrus(
    plan: &Plan,
    localnet: &RunningLocalnet,
    ledger: &Ledger,
    output: &Output,
) -> Result<LocalWalrus> {
    let started = Instant::now();
    // on localnet the administrator operates the storage nodes, and keeps the rules' epoch in step
    let operator = SigningKey::from_seed(&localnet.admin_key().to_seed());
    let config = LocalWalrusConfig::new(plan.folder.join("walrus"), ledger.clone(), operator);
    let nodes = config.store.nodes;
    let walrus = LocalWalrus::start(config)
        .await
        .context("the local Walrus does not start")?;
    output.step(
        "walrus",
        "A local Walrus starts (its HTTP API; blobs are objects on the ledger)",
        started.elapsed(),
        vec![
            ("url", json!(walrus.url())),
            ("storage_nodes", json!(nodes)),
            ("shards", json!(walrus.shards())),
        ],
    );
    Ok(walrus)
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

async fn quietly_fund(ledger: &Ledger, key: &SigningKey) -> Result<()> {
    let address = key.public_key().address();
    if ledger.usdc(address).await? < COLLATERAL {
        ledger.faucet(address).await?;
        ledger.mint_usdc(address, POCKET_MONEY).await?;
    }
    Ok(())
}

/// Gives test money to a party, unless it has some already.
pub(crate) async fn fund(
    ledger: &Ledger,
    who: &str,
    key: &SigningKey,
    amount: MicroUsdc,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let address = key.public_key().address();
    if ledger.usdc(address).await? >= amount {
        return Ok(());
    }
    ledger.faucet(address).await?;
    ledger.mint_usdc(address, amount).await?;
    output.step(
        "fund",
        &format!("The faucet gives test money to the {who}"),
        started.elapsed(),
        vec![
            ("who", json!(who).into()),
            ("address", json!(address).into()),
            (
                "balance_micro_usdc",
                Fact::Money(ledger.usdc(address).await?),
            ),
        ],
    );
    Ok(())
}

async fn find_or_create_task(
    ledger: &Ledger,
    operator: &SigningKey,
    model: &ModelInfo,
    output: &Output,
) -> Result<TaskId> {
    let existing = ledger.all_tasks().await?;
    let same = |task: &&atoma_types::chain::Task| {
        task.model_name == model.id && task.engine == engine_class(model) && !task.deprecated
    };
    if let Some(task) = existing.iter().find(same) {
        return Ok(task.id);
    }
    let started = Instant::now();
    let task = create_task(ledger, operator, &model.id, engine_class(model)).await?;
    output.step(
        "task",
        "A task is created: this model, these rules",
        started.elapsed(),
        vec![
            ("task", json!(task).into()),
            ("model", json!(model.id).into()),
            (
                "engine",
                json!(engine_class(model).numerics.as_str()).into(),
            ),
            (
                "revision",
                json!(engine_class(model).model.to_string()).into(),
            ),
            (
                "price_ceiling_per_million_units",
                Fact::Price(PRICE_CEILING),
            ),
        ],
    );
    Ok(task)
}

/// Creates a chat task with the usual weights.
pub(crate) async fn create_task(
    ledger: &Ledger,
    owner: &SigningKey,
    name: &str,
    engine: EngineClass,
) -> Result<TaskId> {
    let call = calls::CreateTask {
        db: ledger.deployment().db.into(),
        role: Role::ChatCompletion as u8,
        model_name: name.to_owned(),
        security_level: SecurityLevel::None as u8,
        price_ceiling: PRICE_CEILING,
        weights: weights_list(&UnitWeights::TEXT),
        model: engine.model.0.to_vec(),
        numerics: engine.numerics as u8,
        rule: engine.rule as u8,
        min_reputation: 0,
        min_collateral: MicroUsdc::ZERO,
        allow_list: None,
    };
    let done = ledger.execute(owner, vec![call.into()]).await?;
    created(&done.events).context("the ledger reported no new task")
}

async fn tell_model(choice: &ModelChoice, output: &Output) -> Result<Arc<dyn Engine>> {
    let started = Instant::now();
    let progress = output.progress("loading the model");
    let engine = model::load(choice.model.as_deref(), choice.threads).await?;
    progress.finish_and_clear();
    let info = engine.info();
    output.step(
        "model",
        "The nodes' model is loaded",
        started.elapsed(),
        vec![
            ("model", json!(info.id)),
            ("context", json!(info.context)),
            ("numerics", json!(engine_class(info).numerics.as_str())),
        ],
    );
    Ok(engine)
}

/// A key kept in a private file, made at first use.
pub(crate) fn stored_key(path: &Path) -> Result<SigningKey> {
    if let Ok(text) = std::fs::read_to_string(path) {
        let text = zeroize::Zeroizing::new(text);
        return SigningKey::from_suiprivkey(&text)
            .with_context(|| format!("{} holds no key", path.display()));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let key = SigningKey::generate();
    write_private(path, key.to_suiprivkey()?.as_bytes())?;
    Ok(key)
}

/// Any free port of loopback.
pub(crate) fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
