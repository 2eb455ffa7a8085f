//! The whole network of `demo` and `devnet`, and how its steps are told.

use crate::{
    model::{self, ModelChoice},
    output::{Facts, Output, money, price},
};
use anyhow::{Context, Result};
use atoma_engine::{EmbeddedOptions, Engine};
use atoma_network::{
    Network, Observer, Step, any_port,
    cheat::{Cheat, cheating},
    engine_class,
};
use atoma_node::{AttestConfig, ConfidentialConfig, ForwardConfig};
use atoma_tee::octets::{Digest, Measurement, Octets};
use atoma_types::{MicroUsdc, Price, TaskId, UnitWeights, chain::Params};
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What to start.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where the state is kept.
    pub(crate) folder: PathBuf,
    /// Where its parts listen.
    pub(crate) ports: Ports,
    /// The ledger's parameters.
    pub(crate) params: Params,
    /// One node for each.
    pub(crate) prices: Vec<Price>,
    /// The last of them passes requests on.
    pub(crate) forward: Option<ForwardConfig>,
    /// Answers are examined: all nodes but the first attest.
    pub(crate) examined: Option<Examined>,
    /// The task is confidential: all nodes run as software that acts as hardware, and say so.
    pub(crate) confidential: bool,
    /// What they serve.
    pub(crate) model: ModelChoice,
}

/// How answers are examined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examined {
    /// How the first node cheats with what it computes, if it does.
    pub(crate) cheat: Option<Cheat>,
    /// The first node shows its evidence to nobody.
    pub(crate) withholds: bool,
}

/// Where answers are examined a ticket must be worth it: a token costs a thousand times what it does elsewhere.
const EXAMINED_WEIGHTS: UnitWeights = UnitWeights {
    input: 1_000_000,
    cached_input: 100_000,
    output: 1_000_000,
    image_step: 0,
    audio_second: 0,
};
/// The release of a local network's confidential task: nobody has built it, for no hardware measures it.
pub(crate) const RELEASE: Digest = Octets(*b"software that acts as hardware..");
/// What such software says that it started with.
pub(crate) const MEASUREMENT: Measurement = Octets([0x5f; 48]);
/// What the pool of an examined task begins with: fees of twenty attesters.
const POOL: MicroUsdc = MicroUsdc(2_000_000);

/// Where the parts of a network listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) ledger: SocketAddr,
    pub(crate) walrus: SocketAddr,
    /// For users and for the operator of each node.
    pub(crate) nodes: Vec<(SocketAddr, SocketAddr)>,
}

impl Ports {
    /// Any free ports, for so many nodes.
    pub(crate) fn any(nodes: usize) -> Self {
        Self {
            ledger: any_port(),
            walrus: any_port(),
            nodes: vec![(any_port(), any_port()); nodes],
        }
    }
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
        .listen(plan.ports.ledger)
        // as Sui's faucet: gas alone; test dollars come by the amount
        .localnet(|config| config.faucet.usdc = MicroUsdc::ZERO)
        .params(plan.params.clone())
        .walrus_at(plan.ports.walrus)
        .serving(engine.clone())
        .observed_by(Arc::new(output.clone()));
    if plan.examined.is_some() {
        builder = builder.weights(EXAMINED_WEIGHTS).examined(POOL);
    }
    for (place, (&price, &(listen, admin))) in plan.prices.iter().zip(&plan.ports.nodes).enumerate()
    {
        builder = builder.node_at(price, listen, admin);
        builder = match plan.examined {
            Some(Examined {
                cheat: Some(cheat), ..
            }) if place == 0 => {
                let folder = plan.folder.join("cheat");
                builder.computing_with(cheating(cheat, &engine, &folder)?)
            }
            Some(Examined {
                withholds: true, ..
            }) if place == 0 => builder.withholding(),
            Some(_) if place > 0 => builder.attesting(quick_attest()),
            _ => builder,
        };
    }
    if plan.confidential {
        builder = builder.confidential(ConfidentialConfig::software(RELEASE, MEASUREMENT));
    }
    if let Some(forward) = plan.forward.clone() {
        builder = builder.passing_on(forward);
    }
    let network = builder.start().await?;
    let task = network.task.context("the network has no task")?;
    Ok(Served {
        network,
        model,
        task,
    })
}

/// People watch: look often, and leave others' steps to them for a moment.
fn quick_attest() -> AttestConfig {
    AttestConfig {
        tick_ms: 100,
        spread_ms: 2_000,
        ..AttestConfig::default()
    }
}

impl Observer for Output {
    fn step(&self, step: &Step<'_>, took: Duration) {
        let (name, title) = told(step);
        Output::step(self, name, &title, took, facts(step));
    }
}

/// A step's name for programs, and its line for people.
fn told(step: &Step<'_>) -> (&'static str, String) {
    match step {
        Step::Ledger { .. } => (
            "ledger",
            "A ledger starts (Sui's gRPC protocol, on this machine)".to_owned(),
        ),
        Step::Walrus { .. } => (
            "walrus",
            "A local Walrus starts (its HTTP API; blobs are objects on the ledger)".to_owned(),
        ),
        Step::Funded { who, .. } => (
            "fund",
            format!("The faucet gives test money to the {who}"),
        ),
        Step::Task { security, .. } if security.confidential() => (
            "task",
            "A confidential task is created: nodes must be attested, and these will be by a software TEE".to_owned(),
        ),
        Step::Task { .. } => (
            "task",
            "A task is created: this model, these rules".to_owned(),
        ),
        Step::Node {
            number,
            guest: Some(guest),
            ..
        } => (
            "node",
            format!(
                "Node {number} registers with collateral, attests its keys by a {guest} TEE, and subscribes"
            ),
        ),
        Step::Node { number, .. } => (
            "node",
            format!("Node {number} registers with collateral and subscribes"),
        ),
        // a step of a newer library: nothing is known of it here
        _ => ("started", "Another part starts".to_owned()),
    }
}

/// A step's facts, for both.
fn facts(step: &Step<'_>) -> Facts {
    match step {
        Step::Ledger { url, network } => vec![("url", json!(url)), ("network", json!(network))],
        Step::Walrus { url, nodes, shards } => vec![
            ("url", json!(url)),
            ("storage_nodes", json!(nodes)),
            ("shards", json!(shards)),
        ],
        Step::Funded {
            who,
            address,
            balance,
        } => vec![
            ("who", json!(who)),
            ("address", json!(address)),
            ("balance_micro_usdc", money(*balance)),
        ],
        Step::Task {
            task,
            model,
            engine,
            price_ceiling,
            ..
        } => vec![
            ("task", json!(task)),
            ("model", json!(model.id)),
            ("engine", json!(engine.numerics.as_str())),
            ("revision", json!(engine.model.to_string())),
            (
                "price_ceiling_micro_usdc_per_million_units",
                price(*price_ceiling),
            ),
        ],
        Step::Node {
            node,
            url,
            price: asked,
            collateral,
            ..
        } => vec![
            ("node", json!(node)),
            ("url", json!(url)),
            ("collateral_micro_usdc", money(*collateral)),
            ("price_micro_usdc_per_million_units", price(*asked)),
        ],
        _ => Vec::new(),
    }
}

async fn tell_model(choice: &ModelChoice, output: &Output) -> Result<Arc<dyn Engine>> {
    let started = Instant::now();
    let progress = output.progress("loading the model");
    let options = EmbeddedOptions {
        threads: choice.threads,
        ..EmbeddedOptions::default()
    };
    let engine = model::load(choice.model.as_deref(), options).await?;
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
