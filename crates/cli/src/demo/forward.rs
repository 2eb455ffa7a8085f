//! The demo's full node (`--forward`): it passes on what it is asked, and pays for that out of a stack of its own.

use super::sums::{Sums, tell_settlement, wait_closed};
use crate::output::{Output, money};
use anyhow::{Context, Result, ensure};
use atoma_client::{Client, ClientConfig, SecondRecord};
use atoma_network::{Network, stored_key};
use atoma_node::ForwardConfig;
use atoma_types::{MicroUsdc, NodeId, StackId, chain::Event};
use futures::StreamExt;
use serde_json::json;
use std::{path::Path, time::Duration};
use tokio::time::Instant;

/// What the full node's stacks may hold: a tenth of a USDC.
const BUDGET: MicroUsdc = MicroUsdc(100_000);
/// It buys and grants at its start; much longer and something is wrong.
const STOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// A node without a place for any request: all are passed on, at no loss.
pub(super) fn full(tick_ms: u64) -> ForwardConfig {
    ForwardConfig {
        above_permille: 0,
        local_nodes: true,
        tick_ms,
        ..ForwardConfig::new(BUDGET)
    }
}

/// What the full node has with another one.
pub(super) struct Stock {
    pub(super) stack: StackId,
    /// The full node's place in the network.
    index: usize,
}

impl Stock {
    /// Waits until the last node of the network has units with another one, and says so.
    pub(super) async fn wait(network: &Network, output: &Output) -> Result<Self> {
        let started = Instant::now();
        let index = network.nodes.len() - 1;
        let full = network.ledger.node(network.nodes[index].id).await?;
        let mut bought = None;
        let mut events = network.ledger.events(None);
        let leased = async {
            while let Some(event) = events.next().await {
                match event?.event {
                    Event::StackAcquired(stack) if stack.owner == full.owner => {
                        bought = Some((stack.stack, stack.escrow));
                    }
                    Event::Leased(lease) => {
                        if let Some((stack, escrow)) = bought
                            && stack == lease.stack
                        {
                            return Ok((stack, escrow, lease.node));
                        }
                    }
                    _ => {}
                }
            }
            anyhow::bail!("the ledger's events ended")
        };
        let leased = tokio::time::timeout(STOCK_TIMEOUT, leased).await;
        let (stack, escrow, other) = leased.context("the full node got no lease in time")??;
        output.step(
            "stock",
            "The last node is full: it buys a stack of its own, and keeps units with another node",
            started.elapsed(),
            vec![
                ("node", json!(full.id)),
                ("stack", json!(stack)),
                ("escrow_micro_usdc", money(escrow)),
                ("other_node", json!(other)),
            ],
        );
        Ok(Self { stack, index })
    }

    /// The full node.
    pub(super) fn node(&self, network: &Network) -> NodeId {
        network.nodes[self.index].id
    }

    /// Stops the full node, closes its stack and tells what the other one was paid.
    pub(super) async fn settle(
        &self,
        network: &mut Network,
        folder: &Path,
        sums: &mut Sums,
        output: &Output,
    ) -> Result<()> {
        let started = Instant::now();
        let progress = output.progress("the full node stops and closes its stack");
        let random = network.ledger.runtime().random.clone();
        let full = network.nodes.remove(self.index);
        full.running.drain_and_stop().await;
        let wallet = folder.join(format!("node-{}", self.index + 1));
        let wallet = stored_key(&wallet.join("wallet.key"), &*random)?;
        let wallet = Client::with_ledger(network.ledger.clone(), wallet, ClientConfig::default())?;
        wallet.open(self.stack).await?.close().await?;
        let closed = wait_closed(network, self.stack).await?;
        progress.finish_and_clear();
        sums.deposited += closed.deposited;
        tell_settlement(
            "forward_settled",
            "The full node closes its own stack; the node that computed is paid",
            started.elapsed(),
            self.stack,
            &closed,
            sums,
            output,
        );
        ensure!(closed.paid > 0, "the node that computed was not paid");
        Ok(())
    }
}

/// Tells the record of the node that computed the answer.
pub(super) fn tell(second: Option<&SecondRecord>, output: &Output) -> Result<()> {
    let second = second.context("the full node answered by itself")?;
    let mut facts = crate::receipt::second(second);
    facts.insert(
        0,
        (
            "verified",
            json!(["request", "answer", "usage", "signatures"]),
        ),
    );
    if !output.is_json() {
        facts.retain(|(name, _)| *name != "second_record");
    }
    output.step(
        "forwarded",
        "The node has passed the request on: behind its receipt stands the record of the node that computed",
        Duration::ZERO,
        facts,
    );
    Ok(())
}
