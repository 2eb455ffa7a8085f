//! What a node loses at most that stays away, for `atoma node show`.

use crate::output::{Facts, money};
use anyhow::Result;
use atoma_evidence::dispute::History;
use atoma_ledger::Ledger;
use atoma_types::chain::{AtRisk, Node};
use serde_json::json;

/// Stacks that are read at once.
const AT_ONCE: usize = 50;

/// The sums of a node's open leases. The ledger lists them nowhere but in its events: nothing is said where there are
/// too many of those to be read.
pub(super) async fn at_risk(ledger: &Ledger, node: &Node) -> Result<Facts> {
    let history = History::of_leases(ledger, node.id).await?;
    if !history.complete {
        return Ok(vec![("open_leases", json!(null))]);
    }
    let mut stacks = Vec::new();
    for some in history.open_leases().chunks(AT_ONCE) {
        stacks.extend(ledger.stacks(some).await?);
    }
    let sums = AtRisk::of(node, &stacks);
    Ok(vec![
        ("open_leases", json!(sums.leases)),
        ("claimed_micro_usdc", money(sums.claimed)),
        ("unclaimed_at_most_micro_usdc", money(sums.unclaimed)),
        ("fines_if_away_at_most_micro_usdc", money(sums.fines)),
        ("lost_if_away_at_most_micro_usdc", money(sums.most())),
    ])
}
