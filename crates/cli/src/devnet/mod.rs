//! `atoma devnet`: a whole network that stays up, an endpoint to paste, and a network that every command
//! knows meanwhile.

mod announce;
mod dead_model;
mod ports;
mod profile;

use crate::{
    free_ports::ensure_free,
    local_network::{self, Examined, MEASUREMENT, Plan, RELEASE},
    model::ModelChoice,
    output::Output,
    run::{put_away, told_to_stop},
    scratch::Scratch,
};
use announce::Up;
use anyhow::{Context, Result};
use atoma_network::{ApiKeys, GatewayPlan, cheat::Cheat, software_policy, start_gateway};
use atoma_runtime::SystemRandom;
use atoma_types::{NetworkId, Price, chain::Params};
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
    value_parser,
};
use ports::Listen;
use profile::Announced;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Devnet {
    #[command(flatten)]
    model: ModelChoice,
    #[command(flatten)]
    listen: Listen,
    /// Keep the state here and go on from it (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// How many requests the gateway serves at once; more are answered with 429.
    #[arg(long, default_value_t = 256, value_name = "N")]
    max_concurrent: usize,
    /// How long tickets wait, in seconds: the time to demand a record, or to challenge.
    #[arg(long, default_value_t = 2, value_name = "SECONDS")]
    dispute_window: u64,
    /// Answers are examined: seven nodes more, of which all but the first attest, and a token costs a thousand times as
    /// much, so that a ticket is worth it. Of a thousand tickets so many are drawn to be examined; with 0 none is, and
    /// whoever doubts an answer challenges it.
    #[arg(long, value_name = "PERMILLE", num_args = 0..=1, default_missing_value = "200", value_parser = value_parser!(u64).range(..=1000))]
    examined: Option<u64>,
    /// Nodes run as software that acts as hardware, their task is confidential, and a policy that accepts them is written.
    /// It shows how all works, and protects against nobody.
    #[arg(long, conflicts_with = "examined")]
    confidential: bool,
    /// The cheapest node cheats in this way.
    #[arg(long, value_name = "KIND", requires = "examined", value_parser = cheats())]
    cheat: Option<Cheat>,
    /// A second model, whose only node can't be reached: for tests of clients.
    #[arg(long)]
    unreachable_model: bool,
}

const EXAMPLES: &str = "\
Examples:
  atoma devnet                        everything on the usual ports, gone at the
                                      end
  atoma devnet --any-port             the same on free ports, where one of the
                                      usual ones is taken
  atoma devnet --data-dir my-network  the same, kept: it goes on where it was
  atoma devnet --model ./my-model     with a model of your own
  atoma devnet --confidential         with software that acts as hardware: for
                                      `atoma chat --confidential`
  atoma devnet --dispute-window 600 --examined 0 --cheat int8
                                      time to challenge a node that cheats
                                      (docs/users.md)";

/// Cheap, middling, dear: in micro-USDC per million units.
pub(crate) const PRICES: [Price; 3] = [Price(2_000_000), Price(3_000_000), Price(5_000_000)];
/// Nodes where answers are examined: one that sells, and nine that attest.
const NODES_EXAMINED: usize = 10;
/// More than any node asks that sells.
const DEAR: Price = Price(10_000_000);
/// How long nodes have to disclose where answers are examined, and twice as long as attesters have.
const PATIENCE_MS: u64 = 120_000;
/// Whoever stops a devnet waits for nobody: every store survives a kill.
const GRACE: Duration = Duration::from_secs(2);

/// Ways to cheat.
fn cheats() -> impl TypedValueParser<Value = Cheat> {
    let names = Cheat::ALL.iter();
    let names = names.map(|cheat| PossibleValue::new(cheat.as_str()).help(cheat.does()));
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(|name| name.parse::<Cheat>())
}

/// What the nodes ask: one that is honest or cheats and two others, and where answers are examined as many as a jury
/// needs, which sell nothing as long as others do.
fn prices(examined: bool) -> Vec<Price> {
    let mut prices = PRICES.to_vec();
    if examined {
        prices.resize(NODES_EXAMINED, DEAR);
    }
    prices
}

