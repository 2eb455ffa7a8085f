//! Disputes about settlements, by hand: nodes answer by themselves.

use crate::{
    client::client_folder,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result, bail};
use atoma_client::Receipts;
use atoma_ledger::{Executed, Ledger};
use atoma_types::{
    NodeId, ObjectId, RequestId, StackId,
    chain::{Call, Event, Lease, LeaseState},
    merkle::Proof,
    message::{EvidenceLeaf, Receipt, RequestHeader, Signed},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Demand, against a bond, to see a record that a node settled; silence loses.
    Open(OpenDispute),
    /// Show a record that is demanded of a node.
    Answer {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// Object of the certified blob that holds the record; the acting address owns it.
        #[arg(long, value_name = "OBJECT")]
        blob: ObjectId,
    },
    /// Show the disputes of a stack.
    Show {
        /// The stack.
        stack: StackId,
    },
    /// End a dispute that the node didn't answer in time.
    Resolve {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
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
    pub(crate) request: Option<RequestId>,
    /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
    #[arg(long, value_name = "BASE64", conflicts_with_all = ["stack", "node", "seq"])]
    pub(crate) receipt: Option<String>,
    /// Without a receipt: the stack.
    #[arg(long, requires = "node")]
    pub(crate) stack: Option<StackId>,
    /// The node that settled.
    #[arg(long, requires = "seq")]
    pub(crate) node: Option<NodeId>,
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
        /// Another.
        second: String,
    },
    /// By a receipt that charges too much.
    OverClaim {
        /// The request of a receipt on this machine.
        #[arg(conflicts_with_all = ["receipt", "header"], required_unless_present = "receipt")]
        request: Option<RequestId>,
        /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
        #[arg(long, value_name = "BASE64")]
        receipt: Option<String>,
        /// The header of the order that it is for (base64 of header and signature).
        #[arg(long, value_name = "BASE64", requires = "receipt")]
        header: Option<String>,
    },
    /// By a settled record that isn't an order of the owner's with its receipt.
    Forged {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
}

/// A record with the proof that it was settled, as a file: base64 of their BCS.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceFile {
    record: String,
    proof: String,
}

pub(crate) async fn run(
    command: DisputeCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    let ledger = settings.ledger().await?;
    let call = match command {
        DisputeCommand::Show { stack } => {
            let stack = ledger.stack(stack).await?;
            let rows = stack.leases.iter().flat_map(rows).collect();
            output.table(rows, "nothing of this stack is leased yet");
            return Ok(());
        }
        DisputeCommand::Open(open) => demand(&ledger, &settings, &open).await?,
        DisputeCommand::Answer {
            stack,
            node,
            evidence,
            blob,
        } => {
            let (record, proof) = read(&evidence)?;
            let record = EvidenceLeaf::from_bytes(&record).context("the file's record")?;
            ledger.answer_dispute(stack, node, blob, &record, &proof)
        }
        DisputeCommand::Resolve { stack, node, seq } => {
            let stack = ledger.stack(stack).await?;
            ledger.resolve_dispute(&stack, node, seq)
        }
        DisputeCommand::Prove(proven) => prove(&ledger, &settings, proven).await?,
    };
    let executed = ledger.execute(&settings.key()?, vec![call]).await?;
    output.object(outcome(&executed));
    Ok(())
}

/// The demand for a record: of a kept receipt, or of any `seq`.
async fn demand(ledger: &Ledger, settings: &Settings, open: &OpenDispute) -> Result<Call> {
    let receipt = match (open.request, &open.receipt) {
        (Some(request), _) => Some(kept(settings, request)?.0),
        (None, Some(text)) => Some(Signed::<Receipt>::from_text(text).context("the receipt")?),
        (None, None) => None,
    };
    if let Some(receipt) = receipt {
        let message = receipt.message();
        let stack = ledger.stack(message.stack).await?;
        return Ok(ledger.open_dispute(&stack, message.node, message.seq, Some(&receipt)));
    }
    let (Some(stack), Some(node), Some(seq)) = (open.stack, open.node, open.seq) else {
        bail!(
            "name the request of a receipt on this machine, or a --receipt, or --stack, --node and --seq"
        );
    };
    let stack = ledger.stack(stack).await?;
    Ok(ledger.open_dispute(&stack, node, seq, None))
}

