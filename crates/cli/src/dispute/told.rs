//! What came of a step, in facts.

use crate::output::{Facts, money};
use atoma_client::dispute::{DisputeEvent, DisputeOutcome};
use atoma_types::{NodeId, StackId};
use serde_json::json;

/// What the ledger says came of it.
pub(super) fn told(outcome: &DisputeOutcome) -> Facts {
    let mut facts: Facts = vec![("transaction", json!(outcome.transaction))];
    let party = |stack: &StackId, node: &NodeId| -> Facts {
        vec![("stack", json!(stack)), ("node", json!(node))]
    };
    for event in &outcome.events {
        match event {
            DisputeEvent::Demanded(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("demanded")),
                    ("unit", json!(e.unit.0)),
                    ("answer_until_ms", json!(e.deadline_ms.0)),
                ]);
            }
            DisputeEvent::Answered(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("answered")),
                    ("unit", json!(e.unit.0)),
                    ("record", json!(e.seq)),
                    ("blob_id", json!(e.blob)),
                ]);
            }
            DisputeEvent::Challenged(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("challenged")),
                    ("ticket", json!(e.ticket)),
                    ("unit", json!(e.unit.map(|unit| unit.0))),
                    ("bond_micro_usdc", money(e.bond)),
                ]);
            }
            DisputeEvent::Convicted(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("convicted")),
                    ("charge", json!(e.charge)),
                    ("claim_voided_micro_usdc", money(e.value)),
                    ("fine_micro_usdc", money(e.fine)),
                    ("freed_micro_usdc", money(e.freed)),
                    ("kept_micro_usdc", money(e.kept)),
                    ("collateral_left_micro_usdc", money(e.collateral)),
                    ("pardonable_until_ms", json!(e.until_ms.0)),
                ]);
            }
        }
    }
    facts
}
