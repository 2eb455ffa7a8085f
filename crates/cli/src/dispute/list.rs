//! `atoma dispute list`: what was brought about one's stacks, and how it ended, in one walk through the ledger's past.

use crate::{
    history::{Times, end_text},
    output::{Facts, Output, money},
};
use anyhow::Result;
use atoma_client::{
    dispute::{Brought, History, Matter},
    known_networks,
};
use atoma_ledger::Ledger;
use atoma_types::{NetworkId, StackId};
use serde_json::json;
use std::{collections::BTreeSet, path::Path};

/// The stacks of a network that a data folder remembers; the closed ones where all are wanted.
pub(super) fn remembered(
    network: NetworkId,
    folder: &Path,
    all: bool,
) -> Result<BTreeSet<StackId>> {
    let mut stacks = BTreeSet::new();
    for known in known_networks(folder)? {
        if known.network == network {
            stacks.extend(known.stacks);
            stacks.extend(known.closed.into_iter().filter(|_| all));
        }
    }
    Ok(stacks)
}

pub(super) async fn list(
    ledger: &Ledger,
    stacks: BTreeSet<StackId>,
    output: &Output,
) -> Result<()> {
    let progress = output.progress("reading what has happened");
    let history = History::of_all(ledger, stacks).await;
    progress.finish_and_clear();
    let history = history?;
    let mut times = Times::default();
    let mut rows = Vec::new();
    for brought in history.brought() {
        let at = times.of(ledger, brought.checkpoint).await;
        rows.push(row(&brought, at));
    }
    let empty = "nobody has demanded or challenged anything about these stacks (--all looks at closed ones, too)";
    output.narrow_table(rows, &["ticket", "until_ms"], empty);
    if !history.complete {
        output.note("the ledger's history is long: not all of it was looked through");
    }
    Ok(())
}

fn row(brought: &Brought, at: Option<u64>) -> Facts {
    let (what, ticket, unit, until, bond) = match brought.what {
        Matter::Demand { unit, until } => ("demand", None, Some(unit), Some(until.0), None),
        Matter::Challenge { ticket, unit, bond } => {
            ("challenge", Some(ticket), unit, None, Some(bond))
        }
    };
    vec![
        ("at_ms", json!(at)),
        ("stack", json!(brought.stack)),
        ("node", json!(brought.node)),
        ("what", json!(what)),
        ("ticket", json!(ticket)),
        ("unit", json!(unit.map(|unit| unit.0))),
        ("until_ms", json!(until)),
        ("bond_micro_usdc", json!(bond.map(money))),
        ("state", json!(end_text(brought.end))),
    ]
}
