//! `atoma devnet`: a whole network that stays up, and an endpoint to paste.

use crate::{
    local_network::{self as network, Network, Plan},
    model::ModelChoice,
    output::Output,
    run::told_to_stop,
};
use anyhow::{Context, Result};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, RunningGateway, StackPolicy,
};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_types::{
    ComputeUnits, EngineClass, MicroUsdc, Numerics, Price, Rule, TaskId,
    chain::{Event, Params, Payment, calls},
    hash::Hash32,
};
use clap::Args;
use serde_json::json;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

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
/// What the devnet's normal key may spend: 100 USDC.
const KEY_BUDGET: MicroUsdc = MicroUsdc(100_000_000);
/// What the poor key may spend: nothing, to see what a 402 looks like.
const POOR_BUDGET: MicroUsdc = MicroUsdc(0);
/// How many requests the narrow key may have under way, to see what a 429 looks like.
const NARROW: usize = 1;
/// A task whose only node can't be reached, to see what a 503 looks like.
const DEAD_MODEL: &str = "unreachable-model";
/// Nothing listens on the discard port.
const DEAD_URL: &str = "http://127.0.0.1:9";

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
        let network = Network::start(&plan, output).await?;
        register_dead_model(&network).await?;
        let folder = folder.join("gateway");
        let gateway = start_gateway(
            &network.ledger,
            &folder,
            args.listen,
            args.max_concurrent,
            &keys,
            output,
        )
        .await?;
        Ok::<_, anyhow::Error>((network, gateway))
    };
    // told to stop while it starts, it ends here and the temporary folder goes
    let (network, gateway) = tokio::select! {
        started = start => started?,
        stopped = told_to_stop() => return stopped,
    };
    announce(&network, &gateway, &keys, output);
    told_to_stop().await?;
    output.say("stopping: streams end, the nodes' journals are flushed");
    gateway.shutdown().await;
    network.stop().await;
    Ok(())
}

/// The API keys that a devnet knows.
pub(crate) struct ApiKeys {
    /// Has a budget.
    pub(crate) normal: ApiKey,
    /// Has none.
    pub(crate) poor: ApiKey,
    /// May do one thing at a time.
    pub(crate) narrow: ApiKey,
}

impl ApiKeys {
    /// Those kept in a folder, made at first use.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let stored = |name: &str| -> Result<ApiKey> {
            let path = folder.join(name);
            if let Ok(text) = std::fs::read_to_string(&path) {
                return text
                    .trim()
                    .parse()
                    .with_context(|| format!("{} holds no key", path.display()));
            }
            let key = ApiKey::generate();
            atoma_keys::write_private(&path, key.reveal().as_bytes())?;
            Ok(key)
        };
        Ok(Self {
            normal: stored("api.key")?,
            poor: stored("poor-api.key")?,
            narrow: stored("narrow-api.key")?,
        })
    }
}

/// Starts a gateway with a wallet of its own.
pub(crate) async fn start_gateway(
    ledger: &Ledger,
    folder: &Path,
    listen: SocketAddr,
    max_concurrent: usize,
    keys: &ApiKeys,
    output: &Output,
) -> Result<RunningGateway> {
    let wallet = network::stored_key(&folder.join("wallet.key"))?;
    network::fund(ledger, "gateway", &wallet, network::POCKET_MONEY, output).await?;
    let key = |name: &str, key: &ApiKey, budget, max_concurrent| ApiKeyConfig {
        name: name.to_owned(),
        hash: key.hash(),
        budget,
        max_concurrent,
    };
    let config = GatewayConfig {
        ledger: ledger.url().to_owned(),
        deployment: None,
        listen,
        admin_listen: Some(network::any_port()),
        data_dir: folder.to_owned(),
        api_keys: vec![
            key("user", &keys.normal, KEY_BUDGET, None),
            key("poor", &keys.poor, POOR_BUDGET, None),
            key("narrow", &keys.narrow, KEY_BUDGET, Some(NARROW)),
        ],
        budget: KEY_BUDGET,
        policy: StackPolicy::default(),
        models: Vec::new(),
        limits: Limits {
            max_concurrent,
            ..Limits::default()
        },
        close_stacks_on_stop: true,
    };
    Gateway::start(config, Arc::new(wallet))
        .await
        .context("the gateway does not start")
}

fn announce(network: &Network, gateway: &RunningGateway, keys: &ApiKeys, output: &Output) {
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
            ("model", json!(network.model)),
            ("dead_model", json!(DEAD_MODEL)),
            ("ledger", json!(network.ledger.url())),
            ("network", json!(network.ledger.network())),
            ("walrus", json!(network.walrus.url())),
            ("package", json!(deployment.package)),
            ("db", json!(deployment.db)),
            ("usdc_type", json!(deployment.usdc.to_string())),
            ("task", json!(network.task)),
            ("nodes", json!(nodes)),
        ]);
        return;
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
        network.walrus.url(),
        network.model,
        network.ledger.url(),
        network.walrus.url(),
        network.walrus.shards(),
    ));
}

/// A task with one node that nobody can reach: what users see when a model has no live node.
async fn register_dead_model(network: &Network) -> Result<()> {
    let (ledger, operator) = (&network.ledger, &network.operator);
    if ledger
        .all_tasks()
        .await?
        .iter()
        .any(|task| task.model_name == DEAD_MODEL)
    {
        return Ok(());
    }
    let engine = EngineClass {
        model: Hash32::of(DEAD_MODEL.as_bytes()),
        numerics: Numerics::Tolerant,
        rule: Rule::Tolerant,
    };
    let task = network::create_task(ledger, operator, DEAD_MODEL, engine).await?;
    subscribe_dead_node(ledger, operator, task).await
}

async fn subscribe_dead_node(ledger: &Ledger, operator: &SigningKey, task: TaskId) -> Result<()> {
    let db = ledger.deployment().db;
    let register = calls::RegisterNode {
        db: db.into(),
        collateral: Payment(network::COLLATERAL),
        url: DEAD_URL.to_owned(),
        response_key: SigningKey::generate().public_key(),
        sealing_key: Vec::new(),
    };
    let done = ledger.execute(operator, vec![register.into()]).await?;
    let node = done.events.iter().find_map(|event| match event {
        Event::NodeRegistered(registered) => Some(registered.node),
        _ => None,
    });
    let subscribe = calls::Subscribe {
        db: db.into(),
        task: task.into(),
        node: node.context("the ledger reported no new node")?.into(),
        price: PRICES[0],
        capacity: ComputeUnits(1_000_000_000),
    };
    ledger.execute(operator, vec![subscribe.into()]).await?;
    Ok(())
}
