//! Steps that demos have in common.

use super::{
    sums::{Sums, tell_settlement, wait_closed},
    words::MAX_TOKENS,
};
use crate::{
    local_network::Served,
    output::{Output, money},
};
use anyhow::{Result, ensure};
use atoma_client::{BuyRequest, Client, StackHandle};
use atoma_network::Network;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc, NodeId, Price};
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long tickets wait in a demo: long enough to be seen.
pub(super) const WINDOW_MS: u64 = 500;
/// What the user buys.
pub(super) const UNITS: ComputeUnits = ComputeUnits(20_000);
/// The most that the user pays: ten USDC per million units.
const MAX_PRICE: Price = Price(10_000_000);

pub(super) async fn buy(
    client: &Client,
    served: &Served,
    chosen: Option<NodeId>,
    sums: &mut Sums,
    output: &Output,
) -> Result<StackHandle> {
    let started = Instant::now();
    let stack = client
        .buy(BuyRequest {
            task: served.task,
            units: UNITS,
            max_price: Some(MAX_PRICE),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        })
        .await?;
    let bought = stack.view();
    sums.deposited += bought.escrow.0;
    let mut facts = vec![
        ("stack", json!(bought.id)),
        ("units", json!(bought.live_units().0)),
        ("escrow_micro_usdc", money(bought.escrow)),
    ];
    // nobody is drawn here: only programs read an empty list
    if output.is_json() {
        facts.push(("candidates", json!(bought.candidates)));
    }
    facts.push(("request_key", json!(bought.request_key.to_string())));
    output.step(
        "stack",
        match chosen {
            Some(_) => "The user buys a stack, and chooses the node that is full",
            None => "The user buys a stack, and chooses the cheapest node that fits",
        },
        started.elapsed(),
        facts,
    );
    let started = Instant::now();
    let lease = match chosen {
        Some(node) => stack.grant_some(node, stack.ungranted_units()).await?,
        None => stack.engage().await?,
    };
    output.step(
        "lease",
        "The user grants the node units at its price; the node takes them to the ledger and is bound",
        started.elapsed(),
        vec![
            ("node", json!(lease.node)),
            ("units", json!(lease.units.0)),
            ("price_micro_usdc_per_million_units", json!(lease.price.0)),
        ],
    );
    Ok(stack)
}

pub(super) fn request_body(model: &str, prompt: &str) -> Value {
    json!({
        "model": model,
        "messages": [{ "role": "user", "content": prompt }],
        "max_tokens": MAX_TOKENS,
        "temperature": 0.0,
        "stream": true,
        "stream_options": { "include_usage": true },
    })
}

pub(super) async fn settle(
    stack: &StackHandle,
    network: &Network,
    sums: &mut Sums,
    output: &Output,
) -> Result<()> {
    let started = Instant::now();
    let progress = output.progress("the node settles, the dispute window passes");
    stack.close().await?;
    let closed = wait_closed(network, stack.id()).await?;
    progress.finish_and_clear();
    tell_settlement(
        "settled",
        "The user closes the stack; the node settles, the window passes, all are paid",
        started.elapsed(),
        stack.id(),
        &closed,
        sums,
        output,
    );
    Ok(())
}

/// Compares what was deposited with what came out of it, and all money on the ledger before and
/// after.
pub(super) fn summary(sums: &Sums, before: u64, after: u64, output: &Output) -> Result<()> {
    let balanced = sums.deposited == sums.paid + sums.fees + sums.withdrawn;
    let conserved = balanced && before == after;
    output.step(
        "summary",
        "Every micro-USDC is accounted for",
        output.elapsed(),
        vec![
            ("deposited_micro_usdc", money(MicroUsdc(sums.deposited))),
            ("paid_to_nodes_micro_usdc", money(MicroUsdc(sums.paid))),
            ("withdrawn_micro_usdc", money(MicroUsdc(sums.withdrawn))),
            ("fees_micro_usdc", money(MicroUsdc(sums.fees))),
            ("all_money_before_micro_usdc", money(MicroUsdc(before))),
            ("all_money_after_micro_usdc", money(MicroUsdc(after))),
            ("conserved", json!(conserved)),
            ("receipts_verified", json!(sums.receipts_verified)),
        ],
    );
    ensure!(conserved, "money was lost or made: {sums:?}");
    Ok(())
}