/// The ledger's parameters: where answers are examined whoever attests has time to compute them.
fn params(window_ms: u64, examined: Option<u64>) -> Params {
    let quick = quick_params(window_ms);
    let Some(sample_permille) = examined else {
        return quick;
    };
    Params {
        sample_permille,
        answer_window_ms: PATIENCE_MS,
        settle_grace_ms: PATIENCE_MS,
        verdict_window_ms: PATIENCE_MS / 2,
        jail_ms: window_ms.saturating_add(PATIENCE_MS),
        ..quick
    }
}

/// Windows of seconds instead of hours: people watch.
pub(crate) fn quick_params(window_ms: u64) -> Params {
    Params {
        dispute_window_ms: window_ms,
        answer_window_ms: 30_000,
        settle_grace_ms: 60_000,
        verdict_window_ms: 10_000,
        jail_ms: window_ms.saturating_add(30_000),
        slash_delay_ms: 10_000,
        unbonding_ms: 10_000,
        // whoever has just started it draws nodes, too
        maturity_ms: 0,
        release_delay_ms: 1_000,
        ..Params::default()
    }
}

fn plan(args: &Devnet, folder: PathBuf) -> Result<Plan> {
    let prices = prices(args.examined.is_some());
    Ok(Plan {
        folder,
        ports: args.listen.network(u16::try_from(prices.len())?)?,
        params: params(args.dispute_window.saturating_mul(1_000), args.examined),
        prices,
        forward: None,
        examined: args.examined.map(|_| Examined {
            cheat: args.cheat,
            withholds: false,
        }),
        confidential: args.confidential,
        model: args.model.clone(),
    })
}

/// A policy that accepts this network's nodes, in its folder.
fn write_policy(folder: &Path, network: NetworkId) -> Result<PathBuf> {
    let path = folder.join("policy.toml");
    let text = software_policy(network, RELEASE, MEASUREMENT);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

pub(crate) async fn run(
    args: Devnet,
    home: &Path,
    scratch: &Scratch,
    output: &Output,
) -> Result<()> {
    let folder = match &args.data_dir {
        Some(folder) => folder.clone(),
        None => scratch.folder("devnet")?.to_owned(),
    };
    let plan = plan(&args, folder.clone())?;
    ensure_free(args.listen.places(&plan.ports), Some("--any-port")).await?;
    let keys = ApiKeys::open(&folder.join("gateway"), &SystemRandom)?;
    let start = async {
        let served = local_network::start(&plan, output).await?;
        if args.examined.is_some() {
            let progress = output.progress("nodes promise to look at others' answers");
            served.network.attesters(NODES_EXAMINED - 1).await?;
            progress.finish_and_clear();
        }
        if args.unreachable_model {
            dead_model::register(&served).await?;
        }
        let (listen, admin_listen) = args.listen.gateway();
        let gateway = GatewayPlan {
            folder: folder.join("gateway"),
            listen,
            admin_listen,
            max_concurrent: args.max_concurrent,
            keys: &keys,
            close_stacks_on_stop: false,
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
    let walrus = served.network.walrus.as_ref();
    let (walrus, shards) = walrus.map_or((String::new(), 0), |w| (w.url(), w.shards()));
    let profile = Announced::write(home, served.network.ledger.url(), &walrus, shards)?;
    let policy = match args.confidential {
        true => Some(write_policy(&folder, served.network.ledger.network())?),
        false => None,
    };
    let up = Up {
        policy: policy.as_deref(),
        served: &served,
        gateway: &gateway,
        keys: &keys,
        profile: &profile,
        has_dead_model: args.unreachable_model,
        examined: args.examined.is_some(),
    };
    up.announce(output)?;
    let stopped = told_to_stop().await;
    drop(profile);
    stopped?;
    output.say("stopping");
    let away = async {
        gateway.shutdown().await;
        served.network.stop().await;
    };
    put_away(away, Some(GRACE), output).await;
    Ok(())
}
