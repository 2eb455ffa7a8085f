//! `atoma stack watch`: holds what nodes settle against the receipts of this machine, demands what they don't show,
//! challenges what is wrong where it may, and has convicted who can be.

use crate::{
    client::client_folder,
    history::end_text,
    named::{Named, ensure_of},
    output::{Facts, Output, money, short, usdc, utc},
    recompute::SampleArgs,
    run::until_stopped,
    settings::Settings,
    sources::opening,
    values::Usdc,
};
use anyhow::Result;
use atoma_client::{
    Client,
    watch::{Did, Doubt, Looked, MAX_FEES, Remedy, SeenTicket, WatchPlan, WatchStep, Watched},
};
use atoma_runtime::WithCauses;
use atoma_types::{MicroUsdc, NodeId, StackId, chain::Stack};
use clap::Args;
use serde_json::json;
use std::collections::BTreeSet;

/// Which stacks are watched, and for how long.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The stacks' ids or beginnings of them, or models' names; without any, all that this data folder remembers.
    stacks: Vec<Named>,
    /// Look once, do what is to be done now, and end: with exit code 2 where a claim is doubtful or an answer wrong.
    #[arg(long)]
    once: bool,
    /// Challenge answers that are known to be wrong, on examined tasks, with bonds that may stand or be lost for so much
    /// in all, in USDC. A bond comes back if the jury agrees.
    #[arg(long, value_name = "USDC")]
    challenge: Option<Usdc>,
    #[command(flatten)]
    sample: SampleArgs,
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
        let id = stack.kept_stack(&folder)?;
        ensure_of(client.ledger().network(), id, &folder)?;
        named.push(id);
    }
    let watched = match named.is_empty() {
        true => Watched::Remembered,
        false => Watched::These(named),
    };
    let keys = opening(settings.open_keystore()?.keys().iter());
    let plan = WatchPlan {
        max_bonds: args.challenge.map_or(MicroUsdc::ZERO, |most| most.0),
        check: args.sample.start(settings, keys, output).await?,
        ..watched.into()
    };
    let mut told = BTreeSet::new();
    if args.once {
        let (mut doubtful, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        let mut convicted = 0;
        let tell = |stack: &Stack, looked: &Looked| {
            for seen in &looked.tickets {
                let claim = (stack.id, seen.node, seen.ticket);
                doubtful.extend(seen.doubt.map(|_| claim));
                wrong.extend(seen.wrong.as_ref().map(|_| claim));
            }
            let guilty = |step: &&WatchStep| matches!(step.did, Did::Convicted(_));
            convicted += looked.steps.iter().filter(guilty).count();
            tell(stack, looked, &mut told, output);
        };
        client.watch_once(plan, tell).await?;
        if told.is_empty() {
            output.note("no node claims anything of these stacks now");
        }
        let found = Found {
            doubtful: doubtful.len(),
            wrong: wrong.len(),
            convicted,
        };
        return found.or_none();
    }
    let tell = |stack: &Stack, looked: &Looked| tell(stack, looked, &mut told, output);
    let facts = vec![
        ("watching", json!("settlements")),
        ("watcher", json!(client.address())),
        ("most_demands_per_stack", json!(MAX_FEES)),
        ("most_bonds_micro_usdc", money(plan.max_bonds)),
    ];
    tokio::select! {
        biased;
        stopped = until_stopped(output, facts) => stopped,
        () = client.watch(plan, tell) => Ok(()),
    }
}

/// What was found in one look: that is no failure of the command, and no success for a script that looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error(
    "claims that are not as the receipts here have them: {doubtful}; with a wrong answer: {wrong}; nodes convicted: \
     {convicted}"
)]
pub(crate) struct Found {
    doubtful: usize,
    wrong: usize,
    convicted: usize,
}

impl Found {
    /// How the program ends then: as `atoma verify` does where not all is well, and nothing failed.
    pub(crate) const STATUS: u8 = 2;

    fn or_none(self) -> Result<()> {
        match self == Self::default() {
            true => Ok(()),
            false => Err(self.into()),
        }
    }
}

