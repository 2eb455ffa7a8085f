//! `atoma proxy`: an OpenAI endpoint on this machine for its own user. It is a gateway whose keys don't
//! matter and whose stacks are the user's: those that `atoma stack buy` and `atoma chat` bought, and, within
//! a budget, others. Every receipt is checked before its answer ends, and kept where `atoma receipt` finds it.

use crate::{
    client::client_folder,
    output::{Output, money},
    run::{put_away, until_stopped},
    scratch::Scratch,
    settings::Settings,
    values::Usdc,
};
use anyhow::{Result, ensure};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, RequestLimits, StackPolicy,
};
use atoma_runtime::SystemRandom;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc, Price};
use clap::Args;
use serde_json::json;
use std::{net::SocketAddr, path::Path};

/// Any of a task's nodes may hold the one lease that has room: more nodes than a task has.
const MAX_TRIES: usize = 64;
/// Units of a stack that is bought: a few long answers; what isn't used comes back.
const STACK_UNITS: ComputeUnits = ComputeUnits(100_000);
/// Units that a node gets at a time.
const GRANT_UNITS: ComputeUnits = ComputeUnits(50_000);
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
    /// The highest price of new stacks, USDC per million units (default: each task's ceiling).
    #[arg(long, value_name = "USDC", requires = "budget")]
    max_price: Option<Usdc>,
    /// Only the nodes that are asked may answer: they must not pass requests on to others when they are full.
    #[arg(long)]
    no_forward: bool,
}

const EXAMPLES: &str = "\
Examples:
  atoma stack buy atoma-tiny --units 100000 --max-price 5 && atoma proxy
  atoma proxy --budget 2               buys what it needs, for 2 USDC at most
  export OPENAI_BASE_URL=http://127.0.0.1:8787/v1 OPENAI_API_KEY=unused

What it spends is in `atoma receipt list`; `atoma stack close` brings back what isn't used.";

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
    let config = config(&args, budget, &settings, scratch.folder("proxy")?);
    // the ledger first: its error says what to do
    settings.ledger().await?;
    let running = Gateway::start(config, settings.key()?.into()).await?;
    let endpoint = format!("{}/v1", running.url());
    output.say(format!(
        "Any OpenAI client works with it, whatever its key:\n\n\
         export OPENAI_BASE_URL={endpoint} OPENAI_API_KEY=unused\n"
    ));
    until_stopped(
        output,
        vec![
            ("endpoint", json!(endpoint)),
            ("budget_micro_usdc", money(budget)),
        ],
    )
    .await?;
    put_away(running.shutdown(), None, output).await;
    Ok(())
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
        runtime: ledger.runtime,
    }
}
