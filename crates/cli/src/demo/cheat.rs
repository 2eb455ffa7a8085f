//! `atoma demo --cheat`: a node that cheats, nine that attest, and where everyone's money is afterwards.

use super::{
    events::told,
    words::{MAX_TOKENS, RECEIPT_CHECKS, receipt_facts},
};
use crate::{
    chat,
    devnet::quick_params,
    history::verdict,
    local_network::{self, Examined, Plan, Ports, Served},
    model::ModelChoice,
    output::{Output, millis, money},
};
use anyhow::{Context, Result, ensure};
use atoma_client::{
    BuyRequest, Client, ClientConfig, CloseUntil, RequestOptions, StackHandle,
    dispute::{Claimed, Dispute},
};
use atoma_keys::SigningKey;
use atoma_ledger::{EventStart, Ledger};
use atoma_network::{POCKET_MONEY, cheat::Cheat, fund};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, StackId,
    chain::{Event, Params},
};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use futures::StreamExt;
use serde_json::json;
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::time::Instant;

/// How many attest: an examiner, a jury of seven, and one to spare.
const ATTESTERS: usize = 9;
/// What all nodes ask.
const PRICE: Price = Price(5_000_000);
/// What the user buys.
const UNITS: ComputeUnits = ComputeUnits(400_000);
/// How long tickets wait.
const WINDOW_MS: u64 = 500;
/// How long whoever must act has: nobody here is ever late, however slow the machine.
const PATIENCE_MS: u64 = 120_000;
/// What the whole takes at most.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How many of a thousand tickets are examined: on a real network it is one in five.
const ALL: u64 = 1_000;

/// How long a node that shows nothing is waited for, and in all to claim: it claims in the last quarter.
const SHORT_MS: u64 = 4_000;
/// How long its user has to demand something of it.
const DEMAND_WINDOW_MS: u64 = 15_000;

/// What the node that serves does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// What it is paid for.
    Honest,
    /// It computes something else, or tells something else of it.
    Computes(Cheat),
    /// It claims, and shows its examiner nothing.
    Withheld,
    /// It claims, and shows nothing to the user, who demands it.
    Silent,
}

impl Way {
    fn all() -> impl Iterator<Item = Self> {
        let cheats = Cheat::ALL.iter().copied().map(Self::Computes);
        let others = [Self::Withheld, Self::Silent];
        [Self::Honest].into_iter().chain(cheats).chain(others)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Honest => "none",
            Self::Computes(cheat) => cheat.as_str(),
            Self::Withheld => "withheld",
            Self::Silent => "silent",
        }
    }

    /// What such a node does, for people.
    fn does(self) -> &'static str {
        match self {
            Self::Honest => "does what it is paid for: everyone is paid",
            Self::Computes(cheat) => cheat.does(),
            Self::Withheld => "keeps its evidence to itself, and shows its examiner nothing",
            Self::Silent => "doesn't answer its user's demand to see the record",
        }
    }

    fn cheat(self) -> Option<Cheat> {
        match self {
            Self::Computes(cheat) => Some(cheat),
            Self::Honest | Self::Withheld | Self::Silent => None,
        }
    }

    /// Whether the node has nothing to show.
    fn withholds(self) -> bool {
        matches!(self, Self::Withheld | Self::Silent)
    }
}

/// Reads a way to cheat, or `none`.
pub(super) fn parser() -> impl TypedValueParser<Value = Way> {
    let names = Way::all().map(|way| PossibleValue::new(way.as_str()).help(way.does()));
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(|name| {
        let found = Way::all().find(|way| way.as_str() == name);
        found.ok_or("no such way to cheat")
    })
}

/// What has become of it.
#[derive(Debug, Default)]
struct End {
    /// What the user put into the stack, and what came back.
    deposited: u64,
    withdrawn: u64,
    /// What the node was paid, and the shares of protocol and pool.
    paid: u64,
    fees: u64,
    due: u64,
    fine: u64,
    convicted: bool,
}