async fn prove(ledger: &Ledger, settings: &Settings, proven: Proven) -> Result<Call> {
    match proven {
        Proven::Equivocation { first, second } => {
            let first = Signed::<Receipt>::from_text(&first).context("the first receipt")?;
            let second = Signed::<Receipt>::from_text(&second).context("the second receipt")?;
            let stack = ledger.stack(first.message().stack).await?;
            Ok(ledger.prove_equivocation(&stack, &first, &second))
        }
        Proven::OverClaim {
            request,
            receipt,
            header,
        } => {
            let (receipt, header) = match (request, receipt) {
                (Some(request), _) => {
                    let (receipt, header) = kept(settings, request)?;
                    (receipt, Some(header))
                }
                (None, Some(receipt)) => {
                    let receipt = Signed::<Receipt>::from_text(&receipt).context("the receipt")?;
                    let header = header.map(|text| Signed::<RequestHeader>::from_text(&text));
                    (receipt, header.transpose().context("the header")?)
                }
                (None, None) => {
                    bail!("name the request of a receipt on this machine, or a --receipt")
                }
            };
            let stack = ledger.stack(receipt.message().stack).await?;
            Ok(ledger.prove_over_claim(&stack, &receipt, header.as_ref()))
        }
        Proven::Forged {
            stack,
            node,
            evidence,
        } => {
            let (record, proof) = read(&evidence)?;
            let stack = ledger.stack(stack).await?;
            Ok(ledger.prove_forged_request(&stack, node, record, &proof))
        }
    }
}

/// A receipt kept on this machine, and the order that it is for.
fn kept(
    settings: &Settings,
    request: RequestId,
) -> Result<(Signed<Receipt>, Signed<RequestHeader>)> {
    let kept = Receipts::open(&client_folder(settings))?
        .show(request)?
        .with_context(|| format!("no receipt of request {request} on this machine"))?;
    Ok((kept.signed()?, kept.signed_header()?))
}

fn read(path: &Path) -> Result<(Vec<u8>, Proof)> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file: EvidenceFile = serde_json::from_str(&text)
        .with_context(|| format!("{} is no evidence", path.display()))?;
    let record = BASE64_STANDARD.decode(file.record).context("the record")?;
    let proof = BASE64_STANDARD.decode(file.proof).context("the proof")?;
    Ok((record, Proof::from_bytes(&proof).context("the proof")?))
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
            ("bond", bond),
            ("receipt", receipt),
            ("answer_by_ms", deadline),
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
                    json!(dispute.bond.0),
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
fn outcome(executed: &Executed) -> Facts {
    let mut facts: Facts = vec![("transaction", json!(executed.digest.to_string()))];
    let party = |stack: &StackId, node: &NodeId| -> Facts {
        vec![("stack", json!(stack)), ("node", json!(node))]
    };
    for event in &executed.events {
        match event {
            Event::DisputeOpened(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("opened")),
                    ("seq", json!(e.seq)),
                    ("bond", json!(e.bond.0)),
                    ("answer_by_ms", json!(e.deadline_ms.0)),
                ]);
            }
            Event::DisputeAnswered(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("answered")),
                    ("seq", json!(e.seq)),
                    ("bond_to_node", json!(e.bond.0)),
                    ("blob_id", json!(e.blob_id)),
                ]);
            }
            Event::NodeConvicted(e) => {
                facts.extend(party(&e.stack, &e.node));
                facts.extend([
                    ("outcome", json!("convicted")),
                    ("charge", json!(e.charge)),
                    ("refunded", json!(e.refunded.0)),
                    ("bonds_returned", json!(e.bonds.0)),
                    ("slashed_to_owner", json!(e.to_owner.0)),
                    ("slashed_to_treasury", json!(e.to_treasury.0)),
                    ("collateral_left", json!(e.collateral.0)),
                ]);
            }
            _ => {}
        }
    }
    facts
}
