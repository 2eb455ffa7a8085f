//! What closed stacks paid, as the ledger's events say, and what it all adds up to.

use crate::output::{Output, money};
use anyhow::{Context, Result};
use atoma_network::Network;
use atoma_types::{MicroUsdc, StackId, chain::Event};
use futures::StreamExt;
use serde_json::json;
use std::time::Duration;

/// Settlement takes the window and a few transactions; much longer and something is wrong.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);

/// What the summary adds up, in micro-USDC.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) stacks: Vec<StackId>,
    pub(super) deposited: u64,
    pub(super) paid: u64,
    pub(super) fees: u64,
    pub(super) withdrawn: u64,
    pub(super) receipts_verified: u64,
}

/// What a closed stack paid, as the ledger's events say.
#[derive(Debug, Default)]
pub(super) struct Closed {
    pub(super) units: u64,
    pub(super) deposited: u64,
    pub(super) paid: u64,
    pub(super) fees: u64,
    pub(super) withdrawn: u64,
}

impl Closed {
    /// Whether all that came in went out again.
    fn is_whole(&self) -> bool {
        self.deposited == self.paid + self.fees + self.withdrawn
    }
}

/// Follows the ledger until all of a closed stack's money has gone where it belongs.
pub(super) async fn wait_closed(network: &Network, stack: StackId) -> Result<Closed> {
    let mut events = network.ledger.events(None);
    let mut closed = Closed::default();
    let follow = async {
        while let Some(event) = events.next().await {
            let event = event?;
            match event.event {
                Event::StackAcquired(bought) if bought.stack == stack => {
                    closed.deposited += bought.escrow.0;
                }
                Event::ToppedUp(more) if more.stack == stack => {
                    closed.deposited += more.paid.0;
                }
                Event::Claimed(claimed) if claimed.stack == stack => {
                    closed.units = claimed.paid_units.0;
                    closed.paid += claimed.paid.0;
                    closed.fees += claimed.fee.0;
                }
                Event::FreeWithdrawn(out) if out.stack == stack => {
                    closed.withdrawn += out.amount.0;
                    if closed.is_whole() {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        anyhow::bail!("the ledger's events ended")
    };
    tokio::time::timeout(SETTLE_TIMEOUT, follow)
        .await
        .context("the stack was not closed in time")??;
    Ok(closed)
}

pub(super) fn tell_settlement(
    name: &'static str,
    title: &str,
    took: Duration,
    stack: StackId,
    closed: &Closed,
    sums: &mut Sums,
    output: &Output,
) {
    sums.stacks.push(stack);
    sums.paid += closed.paid;
    sums.fees += closed.fees;
    sums.withdrawn += closed.withdrawn;
    output.step(
        name,
        title,
        took,
        vec![
            ("stack", json!(stack)),
            ("units_paid", json!(closed.units)),
            ("paid_to_node_micro_usdc", money(MicroUsdc(closed.paid))),
            ("fee_micro_usdc", money(MicroUsdc(closed.fees))),
            ("withdrawn_micro_usdc", money(MicroUsdc(closed.withdrawn))),
        ],
    );
}
