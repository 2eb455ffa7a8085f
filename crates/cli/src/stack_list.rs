//! `atoma stack list`: the stacks of a data folder, on the network in use and, by name alone, on others.

use crate::{
    client::client_folder,
    convicted,
    output::{Facts, Output},
    settings::Settings,
    stack_facts::{of, summary},
};
use anyhow::Result;
use atoma_client::{Client, KnownNetwork, StackHandle, known_networks};
use atoma_types::{NetworkId, StackId, chain::Stack};
use serde_json::json;
use std::path::Path;

/// What a list shows only where there is room.
const ONLY_WIDE: [&str; 7] = [
    "task",
    "candidates",
    "units",
    "open_units",
    "ungranted_units",
    "free_micro_usdc",
    "max_price_micro_usdc_per_million_units",
];

/// Lists the stacks that are open, or all.
pub(crate) async fn list(
    client: &Client,
    all: bool,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let stacks = client.stacks().await?;
    let mut rows: Vec<Facts> = stacks.iter().map(of).collect::<Result<_>>()?;
    if all {
        // those that were seen closed just now are so on the disk, too
        client.receipts().flush().await?;
        for id in client.closed_stacks()? {
            let stack = client.ledger().stack(id).await?;
            let model = client.ledger().task(stack.task).await?.model_name;
            rows.push(summary(&stack, &model, client)?);
        }
    }
    output.narrow_table(
        rows,
        &ONLY_WIDE,
        match all {
            true => "no stacks on this network: buy one with `atoma stack buy`",
            false => "no open stacks: buy one with `atoma stack buy`",
        },
    );
    let views: Vec<Stack> = stacks.iter().map(StackHandle::view).collect();
    convicted::tell(client.ledger(), &views, output).await;
    let others = of_other_networks(&client_folder(settings), client.ledger().network(), all)?;
    match others.len() {
        0 => {}
        _ if all => {
            output.say("\non networks other than the one in use:");
            output.table(others, "");
        }
        1 => output.note("1 stack of another network is not shown: --all shows it"),
        count => output.note(format!(
            "{count} stacks of other networks are not shown: --all shows them"
        )),
    }
    Ok(())
}

/// What the data folder alone knows of stacks, of all networks: which there are, and which were seen closed.
pub(crate) fn without_ledger(
    all: bool,
    settings: &Settings,
    error: &anyhow::Error,
    output: &Output,
) -> Result<()> {
    let known = known_networks(&client_folder(settings))?.into_iter();
    let rows: Vec<Facts> = known
        .flat_map(|known| in_states(&known, all, ["not looked at", "closed"]))
        .collect();
    output.table(rows, "no stacks are known here");
    output.note(format!(
        "{error:#}: these are the stacks that this computer remembers, of all networks"
    ));
    Ok(())
}

/// The stacks in the data folder that the network in use can know nothing of: their own may be gone, as a
/// devnet is that was started anew. Those that weren't seen closed; with `all` the others, too.
fn of_other_networks(folder: &Path, here: NetworkId, all: bool) -> Result<Vec<Facts>> {
    let others = known_networks(folder)?.into_iter();
    let others = others.filter(|known| known.network != here);
    Ok(others.flat_map(|known| rows(&known, all)).collect())
}

fn rows(known: &KnownNetwork, all: bool) -> Vec<Facts> {
    let states = ["of another network", "closed, of another network"];
    in_states(known, all, states)
}

fn in_states(known: &KnownNetwork, all: bool, states: [&str; 2]) -> Vec<Facts> {
    let [open_state, closed_state] = states;
    let row = |(stack, state): (&StackId, &str)| -> Facts {
        vec![
            ("stack", json!(stack)),
            ("state", json!(state)),
            ("network", json!(known.network)),
        ]
    };
    let open = known.stacks.iter();
    let closed = known.closed.iter().filter(|_| all);
    let open = open.map(|stack| (stack, open_state));
    let closed = closed.map(|stack| (stack, closed_state));
    open.chain(closed).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    #[test]
    fn what_was_closed_on_a_network_that_is_gone_is_listed_as_what_was_not() {
        let id = |byte| StackId(Address::new([byte; 32]));
        let known = KnownNetwork {
            network: NetworkId([7; 32]),
            stacks: vec![id(1)],
            closed: vec![id(2), id(3)],
        };
        assert_eq!(rows(&known, false).len(), 1);
        let all = rows(&known, true);
        let states: Vec<_> = all.iter().map(|row| row[1].1.clone()).collect();
        let closed = "closed, of another network";
        assert_eq!(states, ["of another network", closed, closed]);
        assert_eq!(all[2][0].1, json!(id(3)));
    }
}
