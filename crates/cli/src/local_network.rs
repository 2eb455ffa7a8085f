//! The whole network of `demo` and `devnet`, and how its steps are told.

use crate::{
    model::{self, ModelChoice},
    output::{Fact, Output},
    task::created,
};
use anyhow::{Context, Result};
use atoma_engine::Engine;
use atoma_network::{Network, Observer, Step, engine_class};
use atoma_types::{Price, TaskId, chain::Params};
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::Instant;

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

/// A network with a model, a task and a Walrus.
pub(crate) struct Served {
    pub(crate) network: Network,
    pub(crate) model: String,
    pub(crate) task: TaskId,
}

/// Starts everything, telling each step.
pub(crate) async fn start(plan: &Plan, output: &Output) -> Result<Served> {
    // first what can fail by the user's mistake
    let engine = tell_model(&plan.model, output).await?;
    let model = engine.info().id.clone();
    let mut builder = Network::builder(&plan.folder)
        .listen(plan.ledger)
        .params(plan.params.clone())
        .walrus()
        .serving(engine)
        .observed_by(Arc::new(output.clone()));
    for &price in &plan.prices {
        builder = builder.node(price);
    }
    let network = builder.start().await?;
    let task = network.task.context("the network has no task")?;
    Ok(Served {
        network,
        model,
        task,
    })
}

impl Observer for Output {
    fn step(&self, step: &Step<'_>, took: Duration) {
        let (name, title, facts) = told(step);
        Output::step(self, name, &title, took, facts);
    }
}

/// A step's name for programs, its line for people, and the facts of both.
fn told(step: &Step<'_>) -> (&'static str, String, Vec<(&'static str, Fact)>) {
    match step {
        Step::Ledger { url, network } => (
            "ledger",
            "A ledger starts (Sui's gRPC protocol, on this machine)".to_owned(),
            vec![
                ("url", json!(url).into()),
                ("network", json!(network).into()),
            ],
        ),
        Step::Walrus { url, nodes, shards } => (
            "walrus",
            "A local Walrus starts (its HTTP API; blobs are objects on the ledger)".to_owned(),
            vec![
                ("url", json!(url).into()),
                ("storage_nodes", json!(nodes).into()),
                ("shards", json!(shards).into()),
            ],
        ),
        Step::Funded {
            who,
            address,
            balance,
        } => (
            "fund",
            format!("The faucet gives test money to the {who}"),
            vec![
                ("who", json!(who).into()),
                ("address", json!(address).into()),
                ("balance_micro_usdc", Fact::Money(*balance)),
            ],
        ),
        Step::Task {
            task,
            model,
            engine,
            price_ceiling,
        } => (
            "task",
            "A task is created: this model, these rules".to_owned(),
            vec![
                ("task", json!(task).into()),
                ("model", json!(model.id).into()),
                ("engine", json!(engine.numerics.as_str()).into()),
                ("revision", json!(engine.model.to_string()).into()),
                (
                    "price_ceiling_per_million_units",
                    Fact::Price(*price_ceiling),
                ),
            ],
        ),
        Step::Node {
            number,
            node,
            url,
            price,
            collateral,
        } => (
            "node",
            format!("Node {number} registers with collateral and subscribes"),
            vec![
                ("node", json!(node).into()),
                ("url", json!(url).into()),
                ("collateral", Fact::Money(*collateral)),
                ("price_per_million_units", Fact::Price(*price)),
            ],
        ),
        // a step of a newer library: nothing is known of it here
        _ => ("started", "Another part starts".to_owned(), Vec::new()),
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
        role: Role::ChatCompletion,
        model_name: name.to_owned(),
        security_level: SecurityLevel::None,
        price_ceiling: PRICE_CEILING,
        weights: UnitWeights::TEXT,
        model: engine.model,
        numerics: engine.numerics,
        rule: engine.rule,
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
