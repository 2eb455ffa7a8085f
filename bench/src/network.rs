//! The parts under measurement, each a process of its own: ledger, upstream, node, gateway. `atoma-network`, which
//! has them all in one process, would leave nothing to measure one of them by: processor time, memory, signals.

use crate::process::{Process, measured};
use anyhow::{Context, Result};
use atoma_client::{BuyRequest, Client, ClientConfig, request_key};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::create_task;
use atoma_runtime::SystemRandom;
use atoma_runtime::files::write_private;
use atoma_types::{
    ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, Rule, StackId,
    TaskId, chain::NewTask, hash::Hash32,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// What the instant upstream's model is called.
pub(crate) const MODEL: &str = "bench-model";
/// Enough for every cell.
const UNITS: ComputeUnits = ComputeUnits(1_000_000_000_000);
/// High enough that what the gateway leases is worth a grant to the node.
const PRICE: Price = Price(10);
/// What a stack of `UNITS` at that price puts at stake, and more.
const COLLATERAL: MicroUsdc = MicroUsdc(1_000_000_000);
/// Shards of the local Walrus: room for packs of any size.
const SHARDS: &str = "100";
/// Units of the gateway's stack: enough for its cell, and within its budget at the task's ceiling.
const GATEWAY_UNITS: u64 = 100_000_000;

/// Ledger, upstream and node, with a stack that the node holds.
#[derive(Debug)]
pub(crate) struct Bench {
    atoma: PathBuf,
    pub(crate) ledger: Ledger,
    _localnet: Process,
    _upstream: Process,
    _walrus: Option<Process>,
    pub(crate) upstream_address: String,
    pub(crate) node: Process,
    pub(crate) node_address: String,
    pub(crate) node_id: NodeId,
    pub(crate) task: TaskId,
    pub(crate) stack: StackId,
    pub(crate) request_key: SigningKey,
    /// Removed when all who write there are gone.
    folder: tempfile::TempDir,
}

/// What the node does about evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evidence {
    /// It keeps none.
    None,
    /// It keeps bodies in its log and stores nothing while it is measured: the serving path's part.
    Logged,
    /// It also seals, packs and stores all the time.
    Packed,
}

impl Evidence {
    /// A local Walrus, and the node's configuration for it.
    fn start(self, atoma: &Path, folder: &Path) -> Result<(Option<Process>, String)> {
        let patience = match self {
            Self::None => return Ok((None, String::new())),
            Self::Logged => "patience_ms = 3600000\nmax_pack_bytes = 4294967296\n",
            Self::Packed => "patience_ms = 500\n",
        };
        let mut command = Command::new(atoma);
        command.args(["--json", "walrus", "serve", "--listen", "127.0.0.1:0"]);
        command.args(["--shards", SHARDS, "--data-dir"]).arg(folder);
        let (walrus, ready) = Process::start(&mut command, "url")?;
        let url = text(&ready, "url")?;
        let section = format!(
            "[evidence]\npublisher = {url:?}\naggregators = [{url:?}]\nshards = {SHARDS}\n{patience}"
        );
        Ok((Some(walrus), section))
    }
}

impl Bench {
    /// Starts them, the upstream at a model's pace or at once.
    pub(crate) async fn start(
        atoma: &Path,
        pace: Option<Duration>,
        evidence: Evidence,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let mut command = Command::new(atoma);
        command.args([
            "--json",
            "localnet",
            "run",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
        ]);
        let (localnet, ready) = Process::start(command.arg(path("ledger")), "ledger")?;
        let ledger = Ledger::connect(text(&ready, "ledger")?).await?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("upstream");
        if let Some(pace) = pace {
            command.args(["--pause-ms", &pace.as_millis().to_string()]);
        }
        let (upstream, ready) = Process::start(&mut command, "url")?;
        let upstream_url = text(&ready, "url")?;

        let operator = SigningKey::generate(&SystemRandom);
        fund(&ledger, &operator).await?;
        let task = create_task(&ledger, &operator, new_task()).await?;
        write_private(&path("operator.key"), operator.to_suiprivkey()?.as_bytes())?;
        let (walrus, section) = evidence.start(atoma, &path("walrus"))?;
        let config = format!(
            "ledger = {:?}\nkey = {{ file = {:?} }}\nlisten = \"127.0.0.1:0\"\n\
             admin_listen = \"127.0.0.1:0\"\ncollateral = {}\ngrant_step_permille = 1000\ndata_dir = {:?}\n{section}\
             [[subscriptions]]\ntask = \"{task}\"\nprice = {}\n\
             [[engines]]\nmodel = {MODEL:?}\nfrom = {{ upstream = {{ urls = [{upstream_url:?}] }} }}\n",
            ledger.url(),
            path("operator.key"),
            COLLATERAL.0,
            path("node"),
            PRICE.0,
        );
        std::fs::write(path("node.toml"), config)?;
        let mut command = measured(atoma);
        command
            .args(["--json", "node", "run", "--config"])
            .arg(path("node.toml"));
        let (node, ready) = Process::start(&mut command, "url")?;
        let request_key = request_key(&operator);
        let stack = buy(&ledger, operator, task).await?;
        Ok(Self {
            atoma: atoma.to_owned(),
            upstream_address: address(&upstream_url)?,
            node_address: address(&text(&ready, "url")?)?,
            node_id: text(&ready, "node")?.parse()?,
            folder,
            ledger,
            _localnet: localnet,
            _upstream: upstream,
            _walrus: walrus,
            node,
            task,
            stack,
            request_key,
        })
    }