/// Tells what is new: each claim once, each step.
fn tell(
    stack: &Stack,
    looked: &Looked,
    told: &mut BTreeSet<(StackId, NodeId, u64, bool)>,
    output: &Output,
) {
    for ticket in &looked.tickets {
        // once more where an answer in it turns out to be wrong
        let is_wrong = ticket.wrong.is_some();
        if told.insert((stack.id, ticket.node, ticket.ticket, is_wrong)) {
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
    format!("stack {}, node {}", short(stack), short(node))
}

fn claim_text(stack: &Stack, ticket: &SeenTicket) -> String {
    let doubt = match ticket.doubt {
        None => "as the receipts here have it".to_owned(),
        Some(doubt) => doubt_text(doubt),
    };
    let wrong = ticket.wrong.as_ref();
    let wrong = wrong.map_or(String::new(), |wrong| {
        format!(
            "; the answer of receipt {} is WRONG ({}): {}",
            wrong.seq,
            wrong.reason,
            remedy_text(wrong.remedy)
        )
    });
    format!(
        "{}: claims {} up to receipt {}, until {}Z: {doubt}{wrong}",
        party(stack.id, ticket.node),
        ticket.to_units,
        ticket.ticket,
        utc(ticket.deadline.0),
    )
}

fn remedy_text(remedy: Remedy) -> String {
    match remedy {
        Remedy::Challenge(bond) => format!("it is challenged with {} USDC", usdc(bond.0)),
        Remedy::Challenged => "its ticket was challenged".to_owned(),
        Remedy::NotExamined => "the task is not examined, so there is no jury".to_owned(),
        Remedy::NotChosen => {
            "honest answers differ on this task, so no record can be chosen for a jury".to_owned()
        }
        Remedy::AnotherChain => "the node claims another chain".to_owned(),
        Remedy::Unproven => {
            "it is not proved to be in the claim, since the node does not show all receipts; a demand says more"
                .to_owned()
        }
        Remedy::TooDear { bond, left } => format!(
            "a challenge takes a bond of {} USDC, and {} USDC may be staked (--challenge)",
            usdc(bond.0),
            usdc(left.0)
        ),
    }
}

/// A remedy's name for programs, and its bond.
fn remedy_facts(remedy: Remedy) -> (&'static str, Option<MicroUsdc>) {
    match remedy {
        Remedy::Challenge(bond) => ("challenge", Some(bond)),
        Remedy::Challenged => ("challenged", None),
        Remedy::NotExamined => ("not_examined", None),
        Remedy::NotChosen => ("not_chosen", None),
        Remedy::AnotherChain => ("another_chain", None),
        Remedy::Unproven => ("unproven", None),
        Remedy::TooDear { bond, .. } => ("too_dear", Some(bond)),
    }
}

fn doubt_text(doubt: Doubt) -> String {
    match doubt {
        Doubt::AnotherChain => "NOT AS THE RECEIPTS HERE: another one is in its place".to_owned(),
        Doubt::Unexplained(units) => format!("NOT AS THE RECEIPTS HERE: none shows {units} of it"),
        Doubt::Unproven(seq) => {
            format!("NOT PROVED: receipt {seq} never came, and the node does not show it")
        }
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
        Did::Challenged {
            ticket,
            bond,
            wrong,
        } => format!(
            "{party}: CHALLENGED the ticket up to receipt {ticket} with a bond of {} USDC, for unit {}: {}",
            usdc(bond.0),
            wrong.unit.0,
            wrong.reason
        ),
        Did::ChallengeEnded(ended) => format!(
            "{party}: the challenge of the ticket up to receipt {} has ended: {}; {} of {} USDC are credit of the owner",
            ended.ticket,
            end_text(ended.end),
            usdc(ended.back.0),
            usdc(ended.bond.0),
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
    let wrong = ticket.wrong.as_ref();
    let remedy = wrong.map(|wrong| remedy_facts(wrong.remedy));
    vec![
        ("event", json!("claim")),
        ("stack", json!(stack.id)),
        ("node", json!(ticket.node)),
        ("ticket", json!(ticket.ticket)),
        ("to_unit", json!(ticket.to_units.0)),
        ("disputable_until_ms", json!(ticket.deadline.0)),
        ("doubt", doubt),
        ("unexplained_units", units),
        ("wrong_receipt", json!(wrong.map(|wrong| wrong.seq))),
        ("wrong", json!(wrong.map(|wrong| &wrong.reason))),
        ("remedy", json!(remedy.map(|(name, _)| name))),
        (
            "bond_micro_usdc",
            json!(remedy.and_then(|(_, bond)| bond).map(money)),
        ),
    ]
}

fn doubt_facts(doubt: Option<Doubt>) -> (serde_json::Value, serde_json::Value) {
    match doubt {
        None => (json!(null), json!(null)),
        Some(Doubt::AnotherChain) => (json!("another_chain"), json!(null)),
        Some(Doubt::Unexplained(units)) => (json!("unexplained"), json!(units.0)),
        Some(Doubt::Unproven(_)) => (json!("unproven"), json!(null)),
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
        Did::Challenged {
            ticket,
            bond,
            wrong,
        } => vec![
            ("event", json!("challenged")),
            ("ticket", json!(ticket)),
            ("unit", json!(wrong.unit.0)),
            ("bond_micro_usdc", money(*bond)),
            ("wrong", json!(wrong.reason)),
        ],
        Did::ChallengeEnded(ended) => vec![
            ("event", json!("challenge_ended")),
            ("ticket", json!(ended.ticket)),
            ("end", json!(end_text(ended.end))),
            ("bond_micro_usdc", money(ended.bond)),
            ("back_micro_usdc", money(ended.back)),
        ],
        Did::Convicted(convicted) => vec![
            ("event", json!("convicted")),
            ("charge", json!(convicted.charge)),
            ("claim_voided_micro_usdc", money(convicted.value)),
            ("fine_micro_usdc", money(convicted.fine)),
            ("freed_micro_usdc", money(convicted.freed)),
            ("kept_micro_usdc", money(convicted.kept)),
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
