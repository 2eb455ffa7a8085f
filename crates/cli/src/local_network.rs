//! The whole network of `demo` and `devnet`, and how its steps are told.

use crate::{
    model::{self, ModelChoice},
    output::{Fact, Output},
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
