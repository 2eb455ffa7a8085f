//! `atoma devnet`: a whole network that stays up, and an endpoint to paste.

use crate::{
    local_network::{self, Plan, Served},
    model::ModelChoice,
    output::Output,
    run::told_to_stop,
};
use anyhow::{Context, Result};
use atoma_gateway::RunningGateway;
use atoma_network::{ApiKeys, GatewayPlan, create_task, start_gateway, subscribe_unreachable_node};
use atoma_types::{
    EngineClass, Numerics, Price, Rule,
    chain::{NewTask, Params},
    hash::Hash32,
};
use clap::Args;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Devnet {
    #[command(flatten)]
    model: ModelChoice,
    /// Where the gateway listens.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the ledger listens.
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "ADDRESS")]
    ledger_listen: SocketAddr,
    /// Keep the state here and go on from it (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// How many requests the gateway serves at once; more are answered with 429.
    #[arg(long, default_value_t = 256, value_name = "N")]
    max_concurrent: usize,
}

/// Cheap, middling, dear: in micro-USDC per million units.
pub(crate) const PRICES: [Price; 3] = [Price(2_000_000), Price(3_000_000), Price(5_000_000)];
/// A task whose only node can't be reached, to see what a 503 looks like.
const DEAD_MODEL: &str = "unreachable-model";
/// Windows of seconds instead of hours: people watch.
pub(crate) fn quick_params(window_ms: u64) -> Params {
    Params {
        dispute_window_ms: window_ms,
        settle_grace_ms: 60_000,
        unbonding_ms: 10_000,
        ..Params::default()
    }
}

pub(crate) async fn run(args: Devnet, output: &Output) -> Result<()> {
    let temporary = match args.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("atoma-devnet-").tempdir()?),
    };
    let folder = match (&args.data_dir, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => anyhow::bail!("no folder for the state"),
    };
    let plan = Plan {
        folder: folder.clone(),
        ledger: args.ledger_listen,
        params: quick_params(2_000),
        prices: PRICES.to_vec(),
        model: args.model,
    };
    let keys = ApiKeys::open(&folder.join("gateway"))?;
    let start = async {
        let served = local_network::start(&plan, output).await?;
        register_dead_model(&served).await?;
        let gateway = GatewayPlan {
            folder: folder.join("gateway"),
            listen: args.listen,
            max_concurrent: args.max_concurrent,
            keys: &keys,
        };
        let gateway = start_gateway(&served.network.ledger, gateway, output).await?;
        Ok::<_, anyhow::Error>((served, gateway))
    };
    // told to stop while it starts, it ends here and the temporary folder goes
    let (served, gateway) = tokio::select! {
        biased;
        started = start => started?,
        stopped = told_to_stop() => return stopped,
    };
    announce(&served, &gateway, &keys, output)?;
    told_to_stop().await?;
    output.say("stopping: streams end, the nodes' journals are flushed");
    gateway.shutdown().await;
    served.network.stop().await;
    Ok(())
}

fn announce(
    served: &Served,
    gateway: &RunningGateway,
    keys: &ApiKeys,
    output: &Output,
) -> Result<()> {
    let network = &served.network;
    let walrus = network
        .walrus
        .as_ref()
        .context("the network has no Walrus")?;
    let deployment = network.ledger.deployment();
    let endpoint = format!("{}/v1", gateway.url());
    let key = keys.normal.reveal();
    if output.is_json() {
        let nodes: Vec<_> = network
            .nodes
            .iter()
            .map(
                |node| json!({ "node": node.id, "url": node.running.url(), "price": node.price.0 }),
            )
            .collect();
        output.object(vec![
            ("step", json!("ready")),
            ("endpoint", json!(endpoint)),
            ("api_key", json!(key)),
            ("poor_key", json!(keys.poor.reveal())),
            ("narrow_key", json!(keys.narrow.reveal())),
            ("model", json!(served.model)),
            ("dead_model", json!(DEAD_MODEL)),
            ("ledger", json!(network.ledger.url())),
            ("network", json!(network.ledger.network())),
            ("walrus", json!(walrus.url())),
            ("package", json!(deployment.package)),
            ("db", json!(deployment.db)),
            ("usdc_type", json!(deployment.usdc.to_string())),
            ("task", json!(served.task)),
            ("nodes", json!(nodes)),
        ]);
        return Ok(());
    }
    output.say(format!(
        "\nThe network is up. Ctrl-C stops it.\n\n\
         \x20   endpoint  {endpoint}\n\
         \x20   API key   {key}\n\
         \x20   ledger    {}\n\
         \x20   walrus    {}\n\n\
         Paste this:\n\n\
         curl {endpoint}/chat/completions -H 'Authorization: Bearer {key}' \\\n\
         \x20   -H 'Content-Type: application/json' \\\n\
         \x20   -d '{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is the sun?\"}}]}}'\n\n\
         Or, as a user without a gateway:\n\n\
         export ATOMA_LEDGER={} ATOMA_WALRUS_AGGREGATOR={} ATOMA_WALRUS_SHARDS={}\n\
         atoma wallet new && atoma wallet fund --usdc 10 && atoma task list",
        network.ledger.url(),
        walrus.url(),
        served.model,
        network.ledger.url(),
        walrus.url(),
        walrus.shards(),
    ));
    Ok(())
}

/// A task with one node that nobody can reach: what users see when a model has no live node.
async fn register_dead_model(served: &Served) -> Result<()> {
    let (ledger, operator) = (&served.network.ledger, &served.network.operator);
    let tasks = ledger.all_tasks().await?;
    if tasks.iter().any(|task| task.model_name == DEAD_MODEL) {
        return Ok(());
    }
    let engine = EngineClass {
        model: Hash32::of(DEAD_MODEL.as_bytes()),
        numerics: Numerics::Tolerant,
        rule: Rule::Tolerant,
    };
    let task = NewTask::chat(DEAD_MODEL, engine, PRICES[2]);
    let task = create_task(ledger, operator, task).await?;
    subscribe_unreachable_node(ledger, operator, task, PRICES[0]).await?;
    Ok(())
}
