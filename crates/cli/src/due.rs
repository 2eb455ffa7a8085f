//! `atoma stack due`: whatever anyone may do about a stack now, until nothing is left. Running nodes and clients do
//! it by themselves; this is for who waits for an end and has neither.

use crate::{call::call_and_tell, output::Output, settings::Settings};
use anyhow::Result;
use atoma_ledger::{Due, Ledger, due, due_of_lease};
use atoma_types::{Address, StackId, TimestampMs, chain::Stack};

/// Does what is due, each step as long as there is one.
pub(crate) async fn run(
    ledger: &Ledger,
    stack: StackId,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let me = settings.key()?.public_key().address();
    let mut steps = 0;
    loop {
        let stack = ledger.stack(stack).await?;
        let Some(step) = next(&stack, me, ledger.clock().await?) else {
            break;
        };
        call_and_tell(ledger, settings, step.call, output).await?;
        steps += 1;
    }
    if steps == 0 {
        output.note("nothing is due: `atoma dispute show` says what is waited for, and until when");
    }
    Ok(())
}

/// What is due first. Nobody convicts itself.
fn next(stack: &Stack, me: Address, now: TimestampMs) -> Option<Due> {
    let own = stack.leases.iter().filter(|lease| lease.owner == me);
    let own: Vec<Due> = own
        .flat_map(|lease| due_of_lease(stack, lease, now))
        .collect();
    let mut due = due(stack, now).into_iter();
    due.find(|due| !due.convicts || !own.contains(due))
}
