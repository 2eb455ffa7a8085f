//! `atoma dispute show`: the tickets of a stack, what was brought against them, and what has happened.

use crate::{
    history,
    output::{Facts, Output},
};
use anyhow::Result;
use atoma_client::{
    Receipts,
    dispute::{Compared, History},
};
use atoma_ledger::Ledger;
use atoma_types::{
    StackId,
    chain::{Exam, HitStage, Lease, Ticket},
};
use serde_json::json;

pub(super) async fn show(
    ledger: &Ledger,
    stack: StackId,
    receipts: &Receipts,
    output: &Output,
) -> Result<()> {
    let stack = ledger.stack(stack).await?;
    let mut rows = Vec::new();
    for lease in &stack.leases {
        rows.extend(self::rows(lease, receipts, stack.id)?);
    }
    let empty = "nothing of this stack is leased yet";
    output.narrow_table(rows, &["to_unit"], empty);
    let progress = output.progress("reading what has happened");
    let history = History::of(ledger, stack.id).await;
    progress.finish_and_clear();
    let history = history?;
    if !history.events.is_empty() {
        output.say("\nwhat has happened:");
        let only_wide = ["ticket", "until_ms"];
        output.narrow_table(history::rows(ledger, &history).await, &only_wide, "");
    }
    if !history.complete {
        output.note("the ledger's history is long: not all of it was looked through");
    }
    Ok(())
}

/// A lease without tickets, or one line for each ticket, and one for each demand.
fn rows(lease: &Lease, receipts: &Receipts, stack: StackId) -> Result<Vec<Facts>> {
    let row =
        |ticket: Option<&Ticket>, state: &str, unit: Option<u64>, until: Option<u64>| -> Facts {
            vec![
                ("node", json!(lease.node)),
                ("ticket", json!(ticket.map(|ticket| ticket.to_seq))),
                ("from_unit", json!(ticket.map(|ticket| ticket.from_units.0))),
                ("to_unit", json!(ticket.map(|ticket| ticket.to_units.0))),
                ("state", json!(state)),
                ("unit", json!(unit)),
                ("until_ms", json!(until)),
            ]
        };
    if lease.tickets.is_empty() {
        let state = if lease.closed {
            "closed"
        } else {
            "nothing claimed"
        };
        return Ok(vec![row(None, state, None, None)]);
    }
    let mut rows = Vec::new();
    for ticket in &lease.tickets {
        let (state, unit, until) = stage(ticket);
        rows.push(row(Some(ticket), state, unit, until));
        let until = Some(ticket.deadline_ms.0);
        match receipts.compare(stack, lease.node, ticket)? {
            Compared::Differs(claimed) => {
                let unit = claimed.map(|claimed| claimed.unit.0);
                let state = "NOT AS YOUR RECEIPTS: demand it";
                rows.push(row(Some(ticket), state, unit, until));
            }
            Compared::Unproven(_) => {
                let state =
                    "NOT PROVED to be of your receipts: `stack watch` asks for what never came";
                rows.push(row(Some(ticket), state, None, until));
            }
            Compared::Same | Compared::NotKept => {}
        }
        if let Some(challenge) = &ticket.challenge {
            let state = match (challenge.over, &challenge.jury) {
                (true, _) => "challenge over",
                (false, Some(_)) => "challenged, a jury sits",
                (false, None) => "challenged",
            };
            rows.push(row(
                Some(ticket),
                state,
                challenge.unit.map(|unit| unit.0),
                None,
            ));
        }
        rows.extend(ticket.demands.iter().map(|demand| {
            let until = Some(demand.deadline_ms.0);
            row(Some(ticket), "demanded", Some(demand.unit.0), until)
        }));
    }
    Ok(rows)
}

/// Where a ticket stands, the unit that it is about, and until when.
fn stage(ticket: &Ticket) -> (&'static str, Option<u64>, Option<u64>) {
    let window = Some(ticket.deadline_ms.0);
    match &ticket.exam {
        Exam::None => ("claimed", None, window),
        Exam::Undrawn => ("claimed, not drawn yet", None, window),
        Exam::Drawn { .. } => ("claimed, drawn", None, window),
        Exam::Unexamined => ("claimed, nobody examined it", None, window),
        Exam::Hit(hit) => {
            let state = match hit.stage {
                HitStage::Disclosing => "the node must show it to the examiner",
                HitStage::Examining => "examined",
                HitStage::Accused => "accused",
                HitStage::Passed => "passed",
                HitStage::Cleared => "cleared",
            };
            (state, Some(hit.unit.0), Some(hit.deadline_ms.0))
        }
    }
}
