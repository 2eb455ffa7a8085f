//! Disputes about settlements, by hand: nodes answer by themselves.

use crate::{
    client::client_folder,
    history,
    named::Named,
    output::{Facts, Output, money},
    settings::Settings,
};
use anyhow::{Context, Result, bail};
use atoma_client::{
    Receipts,
    dispute::{Claimed, Compared, Dispute, DisputeEvent, DisputeOutcome, History, SettledRecord},
};
use atoma_ledger::Ledger;
use atoma_types::{
    BlobId, ComputeUnits, NodeId, StackId,
    chain::{Exam, HitStage, Lease, Ticket},
    message::{Receipt, Signed},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Demand, for a fee, to see the record of a unit that a node settled; silence loses.
    Demand(Which),
    /// Stake a bond on that an answer is wrong: a jury of attesters decides (examined tasks).
    Challenge(Which),
    /// Show a record that is demanded of a node.
    Answer {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The unit that is demanded.
        unit: u64,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// The blob that holds the bodies.
        #[arg(long, value_name = "BLOB", required_unless_present = "bodies")]
        blob: Option<BlobId>,
        /// File with the sealed bodies, where they are not stored.
        #[arg(long, value_name = "FILE", conflicts_with = "blob")]
        bodies: Option<PathBuf>,
    },
    /// Show the tickets of a stack, and what was brought against them.
    Show {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
    },
    /// Convict a node that didn't answer a demand in time.
    Silence {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The unit that is demanded.
        unit: u64,
    },
    /// Convict a node by two receipts for one request.
    Equivocation {
        /// A receipt as `atoma receipt show` prints it (base64).
        first: String,
        /// Another one of the same request.
        second: String,
    },
}

/// Which unit it is about.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The request of a receipt on this machine: its last unit.
    #[arg(conflicts_with_all = ["receipt", "stack", "node", "unit"])]
    pub(crate) request: Option<Named>,
    /// A receipt from elsewhere, as `atoma receipt show` prints it (base64): its last unit.
    #[arg(long, value_name = "BASE64", conflicts_with_all = ["stack", "node", "unit"])]
    pub(crate) receipt: Option<String>,
    /// Without a receipt: the stack.
    #[arg(long, requires = "node")]
    pub(crate) stack: Option<Named>,
    /// The node that settled.
    #[arg(long, requires = "unit")]
    pub(crate) node: Option<Named>,
    /// Which unit, counted over the whole lease from 0.
    #[arg(long, requires = "stack")]
    pub(crate) unit: Option<u64>,
}

pub(crate) async fn run(
    command: DisputeCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let folder = client_folder(&settings);
    let step = match command {
        DisputeCommand::Show { stack } => {
            let stack = ledger.stack(stack.kept_stack(&folder)?).await?;
            let receipts = Receipts::open(&folder)?;
            let mut rows = Vec::new();
            for lease in &stack.leases {
                rows.extend(self::rows(lease, &receipts, stack.id)?);
            }
            let empty = "nothing of this stack is leased yet";
            output.narrow_table(rows, &["to_unit"], empty);
            let progress = output.progress("reading what has happened");
            let history = History::of(&ledger, stack.id).await;
            progress.finish_and_clear();
            let history = history?;
            if !history.events.is_empty() {
                output.say("\nwhat has happened:");
                let only_wide = ["ticket", "until_ms"];
                output.narrow_table(history::rows(&ledger, &history).await, &only_wide, "");
            }
            if !history.complete {
                output.note("the ledger's history is long: not all of it was looked through");
            }
            return Ok(());
        }
        DisputeCommand::Demand(which) => Dispute::Demand(which.claimed(&settings, &ledger).await?),
        DisputeCommand::Challenge(which) => {
            Dispute::Challenge(which.claimed(&settings, &ledger).await?)
        }
        DisputeCommand::Answer {
            stack,
            node,
            unit,
            evidence,
            blob,
            bodies,
        } => Dispute::Answer {
            claimed: Claimed {
                stack: stack.kept_stack(&folder)?,
                node: node.node(&ledger).await?,
                unit: ComputeUnits(unit),
            },
            record: read(&evidence)?,
            blob,
            bodies: match bodies {
                Some(path) => std::fs::read(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?,
                None => Vec::new(),
            },
        },
        DisputeCommand::Silence { stack, node, unit } => Dispute::Silence(Claimed {
            stack: stack.kept_stack(&folder)?,
            node: node.node(&ledger).await?,
            unit: ComputeUnits(unit),
        }),
        DisputeCommand::Equivocation { first, second } => Dispute::Equivocation {
            first: Signed::from_text(&first).context("the first receipt")?,
            second: Signed::from_text(&second).context("the second receipt")?,
        },
    };
    let outcome = step.submit(&ledger, &settings.key()?).await?;
    output.object(told(&outcome));
    Ok(())
}

impl Which {
    /// The unit: of a kept receipt, of another, or any.
    async fn claimed(self, settings: &Settings, ledger: &Ledger) -> Result<Claimed> {
        if let Some(request) = self.request {
            let receipts = Receipts::open(&client_folder(settings))?;
            let request = request.request(&receipts)?;
            let claimed = receipts.claimed(request)?;
            return claimed.with_context(|| {
                format!("no receipt of request {request} on this machine charges anything")
            });
        }
        if let Some(text) = self.receipt {
            let receipt: Signed<Receipt> = Signed::from_text(&text).context("the receipt")?;
            return Claimed::of(receipt.message()).context("the receipt charges nothing");
        }
        let (Some(stack), Some(node), Some(unit)) = (self.stack, self.node, self.unit) else {
            bail!(
                "name the request of a receipt on this machine, or a --receipt, or --stack, --node and --unit"
            );
        };
        Ok(Claimed {
            stack: stack.kept_stack(&client_folder(settings))?,
            node: node.node(ledger).await?,
            unit: ComputeUnits(unit),
        })
    }
}

fn read(path: &Path) -> Result<SettledRecord> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    SettledRecord::from_json(&text).with_context(|| format!("{} is no evidence", path.display()))
}

