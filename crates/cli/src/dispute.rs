//! Disputes about settlements, by hand: nodes answer by themselves.

use crate::{
    client::client_folder,
    named::Named,
    output::{Facts, Output, money},
    settings::Settings,
};
use anyhow::{Context, Result, bail};
use atoma_client::{
    Receipts,
    dispute::{Demand, Dispute, DisputeEvent, DisputeOutcome, Fraud, SettledRecord},
};
use atoma_ledger::Ledger;
use atoma_types::{
    NodeId, ObjectId, RequestId, StackId,
    chain::{Lease, LeaseState},
    message::Signed,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Demand, against a bond, to see a record that a node settled; silence loses.
    Open(OpenDispute),
    /// Show a record that is demanded of a node.
    Answer {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// Object of the certified blob that holds the record; the acting address owns it.
        #[arg(long, value_name = "OBJECT")]
        blob: ObjectId,
    },
    /// Show the disputes of a stack.
    Show {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
    },
    /// End a dispute that the node didn't answer in time.
    Resolve {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// Which record was demanded.
        seq: u64,
    },
    /// Prove fraud; the node is punished at once.
    #[command(subcommand)]
    Prove(Proven),
}

#[derive(Debug, Args)]
pub(crate) struct OpenDispute {
    /// The request of a receipt on this machine: its record must have just this receipt.
    #[arg(conflicts_with_all = ["receipt", "stack", "node", "seq"])]
    pub(crate) request: Option<Named>,
    /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
    #[arg(long, value_name = "BASE64", conflicts_with_all = ["stack", "node", "seq"])]
    pub(crate) receipt: Option<String>,
    /// Without a receipt: the stack.
    #[arg(long, requires = "node")]
    pub(crate) stack: Option<Named>,
    /// The node that settled.
    #[arg(long, requires = "seq")]
    pub(crate) node: Option<Named>,
    /// Which record, from 1 to the settlement's count.
    #[arg(long, requires = "stack")]
    pub(crate) seq: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Proven {
    /// By two receipts that contradict each other.
    Equivocation {
        /// A receipt as `atoma receipt show` prints it (base64).
        first: String,
        /// Another one of the same node and stack.
        second: String,
    },
    /// By a receipt that charges too much.
    OverClaim {
        /// The request of a receipt on this machine.
        #[arg(conflicts_with_all = ["receipt", "header"], required_unless_present = "receipt")]
        request: Option<Named>,
        /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
        #[arg(long, value_name = "BASE64")]
        receipt: Option<String>,
        /// The header of the order that it is for (base64 of header and signature).
        #[arg(long, value_name = "BASE64", requires = "receipt")]
        header: Option<String>,
    },
    /// By a settled record that isn't an order of the owner's with its receipt.
    Forged {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
}

pub(crate) async fn run(
    command: DisputeCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let step = match command {
        DisputeCommand::Show { stack } => {
            let stack = stack.kept_stack(&client_folder(&settings))?;
            let stack = ledger.stack(stack).await?;
            let rows = stack.leases.iter().flat_map(rows).collect();
            let empty = "nothing of this stack is leased yet";
            output.narrow_table(rows, &["receipt"], empty);
            return Ok(());
        }
        DisputeCommand::Open(open) => open.step(&settings, &ledger).await?,
        DisputeCommand::Answer {
            stack,
            node,
            evidence,
            blob,
        } => Dispute::Answer {
            stack: stack.kept_stack(&client_folder(&settings))?,
            node: node.node(&ledger).await?,
            blob,
            record: read(&evidence)?,
        },
        DisputeCommand::Resolve { stack, node, seq } => Dispute::Resolve {
            stack: stack.kept_stack(&client_folder(&settings))?,
            node: node.node(&ledger).await?,
            seq,
        },
        DisputeCommand::Prove(proven) => proven.step(&settings, &ledger).await?,
    };
    let outcome = step.submit(&ledger, &settings.key()?).await?;
    output.object(told(&outcome));
    Ok(())
}

impl OpenDispute {
    /// The demand for a record: of a kept receipt, of another, or of any `seq`.
    async fn step(self, settings: &Settings, ledger: &Ledger) -> Result<Dispute> {
        if let Some(request) = self.request {
            let receipts = receipts(settings)?;
            let request = request.request(&receipts)?;
            return kept(request, receipts.demand(request)?);
        }
        if let Some(text) = self.receipt {
            let receipt = Signed::from_text(&text).context("the receipt")?;
            return Ok(Dispute::Open(Demand::Receipt(receipt)));
        }
        let (Some(stack), Some(node), Some(seq)) = (self.stack, self.node, self.seq) else {
            bail!(
                "name the request of a receipt on this machine, or a --receipt, or --stack, --node and --seq"
            );
        };
        let stack = stack.kept_stack(&client_folder(settings))?;
        let node = node.node(ledger).await?;
        Ok(Dispute::Open(Demand::Seq { stack, node, seq }))
    }
}

impl Proven {
    async fn step(self, settings: &Settings, ledger: &Ledger) -> Result<Dispute> {
        Ok(Dispute::Prove(match self {
            Self::Equivocation { first, second } => Fraud::Equivocation {
                first: Signed::from_text(&first).context("the first receipt")?,
                second: Signed::from_text(&second).context("the second receipt")?,
            },
            Self::OverClaim {
                request: Some(request),
                ..
            } => {
                let receipts = receipts(settings)?;
                let request = request.request(&receipts)?;
                return kept(request, receipts.over_claim(request)?);
            }
            Self::OverClaim {
                request: None,
                receipt,
                header,
            } => {
                let Some(receipt) = receipt else {
                    bail!("name the request of a receipt on this machine, or a --receipt")
                };
                let header = header.map(|text| Signed::from_text(&text));
                Fraud::OverClaim {
                    receipt: Signed::from_text(&receipt).context("the receipt")?,
                    header: header.transpose().context("the header")?,
                }
            }
            Self::Forged {
                stack,
                node,
                evidence,
            } => Fraud::Forged {
                stack: stack.kept_stack(&client_folder(settings))?,
                node: node.node(ledger).await?,
                record: read(&evidence)?,
            },
        }))
    }
}

fn receipts(settings: &Settings) -> Result<Receipts> {
    Ok(Receipts::open(&client_folder(settings))?)
}

fn kept(request: RequestId, step: Option<Dispute>) -> Result<Dispute> {
    step.with_context(|| format!("no receipt of request {request} on this machine"))
}

fn read(path: &Path) -> Result<SettledRecord> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    SettledRecord::from_json(&text).with_context(|| format!("{} is no evidence", path.display()))
}

/// A lease without disputes, or one line for each.
fn rows(lease: &Lease) -> Vec<Facts> {
    let row = |state: &str| -> Facts {
        vec![
            ("node", json!(lease.node)),
            ("lease", json!(state)),
            ("convicted", json!(lease.convicted)),
        ]
    };
    let of = |seq, bond, receipt, deadline| -> Facts {
        vec![
            ("seq", seq),
            ("bond_micro_usdc", bond),
            ("receipt", receipt),
            ("answer_until_ms", deadline),
        ]
    };
    let none = || of(json!(null), json!(null), json!(null), json!(null));
    match &lease.state {
        LeaseState::Settling(ticket) if !ticket.disputes.is_empty() => ticket
            .disputes
            .iter()
            .map(|dispute| {
                let mut facts = row("disputed");
                facts.extend(of(
                    json!(dispute.seq),
                    money(dispute.bond),
                    json!(dispute.receipt),
                    json!(dispute.deadline_ms.0),
                ));
                facts
            })
            .collect(),
        LeaseState::Settling(_) => vec![[row("settling"), none()].concat()],
        LeaseState::Open => vec![[row("open"), none()].concat()],
        LeaseState::Closed { .. } => vec![[row("closed"), none()].concat()],
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
            DisputeEvent::Opened(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("opened")),
                    ("seq", json!(e.seq)),
                    ("bond_micro_usdc", money(e.bond)),
                    ("answer_until_ms", json!(e.deadline_ms.0)),
                ]);
            }
            DisputeEvent::Answered(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("answered")),
                    ("seq", json!(e.seq)),
                    ("bond_to_node_micro_usdc", money(e.bond)),
                    ("blob_id", json!(e.blob_id)),
                ]);
            }
            DisputeEvent::Convicted(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("convicted")),
                    ("charge", json!(e.charge)),
                    ("refunded_micro_usdc", money(e.refunded)),
                    ("bonds_returned_micro_usdc", money(e.bonds)),
                    ("slashed_to_owner_micro_usdc", money(e.to_owner)),
                    ("slashed_to_treasury_micro_usdc", money(e.to_treasury)),
                    ("collateral_left_micro_usdc", money(e.collateral)),
                ]);
            }
        }
    }
    facts
}
