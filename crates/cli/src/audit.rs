//! Audits: examinations and challenges of what nodes settled, whoever's they are, from the ledger's events.

mod say;

use crate::{
    client::client_folder,
    history,
    indexed::up_to_date,
    named::Named,
    output::{Facts, Output, money},
    settings::Settings,
};
use anyhow::{Result, ensure};
use atoma_evidence::dispute::{History, ticket_of};
use atoma_index::{AuditState, SettlementRow, SettlementState};
use clap::Subcommand;
use serde_json::json;

/// Rows that are shown at most: newest first.
const MOST_ROWS: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// All tickets of the network that were drawn to be examined, or challenged, and how that stands.
    List,
    /// The story of a stack's audits, step by step: who was drawn, what was shown, what each juror found.
    Show {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// Only this ticket, by the number of its last receipt.
        #[arg(long, value_name = "N")]
        ticket: Option<u64>,
    },
    /// Say what you found, if an attester of yours was drawn and its program is away: as examiner, or as juror first commit
    /// to it, then, by the same words, reveal it.
    Say(say::Say),
}

pub(crate) async fn run(command: AuditCommand, settings: Settings, output: &Output) -> Result<()> {
    let ledger = settings.ledger().await?;
    match command {
        AuditCommand::List => {
            let reader = up_to_date(&ledger, &settings.home, output).await?;
            let all = reader.snapshot(|reader| reader.settlements(MOST_ROWS))?;
            let rows = all.iter().filter(|row| is_audited(row)).map(row).collect();
            output.narrow_table(
                rows,
                &["examiner", "opened_at_ms"],
                "nothing was examined yet",
            );
        }
        AuditCommand::Say(words) => say::say(&words, &ledger, &settings, output).await?,
        AuditCommand::Show { stack, ticket } => {
            let stack = stack
                .known_stack(&ledger, &client_folder(&settings))
                .await?;
            let progress = output.progress("reading what has happened");
            let history = History::of(&ledger, stack).await;
            progress.finish_and_clear();
            let mut history = history?;
            let about = |event: &atoma_ledger::LedgerEvent| {
                ticket.is_none() || ticket_of(&event.event) == ticket
            };
            history.events.retain(about);
            let rows = history::rows(&ledger, &history).await;
            ensure!(
                !rows.is_empty() || !history.complete,
                "nothing of this stack was settled yet"
            );
            output.narrow_table(rows, &["ticket", "until_ms"], "nothing was found");
            if !history.complete {
                output.note("the ledger's history is long: not all of it was looked through");
            }
        }
    }
    Ok(())
}

fn is_audited(row: &SettlementRow) -> bool {
    [row.exam, row.challenge] != [AuditState::None; 2]
}

/// How far a ticket's examination is, in words.
pub(crate) fn examination(row: &SettlementRow) -> &'static str {
    match row.exam {
        AuditState::None => "-",
        AuditState::Missed => "not drawn",
        other => ended_otherwise(row, other).unwrap_or(other.as_str()),
    }
}

/// How far its challenge is.
pub(crate) fn challenge(row: &SettlementRow) -> &'static str {
    match row.challenge {
        AuditState::None => "-",
        AuditState::Accused => ended_otherwise(row, AuditState::Accused).unwrap_or("a jury sits"),
        other => other.as_str(),
    }
}

/// What was under way when the node's claim became void has no end of its own.
fn ended_otherwise(row: &SettlementRow, state: AuditState) -> Option<&'static str> {
    let open = [
        AuditState::Disclosing,
        AuditState::Examining,
        AuditState::Accused,
    ];
    let is_void = row.state == SettlementState::Struck && open.contains(&state);
    is_void.then_some("void: convicted")
}

fn row(row: &SettlementRow) -> Facts {
    vec![
        ("stack", json!(row.stack)),
        ("node", json!(row.node)),
        ("ticket", json!(row.to_seq)),
        ("value_micro_usdc", money(row.value)),
        ("examination", json!(examination(row))),
        ("examiner", json!(row.examiner)),
        ("challenge", json!(challenge(row))),
        ("state", json!(row.state.as_str())),
        ("opened_at_ms", json!(row.opened_ms.0)),
    ]
}
