//! What the demo of a cheat tells of each event of the ledger.

use crate::{
    history::{charge, outcome},
    output::money,
};
use atoma_types::chain::Event;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A step's name, its title, and what there is to know of it.
type Told = (&'static str, String, Vec<(&'static str, Value)>);

/// What the demo says of an event.
pub(super) fn told(event: &Event, verdicts: &BTreeMap<String, u64>) -> Option<Told> {
    claim(event)
        .or_else(|| examination(event))
        .or_else(|| jury(event, verdicts))
}

fn step(name: &'static str, title: &str, facts: Vec<(&'static str, Value)>) -> Option<Told> {
    Some((name, title.to_owned(), facts))
}

/// Of what the node claims, and how that ends.
fn claim(event: &Event) -> Option<Told> {
    match event {
        Event::SettlementOpened(e) => step(
            "settled",
            "The user closes the stack; the node claims what it served",
            vec![("value_micro_usdc", money(e.value))],
        ),
        Event::RecordDemanded(e) => step(
            "demanded",
            "The user demands to see the record, for a fee",
            vec![
                ("unit", json!(e.unit.0)),
                ("answer_until_ms", json!(e.deadline_ms.0)),
            ],
        ),
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

/// Of the lot that the ledger draws, and of the examiner.
fn examination(event: &Event) -> Option<Told> {
    match event {
        Event::TicketDrawn(e) => step(
            "drawn",
            match e.hit {
                true => "The ledger draws lots: the ticket is examined",
                false => "The ledger draws lots: the ticket isn't examined",
            },
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
        _ => None,
    }
}

/// Of those who decide whether the examiner is right.
fn jury(event: &Event, verdicts: &BTreeMap<String, u64>) -> Option<Told> {
    match event {
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
            let found = verdicts.iter();
            let found = found.map(|(what, times)| format!("{times} times: {what}"));
            step(
                "decided",
                "All reveal, and their verdicts are counted",
                vec![
                    ("found", json!(found.collect::<Vec<_>>())),
                    ("outcome", json!(outcome(e.outcome))),
                ],
            )
        }
        _ => None,
    }
}