    /// A bare proxy before the upstream; its process and address.
    pub(crate) fn floor(&self) -> Result<(Process, String)> {
        let mut command = measured(std::env::current_exe()?);
        command.args(["floor", &self.upstream_address]);
        let (process, ready) = Process::start(&mut command, "url")?;
        Ok((process, address(&text(&ready, "url")?)?))
    }

    /// A gateway before the node; its process, address and a key for it.
    pub(crate) async fn gateway(&self) -> Result<(Process, String, String)> {
        let folder = self.folder.path().join("gateway");
        std::fs::create_dir_all(&folder)?;
        let wallet = SigningKey::generate(&SystemRandom);
        fund(&self.ledger, &wallet).await?;
        write_private(
            &folder.join("wallet.key"),
            wallet.to_suiprivkey()?.as_bytes(),
        )?;
        let key = atoma_gateway::ApiKey::generate(&SystemRandom);
        let config = format!(
            "key = {{ file = {:?} }}\nledger = {:?}\nlisten = \"127.0.0.1:0\"\ndata_dir = {:?}\nbudget = 900000000\nlocal_nodes = true\n\
             [[api_keys]]\nname = \"bench\"\nhash = \"{}\"\nbudget = 900000000\n\
             [policy]\nstack_units = {}\ngrant_units = {}\n",
            folder.join("wallet.key"),
            self.ledger.url(),
            folder,
            key.hash(),
            GATEWAY_UNITS,
            GATEWAY_UNITS,
        );
        std::fs::write(folder.join("gateway.toml"), config)?;
        let mut command = measured(&self.atoma);
        command
            .args(["--json", "gateway", "run", "--config"])
            .arg(folder.join("gateway.toml"));
        let (process, ready) = Process::start(&mut command, "endpoint")?;
        Ok((
            process,
            address(&text(&ready, "endpoint")?)?,
            key.reveal().to_owned(),
        ))
    }
}

pub(crate) async fn fund(ledger: &Ledger, key: &SigningKey) -> Result<()> {
    let address = key.public_key().address();
    ledger.faucet(address).await?;
    ledger.mint_usdc(address, MicroUsdc(2_000_000_000)).await?;
    Ok(())
}

/// A task that says of its answers what no bench looks at.
fn new_task() -> NewTask {
    let engine = EngineClass {
        model: Hash32([7; 32]),
        numerics: Numerics::Tolerant,
        rule: Rule::Tolerant,
    };
    NewTask::chat(MODEL, engine, Price(1_000_000))
}

/// Buys a stack for a wallet, all of which the one node has.
async fn buy(ledger: &Ledger, owner: SigningKey, task: TaskId) -> Result<StackId> {
    let client = Client::connect(ledger.url(), owner, ClientConfig::default()).await?;
    let bought = client.buy(BuyRequest {
        task,
        units: UNITS,
        max_price: Some(PRICE),
        nodes: 0,
        lifetime: DurationMs(86_400_000),
    });
    let stack = bought.await?;
    stack.engage().await?;
    Ok(stack.id())
}

fn text(value: &serde_json::Value, name: &str) -> Result<String> {
    Ok(value[name]
        .as_str()
        .with_context(|| format!("no `{name}` in {value}"))?
        .to_owned())
}

/// `host:port` of a URL.
fn address(url: &str) -> Result<String> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("{url} is not http"))?;
    Ok(rest.split('/').next().unwrap_or(rest).to_owned())
}
