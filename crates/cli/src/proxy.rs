//! `atoma proxy`: an OpenAI endpoint on this machine for its own user. It is a gateway whose keys don't
//! matter and whose stacks are the user's: those that `atoma stack buy` and `atoma chat` bought, and, within
//! a budget, others. Every receipt is checked before its answer ends, and kept where `atoma receipt` finds it.

mod prospects;

use crate::{
    client::client_folder,
    confidential::{self, GATEWAY_KEY, Seal},
    output::{Output, money, short, usdc},
    run::{put_away, until_stopped},
    scratch::Scratch,
    settings::Settings,
    values::Usdc,
};
use anyhow::{Context, Result, ensure};
use atoma_client::{Client, ClientConfig, Confidential};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, Purchase, RequestLimits, StackPolicy,
};
use atoma_ledger::Ledger;
use atoma_runtime::SystemRandom;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc, Price};
use clap::Args;
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path};
use tokio::sync::mpsc;

/// Any of a task's nodes may hold the one lease that has room: more nodes than a task has.
const MAX_TRIES: usize = 64;
/// Units of a stack that is bought: a few long answers; what isn't used comes back.
const STACK_UNITS: ComputeUnits = ComputeUnits(100_000);
/// Units that a node gets at a time, where a stack has so many.
const GRANT_UNITS: ComputeUnits = ComputeUnits(50_000);
/// Purchases that wait to be told; whoever buys more in a moment is told by the ledger.
const MAX_UNTOLD: usize = 64;
/// Such a stack's life: a day.
const LIFETIME: DurationMs = DurationMs(24 * 3_600 * 1_000);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Proxy {
    /// Where it listens. Whoever can connect there spends your stacks.
    #[arg(long, default_value = "127.0.0.1:8787", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Allow an address that other machines can reach.
    #[arg(long)]
    public: bool,
    /// What it may put into new stacks while it runs (default: nothing; it uses those that there are).
    #[arg(long, value_name = "USDC")]
    budget: Option<Usdc>,
    /// The highest price of new stacks, USDC per million units (default: the median of what nodes ask,
    /// weighted by their collateral).
    #[arg(long, value_name = "USDC", requires = "budget")]
    max_price: Option<Usdc>,
    /// Only the nodes that are asked may answer: they must not pass requests on to others when they are full.
    #[arg(long)]
    no_forward: bool,
    #[command(flatten)]
    seal: Seal,
    /// A gateway that passes sealed requests on and pays for them, and reads none: its URL. Its key is in ATOMA_API_KEY.
    #[arg(
        long,
        value_name = "URL",
        requires = "confidential",
        conflicts_with = "budget"
    )]
    gateway: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  atoma stack buy atoma-tiny --units 100000 --max-price 5 && atoma proxy
  atoma proxy --budget 2  buys what it needs, for 2 USDC at most
  atoma proxy --confidential --policy policy.toml
                          seals all to nodes that the policy accepts
  export OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY=unused

What it spends is in `atoma receipt list`; `atoma stack close` brings back what
isn't used.";

/// Says what is bought, for as long as anything may be.
async fn tell(mut bought: mpsc::Receiver<Purchase>, output: &Output) {
    while let Some(purchase) = bought.recv().await {
        let did = match purchase.top_up {
            true => "topped up",
            false => "bought",
        };
        output.note(format!(
            "{did} stack {}: {} units of {} for {} USDC, at most {} a million",
            short(purchase.stack),
            purchase.units.0,
            purchase.model,
            usdc(purchase.paid.0),
            usdc(purchase.max_price.0),
        ));
    }
    std::future::pending::<()>().await;
}