/// A lease without tickets, or one line for each ticket, and one for each demand.
fn rows(lease: &Lease, receipts: &Receipts, stack: StackId) -> Result<Vec<Facts>> {
    let row =
        |ticket: Option<&Ticket>, state: &str, unit: Option<u64>, until: Option<u64>| -> Facts {
            vec![
                ("node", json!(lease.node)),
                ("ticket", json!(ticket.map(|ticket| ticket.to_seq))),
                ("from_unit", json!(ticket.map(|ticket| ticket.from_units.0))),
                ("to_unit", json!(ticket.map(|ticket| ticket.to_units.0))),
                ("state", json!(state)),
                ("unit", json!(unit)),
                ("until_ms", json!(until)),
            ]
        };
    if lease.tickets.is_empty() {
        let state = if lease.closed {
            "closed"
        } else {
            "nothing claimed"
        };
        return Ok(vec![row(None, state, None, None)]);
    }
    let mut rows = Vec::new();
    for ticket in &lease.tickets {
        let (state, unit, until) = stage(ticket);
        rows.push(row(Some(ticket), state, unit, until));
        if let Compared::Differs(claimed) = receipts.compare(stack, lease.node, ticket)? {
            let unit = claimed.map(|claimed| claimed.unit.0);
            let until = Some(ticket.deadline_ms.0);
            rows.push(row(
                Some(ticket),
                "NOT AS YOUR RECEIPTS: demand it",
                unit,
                until,
            ));
        }
        if let Some(challenge) = &ticket.challenge {
            let state = match (challenge.over, &challenge.jury) {
                (true, _) => "challenge over",
                (false, Some(_)) => "challenged, a jury sits",
                (false, None) => "challenged",
            };
            rows.push(row(
                Some(ticket),
                state,
                challenge.unit.map(|unit| unit.0),
                None,
            ));
        }
        rows.extend(ticket.demands.iter().map(|demand| {
            let until = Some(demand.deadline_ms.0);
            row(Some(ticket), "demanded", Some(demand.unit.0), until)
        }));
    }
    Ok(rows)
}

/// Where a ticket stands, the unit that it is about, and until when.
fn stage(ticket: &Ticket) -> (&'static str, Option<u64>, Option<u64>) {
    let window = Some(ticket.deadline_ms.0);
    match &ticket.exam {
        Exam::None => ("claimed", None, window),
        Exam::Undrawn => ("claimed, not drawn yet", None, window),
        Exam::Drawn { .. } => ("claimed, drawn", None, window),
        Exam::Unexamined => ("claimed, nobody examined it", None, window),
        Exam::Hit(hit) => {
            let state = match hit.stage {
                HitStage::Disclosing => "the node must show it to the examiner",
                HitStage::Examining => "examined",
                HitStage::Accused => "accused",
                HitStage::Passed => "passed",
                HitStage::Cleared => "cleared",
            };
            (state, Some(hit.unit.0), Some(hit.deadline_ms.0))
        }
    }
}

/// What the ledger says came of it.
fn told(outcome: &DisputeOutcome) -> Facts {
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
                    ("collateral_left_micro_usdc", money(e.collateral)),
                    ("pardonable_until_ms", json!(e.until_ms.0)),
                ]);
            }
        }
    }
    facts
}
