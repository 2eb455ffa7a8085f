//! `atoma demo --cheat`: a node that cheats, nine that attest, and where everyone's money is afterwards.

use super::words::{MAX_TOKENS, RECEIPT_CHECKS, receipt_facts};
use crate::{
    chat,
    devnet::quick_params,
    history::{charge, outcome, verdict},
    local_network::{self, Examined, Plan, Ports, Served},
    model::ModelChoice,
    output::{Output, millis, money},
};
use anyhow::{Context, Result, ensure};
use atoma_client::{BuyRequest, Client, ClientConfig, RequestOptions, StackHandle};
use atoma_keys::SigningKey;
use atoma_ledger::{EventStart, Ledger};
use atoma_network::{POCKET_MONEY, cheat::Cheat, fund};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, StackId,
    chain::{Event, Params},
};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::time::Instant;

/// A node that works as it should.
const NONE: &str = "none";
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

/// What the node that serves does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way(pub(crate) Option<Cheat>);

/// Reads a way to cheat, or `none`.
pub(super) fn parser() -> impl TypedValueParser<Value = Way> {
    let honest = PossibleValue::new(NONE).help("does what it is paid for: everyone is paid");
    let cheats = Cheat::ALL
        .iter()
        .map(|cheat| PossibleValue::new(cheat.as_str()).help(cheat.does()));
    let names: Vec<_> = std::iter::once(honest).chain(cheats).collect();
    // what isn't one was refused before
    PossibleValuesParser::new(names).map(|name| Way(name.parse().ok()))
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
    let mut end = End {
        deposited: stack.view().escrow.0,
        ..End::default()
    };
    match way.0 {
        Some(cheat) => output.say(format!("\nThe node cheats: it {}.", cheat.does())),
        None => output.say("\nThe node does what it is paid for."),
    }
    ask(&stack, &served.model, (prompt, way), output).await?;
    let follow = follow(&network.ledger, stack.id(), &mut end, output);
    let close = async { Ok::<_, anyhow::Error>(stack.close().await?) };
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
    Plan {
        folder: folder.to_owned(),
        ports: Ports::any(nodes),
        params: Params {
            sample_permille: ALL,
            answer_window_ms: PATIENCE_MS,
            verdict_window_ms: PATIENCE_MS,
            settle_grace_ms: 2 * PATIENCE_MS,
            jail_ms: 2 * PATIENCE_MS,
            ..quick_params(WINDOW_MS)
        },
        prices: vec![PRICE; nodes],
        forward: None,
        examined: Some(Examined { cheat: way.0 }),
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
) -> Result<()> {
    let node = *stack.nodes().first().context("the node has no lease")?;
    output.say(format!("\n> {prompt}\n"));
    // the built-in model is sure of what it learnt: other draws show where it is not
    let temperature = match way.0 {
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
    Ok(())
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

type Told = (&'static str, String, Vec<(&'static str, Value)>);

fn told(event: &Event, verdicts: &BTreeMap<String, u64>) -> Option<Told> {
    let step = |name, title: &str, facts| Some((name, title.to_owned(), facts));
    match event {
        Event::SettlementOpened(e) => step(
            "settled",
            "The user closes the stack; the node claims what it served",
            vec![("value_micro_usdc", money(e.value))],
        ),
        Event::TicketDrawn(e) => step(
            "drawn",
            "The ledger draws lots: the ticket is examined",
            vec![("seed", json!(e.seed.to_string()))],
        ),
        Event::ExaminerDrawn(e) => step(
            "examiner",
            "An examiner is drawn, and the record that it must look at",
            vec![("examiner", json!(e.examiner)), ("unit", json!(e.unit.0))],
        ),
        Event::Disclosed(e) => step(
            "disclosed",
            "The node shows the record, with the keys of its bodies wrapped for the examiner",
            vec![("record", json!(e.seq))],
        ),
        Event::VerdictGiven(e) => step(
            "verdict",
            match e.bad {
                true => "The examiner has computed the answer again and accuses the node",
                false => "The examiner has computed the answer again: nothing is wrong",
            },
            vec![("accused", json!(e.bad))],
        ),
        Event::JuryDrawn(e) => step(
            "jury",
            "A jury is drawn of those who are neither parties nor the examiner",
            vec![("jurors", json!(e.nodes.len()))],
        ),
        Event::DisclosedToJury(e) => step(
            "disclosed_to_jury",
            "The node shows the same record to each juror; each computes the answer and commits to what it found",
            vec![("record", json!(e.seq))],
        ),
        Event::JuryDecided(e) => {
            let found: Vec<_> = verdicts
                .iter()
                .map(|(what, times)| format!("{times} times: {what}"))
                .collect();
            step(
                "decided",
                "All reveal, and their verdicts are counted",
                vec![
                    ("found", json!(found)),
                    ("outcome", json!(outcome(e.outcome))),
                ],
            )
        }
        Event::NodeConvicted(e) => step(
            "convicted",
            "The node is convicted: nothing is paid, and ten times its claim leaves its collateral",
            vec![
                ("charge", json!(charge(e.charge))),
                ("fine_micro_usdc", money(e.fine)),
                ("to_jurors_micro_usdc", money(e.jurors)),
                ("back_to_user_micro_usdc", money(e.freed)),
                ("collateral_left_micro_usdc", money(e.collateral)),
            ],
        ),
        Event::Claimed(e) => step(
            "paid",
            "The window is over: the node is paid",
            vec![
                ("paid_to_node_micro_usdc", money(e.paid)),
                ("fee_micro_usdc", money(e.fee)),
                ("to_pool_micro_usdc", money(e.due)),
            ],
        ),
        _ => None,
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
        ("cheat", json!(way.0.map_or(NONE, Cheat::as_str))),
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
    ensure!(earned > 0, "no attester was paid");
    match way.0 {
        Some(cheat) => ensure!(end.convicted && whole, "the cheat `{cheat}` was not caught"),
        None => {
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
