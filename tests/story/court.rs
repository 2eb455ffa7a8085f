//! What the user of a court types, and what the sums in its stories are made of.

use crate::case::types;
use atoma_network::testing::{BAD, Court};
use atoma_types::{ComputeUnits, chain::Verdict};
use serde_json::Value;

/// A cent, in micro-USDC.
pub(crate) const CENT: i64 = 10_000;
pub(crate) const USDC: i64 = 100 * CENT;

pub(crate) const OK: Option<Verdict> = Some(Verdict::OK);
pub(crate) const GUILTY: Option<Verdict> = Some(BAD);

/// The user challenges a unit; what the command says.
pub(crate) async fn challenge(court: &Court, unit: ComputeUnits) -> Value {
    let trial = &court.trial;
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let unit = unit.0.to_string();
    let words = ["dispute", "challenge", "--stack", &stack, "--node", &node];
    let words = [&words[..], &["--unit", &unit]].concat();
    let lines = types(&trial.world, &trial.user, &words).await;
    lines.unwrap().remove(0)
}

/// The user takes out what has come back; how much the command says it is.
pub(crate) async fn withdraw(court: &Court) -> Value {
    let (trial, stack) = (&court.trial, court.trial.stack.to_string());
    let lines = types(&trial.world, &trial.user, &["stack", "withdraw", &stack]).await;
    lines.unwrap()[0]["withdrawn_micro_usdc"].clone()
}

/// The user closes the stack; how much came back by it.
pub(crate) async fn close(court: &Court) -> Value {
    let (trial, stack) = (&court.trial, court.trial.stack.to_string());
    let lines = types(&trial.world, &trial.user, &["stack", "close", &stack]).await;
    lines.unwrap()[0]["withdrawn_micro_usdc"].clone()
}
