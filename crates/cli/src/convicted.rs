//! Says to a stack's owner that a node of it was convicted: its claim is void, and what it stood for is theirs.

use crate::{
    history::charge,
    output::{Output, short, usdc},
};
use atoma_client::dispute::History;
use atoma_ledger::Ledger;
use atoma_types::{
    StackId,
    chain::{Event, Stack, events::NodeConvicted},
};
use std::collections::BTreeSet;

/// Says in a line each which nodes of these stacks were convicted. The ledger's past is read only if a lease was
/// closed; if it can't be read nothing is said, for it says only more than the stacks do.
pub(crate) async fn tell(ledger: &Ledger, stacks: &[Stack], output: &Output) {
    let had = |stack: &&Stack| stack.leases.iter().any(|lease| lease.closed);
    let stacks: BTreeSet<StackId> = stacks.iter().filter(had).map(|stack| stack.id).collect();
    if stacks.is_empty() {
        return;
    }
    let Ok(history) = History::of_all(ledger, stacks).await else {
        return;
    };
    for event in &history.events {
        if let Event::NodeConvicted(convicted) = &event.event {
            output.note(line(convicted));
        }
    }
}

fn line(convicted: &NodeConvicted) -> String {
    let kept = match convicted.kept.0 {
        0 => String::new(),
        kept => format!(
            "; no bond stood for {} USDC of the claim, which are the treasury's",
            usdc(kept)
        ),
    };
    format!(
        "node {} was convicted ({}): its claim of {} USDC on stack {} is void, {} USDC came back to you{kept}",
        short(convicted.node),
        charge(convicted.charge),
        usdc(convicted.value.0),
        short(convicted.stack),
        usdc(convicted.freed.0),
    )
}
