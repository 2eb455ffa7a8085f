//! One call by hand, and what the ledger says came of it.

use crate::{
    output::{Facts, Output, money},
    settings::Settings,
};
use anyhow::Result;
use atoma_ledger::Ledger;
use atoma_types::chain::{Call, Event};
use serde_json::json;

/// Executes a call as the acting key and tells it.
pub(crate) async fn call_and_tell(
    ledger: &Ledger,
    settings: &Settings,
    call: impl Into<Call>,
    output: &Output,
) -> Result<()> {
    let call = call.into();
    let function = call.function();
    let mut facts: Facts = vec![(
        "call",
        json!(format!("{}::{}", function.module, function.name)),
    )];
    let done = ledger.execute(&settings.key()?, vec![call]).await?;
    facts.extend(done.events.iter().flat_map(told));
    facts.push(("transaction", json!(done.digest.to_string())));
    facts.push(("gas_mist", json!(done.gas_used)));
    output.object(facts);
    Ok(())
}

/// What an event says that whoever made the call wants to know.
fn told(event: &Event) -> Facts {
    match event {
        Event::NodeRegistered(e) => vec![("node", json!(e.node))],
        Event::NodeMoved(e) => vec![("url", json!(e.url))],
        Event::CollateralAdded(e) => vec![("collateral_micro_usdc", money(e.collateral))],
        Event::NodeLeft(e) => vec![("left_micro_usdc", money(e.amount))],
        Event::EarningsWithdrawn(e) => vec![("withdrawn_micro_usdc", money(e.amount))],
        Event::FinesPardoned(e) => vec![
            ("pardoned_micro_usdc", money(e.amount)),
            ("collateral_micro_usdc", money(e.collateral)),
        ],
        Event::FinesForfeited(e) => vec![("forfeited_micro_usdc", money(e.amount))],
        Event::TaskFunded(e) => vec![
            ("funded_micro_usdc", money(e.amount)),
            ("pool_micro_usdc", money(e.dues)),
        ],
        Event::TaskDeprecated(e) => vec![("deprecated", json!(e.task))],
        Event::ReleaseAnnounced(e) => vec![("good_from_ms", json!(e.from_ms.0))],
        Event::AttesterChanged(e) => vec![
            ("attests", json!(e.active)),
            ("deposit_micro_usdc", money(e.stake)),
        ],
        Event::AttesterPaid(e) => vec![("became_credit_micro_usdc", money(e.amount))],
        Event::UnitsReleased(e) => vec![("units", json!(e.units.0))],
        Event::UngrantedRevoked(e) => vec![("freed_micro_usdc", money(e.freed))],
        Event::FeesCollected(e) => vec![("collected_micro_usdc", money(e.amount))],
        Event::FeesReported(e) => vec![("reported_micro_usdc", money(e.fees))],
        Event::TreasuryPaid(e) => vec![("share_micro_usdc", money(e.amount))],
        Event::SettlementOpened(e) => vec![
            ("ticket", json!(e.to_seq)),
            ("value_micro_usdc", money(e.value)),
            ("payable_at_ms", json!(e.deadline_ms.0)),
        ],
        Event::Claimed(e) => vec![("paid_micro_usdc", money(e.paid))],
        Event::LeaseClosed(e) => vec![("freed_micro_usdc", money(e.freed))],
        Event::TicketDrawn(e) => vec![("examined", json!(e.hit))],
        Event::ExaminerDrawn(e) => vec![
            ("examiner", json!(e.examiner)),
            ("disclose_until_ms", json!(e.deadline_ms.0)),
        ],
        Event::VerdictGiven(e) => vec![("accused", json!(e.bad))],
        Event::Committed(e) => vec![("committed", json!(e.juror))],
        Event::Revealed(e) => vec![("revealed", json!(e.juror))],
        Event::JuryDrawn(e) => vec![
            ("jurors", json!(e.nodes)),
            ("disclose_until_ms", json!(e.deadline_ms.0)),
        ],
        Event::JuryDecided(e) => vec![("verdict", json!(e.outcome))],
        Event::NodeConvicted(e) => vec![
            ("convicted", json!(e.node)),
            ("charge", json!(e.charge)),
            ("fine_micro_usdc", money(e.fine)),
            ("freed_micro_usdc", money(e.freed)),
            ("kept_micro_usdc", money(e.kept)),
        ],
        _ => Vec::new(),
    }
}
