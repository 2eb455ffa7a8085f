//! What is shown of a stack, and of its leases.

use crate::output::{Facts, money, price};
use anyhow::Result;
use atoma_client::{Client, StackHandle};
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{Lease, Stack},
};
use serde_json::json;

/// A stack as last read.
pub(crate) fn of(stack: &StackHandle) -> Result<Facts> {
    summary(&stack.view(), &stack.task().model_name, stack.client())
}

/// A stack, of a model.
pub(crate) fn summary(stack: &Stack, model: &str, client: &Client) -> Result<Facts> {
    let units = client.units(stack)?;
    Ok(vec![
        ("stack", json!(stack.id)),
        ("model", json!(model)),
        ("state", json!(state(stack))),
        ("task", json!(stack.task)),
        ("candidates", json!(stack.candidates.len())),
        ("units", json!(stack.live_units().0)),
        ("used_units", json!(units.used.0)),
        ("open_units", json!(units.open.0)),
        ("left_units", json!(units.left.0)),
        ("ungranted_units", json!(stack.ungranted.0)),
        ("escrow_micro_usdc", money(stack.escrow)),
        ("free_micro_usdc", money(stack.free)),
        (
            "max_price_micro_usdc_per_million_units",
            price(stack.max_price),
        ),
        ("expires_at_ms", json!(stack.expires_at_ms.0)),
    ])
}

/// Whether anything more comes of a stack.
fn state(stack: &Stack) -> &'static str {
    let empty = stack.live_units() == ComputeUnits::ZERO;
    match (empty, stack.free) {
        (true, MicroUsdc::ZERO) => "closed",
        (true, _) => "to withdraw",
        (false, _) if stack.open_leases().any(|lease| !lease.tickets.is_empty()) => "claimed",
        (false, _) => "open",
    }
}

/// A lease of it.
pub(crate) fn lease(lease: &Lease) -> Facts {
    let state = match (lease.closed, lease.tickets.is_empty()) {
        (true, _) => "closed",
        (false, false) => "claimed",
        (false, true) => "open",
    };
    let payable = lease.tickets.first().map(|ticket| ticket.deadline_ms.0);
    vec![
        ("node", json!(lease.node)),
        ("units", json!(lease.units.0)),
        ("price_micro_usdc_per_million_units", price(lease.price)),
        ("state", json!(state)),
        ("claimed_units", json!(lease.claimed_units().0)),
        ("paid_units", json!(lease.paid_units.0)),
        ("payable_at_ms", json!(payable)),
    ]
}