pub(super) async fn tell(
    way: Way,
    (prompt, model): (&str, &ModelChoice),
    folder: &Path,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let served = local_network::start(&plan(way, model, folder), output).await?;
    let network = &served.network;
    let progress = output.progress("nine nodes promise to look at others' answers");
    network.attesters(ATTESTERS).await?;
    progress.finish_and_clear();
    let task = network.ledger.task(served.task).await?;
    let deposit = Params::default().attest_deposit;
    output.step(
        "attesters",
        "Nine nodes promise to look at others' answers, each with a deposit",
        started.elapsed(),
        vec![
            ("attesters", json!(ATTESTERS)),
            ("deposit_micro_usdc", money(MicroUsdc(deposit))),
            ("pool_micro_usdc", money(task.dues)),
        ],
    );
    let user = SigningKey::generate(&*network.ledger.runtime().random);
    let address = user.public_key().address();
    fund(&network.ledger, "user", address, POCKET_MONEY, output).await?;
    let before = network.all_money(&[address], &[]).await?.0;

    let config = ClientConfig::default();
    let client = Client::with_ledger(network.ledger.clone(), user, config)?;
    let node = network.nodes[0].id;
    let stack = buy(&client, &served, node, output).await?;
    let demand_fee = match way {
        Way::Silent => stack.view().terms.demand_fee,
        Way::Honest | Way::Computes(_) | Way::Withheld => MicroUsdc::ZERO,
    };
    let mut end = End {
        deposited: stack.view().escrow.0 + demand_fee.0,
        ..End::default()
    };
    match way {
        Way::Honest => output.say("\nThe node does what it is paid for."),
        cheats => output.say(format!("\nThe node cheats: it {}.", cheats.does())),
    }
    let claimed = ask(&stack, &served.model, (prompt, way), output).await?;
    let follow = follow(&network.ledger, stack.id(), &mut end, output);
    let close = async {
        if way == Way::Silent {
            stack
                .close_with(CloseUntil::Settled, TIMEOUT, |_| {})
                .await?;
            client.dispute(&Dispute::Demand(claimed)).await?;
        }
        Ok::<_, anyhow::Error>(stack.close().await?)
    };
    let done = tokio::time::timeout(TIMEOUT, async { tokio::try_join!(follow, close) });
    done.await.context("the audit did not end in time")??;
    end.withdrawn = withdrawn(&network.ledger, stack.id()).await?;
    let earned = attesters_pay(&served, end.convicted).await?;
    let after = network.all_money(&[address], &[stack.id()]).await?.0;
    summary(way, &end, earned, (before, after), output)?;
    served.network.stop().await;
    Ok(())
}

fn plan(way: Way, model: &ModelChoice, folder: &Path) -> Plan {
    let nodes = ATTESTERS + 1;
    // nobody here is late who does anything
    let patience = if way.withholds() {
        SHORT_MS
    } else {
        PATIENCE_MS
    };
    let (window, sample_permille) = match way {
        Way::Silent => (DEMAND_WINDOW_MS, 0),
        Way::Honest | Way::Computes(_) | Way::Withheld => (WINDOW_MS, ALL),
    };
    Plan {
        folder: folder.to_owned(),
        ports: Ports::any(nodes),
        params: Params {
            sample_permille,
            answer_window_ms: patience,
            verdict_window_ms: PATIENCE_MS,
            settle_grace_ms: 2 * patience,
            jail_ms: 2 * PATIENCE_MS,
            ..quick_params(window)
        },
        prices: vec![PRICE; nodes],
        forward: None,
        examined: Some(Examined {
            cheat: way.cheat(),
            withholds: way.withholds(),
        }),
        confidential: false,
        model: model.clone(),
    }
}

async fn buy(
    client: &Client,
    served: &Served,
    node: NodeId,
    output: &Output,
) -> Result<StackHandle> {
    let started = Instant::now();
    let stack = client
        .buy(BuyRequest {
            task: served.task,
            units: UNITS,
            max_price: Some(PRICE),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        })
        .await?;
    let lease = stack.grant_some(node, UNITS).await?;
    output.step(
        "stack",
        "The user buys a stack on a task whose answers are examined, and grants it to the first node",
        started.elapsed(),
        vec![
            ("stack", json!(stack.id())),
            ("escrow_micro_usdc", money(stack.view().escrow)),
            ("node", json!(node)),
            ("units", json!(lease.units.0)),
        ],
    );
    Ok(stack)
}

async fn ask(
    stack: &StackHandle,
    model: &str,
    (prompt, way): (&str, Way),
    output: &Output,
) -> Result<Claimed> {
    let node = *stack.nodes().first().context("the node has no lease")?;
    output.say(format!("\n> {prompt}\n"));
    // the built-in model is sure of what it learnt: other draws show where it is not
    let temperature = match way.cheat() {
        Some(cheat) if cheat.is_about_draws() => 2.0,
        _ => 1.0,
    };
    let body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": prompt }],
        "max_tokens": MAX_TOKENS,
        "temperature": temperature,
        "seed": 7,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    let options = RequestOptions::default();
    let told = chat::ask(stack, node, &body, options, |piece| output.piece(piece)).await?;
    output.say("");
    output.step(
        "answer",
        "The answer is complete; its receipt is in order, whatever the node has done",
        told.total,
        vec![
            ("node", json!(node)),
            ("prompt", json!(prompt)),
            ("text", json!(told.text)),
            ("first_token_ms", millis(told.first_token)),
            ("output_tokens", json!(told.receipt.usage.output)),
            ("verified", json!(RECEIPT_CHECKS)),
        ],
    );
    output.step(
        "receipt",
        "The node's signed receipt",
        Duration::ZERO,
        receipt_facts(told.receipt.signed(), output),
    );
    Claimed::of(told.receipt.signed().message()).context("the receipt charges nothing")
}