pub(crate) async fn run(
    args: Proxy,
    settings: Settings,
    scratch: &Scratch,
    output: &Output,
) -> Result<()> {
    ensure!(
        args.public || args.listen.ip().is_loopback(),
        "{} can be reached from other machines, and whoever connects spends your stacks: --public allows it",
        args.listen
    );
    // what was spent counts while it runs: the stacks themselves are kept with the client's
    let budget = args.budget.map_or(MicroUsdc::ZERO, |budget| budget.0);
    let sealed = args.seal.read(&settings)?;
    let (purchases, bought) = mpsc::channel(MAX_UNTOLD);
    let mut config = config(&args, budget, &settings, scratch.folder("proxy")?);
    config.purchases = Some(purchases);
    config.confidential.clone_from(&sealed);
    config.through = args.gateway.clone().map(with_key).transpose()?;
    // the ledger first: its error says what to do
    let client = client(settings.ledger().await?, &settings, sealed)?;
    let attested = match client.is_confidential() {
        true => Some(verified(&client, output).await?),
        false => None,
    };
    if args.gateway.is_none() {
        let max_price = args.max_price.map(|price| Price(price.0.0));
        prospects::tell(&client, args.budget.map(|_| budget), max_price, output).await?;
    }
    // the gateway has one of its own
    drop(client);
    let running = Gateway::start(config, settings.key()?.into()).await?;
    let endpoint = format!("{}/v1", running.url());
    output.say_whole(format!(
        "Any OpenAI client works with it, whatever its key:\n\n\
         export OPENAI_BASE_URL={endpoint} OPENAI_API_KEY=unused\n"
    ));
    let mut facts = vec![
        ("endpoint", json!(endpoint)),
        ("budget_micro_usdc", money(budget)),
    ];
    if let Some(attested) = attested {
        let count = json!(attested.len());
        // people have read a line of each
        facts.push(match output.is_json() {
            true => ("attested", json!(attested)),
            false => ("attested_nodes", count),
        });
    }
    tokio::select! {
        biased;
        stopped = until_stopped(output, facts) => stopped?,
        () = tell(bought, output) => {}
    }
    put_away(running.shutdown(), None, output).await;
    Ok(())
}

/// A gateway's URL with its key, which is no argument: those are seen by other users of a machine.
fn with_key(url: String) -> Result<(String, String)> {
    let key = std::env::var(GATEWAY_KEY);
    let key = key.with_context(|| format!("--gateway needs its key in {GATEWAY_KEY}"))?;
    Ok((url, key))
}

/// A gateway for one user: this machine's stacks and nodes, and no key that matters.
fn config(args: &Proxy, budget: MicroUsdc, settings: &Settings, folder: &Path) -> GatewayConfig {
    let ledger = settings.ledger_config();
    GatewayConfig {
        ledger: ledger.url,
        deployment: ledger.deployment,
        listen: args.listen,
        admin_listen: None,
        data_dir: folder.to_owned(),
        api_keys: vec![ApiKeyConfig {
            name: "user".to_owned(),
            hash: ApiKey::generate(&SystemRandom).hash(),
            // the stacks are what bounds it
            budget: MicroUsdc(u64::MAX),
            max_concurrent: None,
        }],
        budget,
        policy: StackPolicy {
            max_price: args.max_price.map(|price| Price(price.0.0)),
            stack_units: STACK_UNITS,
            grant_units: GRANT_UNITS,
            lifetime: LIFETIME,
            // one user's budget may go into one stack
            max_purchase: Some(MicroUsdc(u64::MAX)),
            ..StackPolicy::default()
        },
        models: Vec::new(),
        limits: Limits::default(),
        requests: RequestLimits {
            max_tries: MAX_TRIES,
            ..RequestLimits::default()
        },
        // whoever asks could as well ask the node
        local_nodes: true,
        // it costs fees, which nobody has said yes to: `atoma stack watch` does it
        watch_settlements: false,
        no_forward: args.no_forward,
        max_bonds: MicroUsdc::ZERO,
        close_stacks_on_stop: false,
        own_use: true,
        client_dir: Some(client_folder(settings)),
        confidential: None,
        through: None,
        purchases: None,
        runtime: ledger.runtime,
    }
}

/// A client that looks around before anything is asked, and keeps nothing but what it reads of the stacks.
fn client(ledger: Ledger, settings: &Settings, sealed: Option<Confidential>) -> Result<Client> {
    let config = ClientConfig {
        confidential: sealed,
        data_dir: Some(client_folder(settings)),
        ..ClientConfig::default()
    };
    Ok(Client::with_ledger(ledger, settings.key()?, config)?)
}

/// The nodes of confidential tasks that the policy accepts, told one by one. None is an error: nothing could be asked.
async fn verified(client: &Client, output: &Output) -> Result<Vec<Value>> {
    let tasks = client.ledger().all_tasks().await?;
    let tasks = tasks
        .iter()
        .filter(|task| task.security_level.confidential() && !task.is_deprecated());
    let (mut facts, mut refused) = (Vec::new(), None);
    for task in tasks {
        for offer in client.offers(task.id).await? {
            match confidential::tell(client, offer.node, task.id, output).await {
                Ok(attested) => facts.push(confidential::facts(&attested)),
                Err(error) => refused = Some(error),
            }
        }
    }
    match refused {
        Some(error) if facts.is_empty() => Err(error),
        _ => {
            ensure!(
                !facts.is_empty(),
                "no node of a confidential task is there: `atoma task list` shows what is"
            );
            Ok(facts)
        }
    }
}
