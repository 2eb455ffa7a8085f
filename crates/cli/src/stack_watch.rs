//! `atoma stack watch`: holds what nodes settle against the receipts of this machine, demands what they don't show, and
//! has convicted who can be.

use crate::{
    client::client_folder,
    named::Named,
    output::{Facts, Output, money, usdc, utc},
    run::until_stopped,
    settings::Settings,
};
use anyhow::Result;
use atoma_client::{
    Client,
    watch::{Did, Doubt, Looked, MAX_FEES, SeenTicket, WatchStep, Watched},
};
use atoma_runtime::WithCauses;
use atoma_types::{NodeId, StackId, chain::Stack};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;

/// Which stacks are watched, and for how long.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The stacks' ids or beginnings of them, or models' names; without any, all that this data folder remembers.
    stacks: Vec<Named>,
    /// Look once, do what is to be done now, and end.
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(
    args: WatchArgs,
    client: &Client,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let folder = client_folder(settings);
    let mut named = Vec::new();
    for stack in args.stacks {
        named.push(stack.kept_stack(&folder)?);
    }
    let watched = match named.is_empty() {
        true => Watched::Remembered,
        false => Watched::These(named),
    };
    let mut told = BTreeSet::new();
    let tell = |stack: &Stack, looked: &Looked| tell(stack, looked, &mut told, output);
    if args.once {
        client.watch_once(watched, tell).await?;
        if told.is_empty() {
            output.note("no node claims anything of these stacks now");
        }
        return Ok(());
    }
    let facts = vec![
        ("watching", json!("settlements")),
        ("watcher", json!(client.address())),
        ("most_demands_per_stack", json!(MAX_FEES)),
    ];
    tokio::select! {
        biased;
        stopped = until_stopped(output, facts) => stopped,
        () = client.watch(watched, tell) => Ok(()),
    }
}

/// Tells what is new: each claim once, each step.
fn tell(
    stack: &Stack,
    looked: &Looked,
    told: &mut BTreeSet<(StackId, NodeId, u64)>,
    output: &Output,
) {
    for ticket in &looked.tickets {
        if told.insert((stack.id, ticket.node, ticket.ticket)) {
            say(output, claim_text(stack, ticket), claim(stack, ticket));
        }
    }
    for step in &looked.steps {
        say(output, step_text(step), facts(step));
    }
}

fn say(output: &Output, text: String, facts: Facts) {
    if output.is_json() {
        output.object(facts);
    } else {
        output.say(text);
    }
}

fn party(stack: StackId, node: NodeId) -> String {
    format!("stack {stack}, node {node}")
}

fn claim_text(stack: &Stack, ticket: &SeenTicket) -> String {
    let doubt = match ticket.doubt {
        None => "as the receipts here have it".to_owned(),
        Some(doubt) => doubt_text(doubt),
    };
    format!(
        "{}: claims {} up to receipt {}, until {}Z: {doubt}",
        party(stack.id, ticket.node),
        ticket.to_units,
        ticket.ticket,
        utc(ticket.deadline.0),
    )
}

fn doubt_text(doubt: Doubt) -> String {
    match doubt {
        Doubt::AnotherChain => "NOT AS THE RECEIPTS HERE: another one is in its place".to_owned(),
        Doubt::Unexplained(units) => format!("NOT AS THE RECEIPTS HERE: none shows {units} of it"),
    }
}

fn step_text(step: &WatchStep) -> String {
    let party = party(step.stack, step.node);
    match &step.did {
        Did::Demanded { unit, until, .. } => format!(
            "{party}: demanded the record of unit {}; the node must show it until {}Z",
            unit.0,
            utc(until.0)
        ),
        Did::Convicted(convicted) => format!(
            "{party}: CONVICTED ({:?}); {} USDC of its claim are void, {} USDC are credit of the owner, its fine is {} USDC",
            convicted.charge,
            usdc(convicted.value.0),
            usdc(convicted.freed.0),
            usdc(convicted.fine.0),
        ),
        Did::Refused(error) => {
            format!("{party}: a step was not taken: {}", WithCauses(error))
        }
    }
}

fn claim(stack: &Stack, ticket: &SeenTicket) -> Facts {
    let (doubt, units) = doubt_facts(ticket.doubt);
    vec![
        ("event", json!("claim")),
        ("stack", json!(stack.id)),
        ("node", json!(ticket.node)),
        ("ticket", json!(ticket.ticket)),
        ("to_unit", json!(ticket.to_units.0)),
        ("disputable_until_ms", json!(ticket.deadline.0)),
        ("doubt", doubt),
        ("unexplained_units", units),
    ]
}

fn doubt_facts(doubt: Option<Doubt>) -> (serde_json::Value, serde_json::Value) {
    match doubt {
        None => (json!(null), json!(null)),
        Some(Doubt::AnotherChain) => (json!("another_chain"), json!(null)),
        Some(Doubt::Unexplained(units)) => (json!("unexplained"), json!(units.0)),
    }
}

fn facts(step: &WatchStep) -> Facts {
    let mut facts = match &step.did {
        Did::Demanded { unit, doubt, until } => {
            let (doubt, units) = doubt_facts(Some(*doubt));
            vec![
                ("event", json!("demanded")),
                ("unit", json!(unit.0)),
                ("answer_until_ms", json!(until.0)),
                ("doubt", doubt),
                ("unexplained_units", units),
            ]
        }
        Did::Convicted(convicted) => vec![
            ("event", json!("convicted")),
            ("charge", json!(convicted.charge)),
            ("claim_voided_micro_usdc", money(convicted.value)),
            ("fine_micro_usdc", money(convicted.fine)),
            ("freed_micro_usdc", money(convicted.freed)),
        ],
        Did::Refused(error) => vec![
            ("event", json!("refused")),
            ("reason", json!(WithCauses(error).to_string())),
        ],
    };
    facts.push(("stack", json!(step.stack)));
    facts.push(("node", json!(step.node)));
    facts
}