/// Tells what happens to the ticket, up to its end.
async fn follow(ledger: &Ledger, stack: StackId, end: &mut End, output: &Output) -> Result<()> {
    let mut events = ledger.events(None);
    let mut last = Instant::now();
    let mut verdicts = BTreeMap::<String, u64>::new();
    while let Some(event) = events.next().await {
        let event = event?.event;
        if atoma_evidence::dispute::lease_of(&event).is_none_or(|(of, _)| of != stack) {
            continue;
        }
        if let Event::Revealed(e) = &event {
            *verdicts.entry(verdict(&e.verdict)).or_default() += 1;
        }
        let over = end.hear(&event);
        if let Some((name, title, facts)) = told(&event, &verdicts) {
            output.step(name, &title, last.elapsed(), facts);
            last = Instant::now();
        }
        if over {
            return Ok(());
        }
    }
    anyhow::bail!("the ledger's events ended")
}

impl End {
    /// Whether the ticket is over.
    fn hear(&mut self, event: &Event) -> bool {
        match event {
            Event::Claimed(e) => {
                (self.paid, self.fees, self.due) = (e.paid.0, e.fee.0, e.due.0);
                true
            }
            Event::NodeConvicted(e) => {
                (self.fine, self.convicted) = (e.fine.0, true);
                true
            }
            _ => false,
        }
    }
}

/// All that its owner has taken out of a stack.
async fn withdrawn(ledger: &Ledger, stack: StackId) -> Result<u64> {
    let tip = ledger.tip().await?.checkpoint;
    let mut frames = ledger.frames(EventStart::Beginning);
    let mut sum = 0;
    while let Some(frame) = frames.next().await {
        let frame = frame?;
        let event = frame.event.map(|event| event.event);
        if let Some(Event::FreeWithdrawn(e)) = event
            && e.stack == stack
        {
            sum += e.amount.0;
        }
        if frame.covered.is_some_and(|covered| covered >= tip) {
            break;
        }
    }
    Ok(sum)
}

/// What the attesters have earned so far. Of who accused rightly the bond lies among it, which is no pay.
async fn attesters_pay(served: &Served, convicted: bool) -> Result<u64> {
    let ledger = &served.network.ledger;
    let task = ledger.task(served.task).await?;
    let attesters = task.subscriptions.iter().filter_map(|offer| offer.attester);
    let earned: u64 = attesters.map(|attester| attester.earned.0).sum();
    let bond = if convicted {
        Params::default().examiner_fine
    } else {
        0
    };
    Ok(earned.saturating_sub(bond))
}

fn summary(
    way: Way,
    end: &End,
    earned: u64,
    (before, after): (u64, u64),
    output: &Output,
) -> Result<()> {
    let whole = end.withdrawn == end.deposited;
    let mut facts = vec![
        ("cheat", json!(way.as_str())),
        ("convicted", json!(end.convicted)),
        ("deposited_micro_usdc", money(MicroUsdc(end.deposited))),
        ("withdrawn_micro_usdc", money(MicroUsdc(end.withdrawn))),
        ("paid_to_node_micro_usdc", money(MicroUsdc(end.paid))),
        ("fine_micro_usdc", money(MicroUsdc(end.fine))),
        ("attesters_earned_micro_usdc", money(MicroUsdc(earned))),
    ];
    if end.convicted {
        facts.push(("user_whole", json!(whole)));
    }
    facts.push(("conserved", json!(before == after)));
    output.step(
        "summary",
        match end.convicted {
            true => "The cheat has cost its node collateral, its user nothing",
            false => "Everyone is paid",
        },
        output.elapsed(),
        facts,
    );
    ensure!(
        before == after,
        "money was lost or made: {before} and {after}"
    );
    // nobody need look at what isn't shown
    ensure!(earned > 0 || way.withholds(), "no attester was paid");
    match way {
        Way::Computes(_) | Way::Withheld | Way::Silent => {
            let kind = way.as_str();
            ensure!(end.convicted && whole, "the cheat `{kind}` was not caught");
        }
        Way::Honest => {
            let all = end.paid + end.fees + end.due + end.withdrawn;
            ensure!(
                !end.convicted && end.paid > 0,
                "an honest node was convicted"
            );
            ensure!(all == end.deposited, "money was lost or made: {end:?}");
        }
    }
    Ok(())
}
