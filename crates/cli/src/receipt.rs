//! The receipts kept on this machine.

use crate::{
    client::{self, client_folder},
    named::Named,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result, ensure};
use atoma_client::{KeptReceipt, Receipts, SecondRecord};
use atoma_ledger::Ledger;
use atoma_runtime::WithCauses;
use atoma_types::{
    NetworkId,
    message::{Receipt, Signed},
};
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// List the receipts kept on this machine.
    List {
        /// Of this stack only.
        #[arg(long)]
        stack: Option<Named>,
        /// Those of networks other than the one in use as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one and check it again.
    Show {
        /// The request's id or a beginning of it, as `atoma receipt list` shows it.
        request: Named,
    },
}

pub(crate) async fn run(
    command: ReceiptCommand,
    settings: Settings,
    output: &Output,
) -> Result<()> {
    match command {
        ReceiptCommand::List { stack, all } => {
            // receipts stand on this machine: no ledger is needed to list them
            let receipts = Receipts::open(&client_folder(&settings))?;
            let folder = client_folder(&settings);
            let stack = stack.map(|stack| stack.kept_stack(&folder)).transpose()?;
            let receipts = receipts.list(stack)?;
            // whoever names a stack means it, wherever it is
            let here = if all || stack.is_some() || receipts.is_empty() {
                None
            } else {
                settings.ledger().await.ok().map(|ledger| ledger.network())
            };
            list(&receipts, here, output)?;
        }
        ReceiptCommand::Show { request } => {
            let receipts = Receipts::open(&client_folder(&settings))?;
            let request = request.request(&receipts)?;
            let kept = receipts
                .show(request)?
                .with_context(|| format!("no receipt of request {request} on this machine"))?;
            show(&kept, &settings, output).await?;
        }
    }
    Ok(())
}

/// Shows a receipt, and checks it again: what stands on this machine in any case, its signatures where its ledger can be
/// asked whose key it is.
async fn show(kept: &KeptReceipt, settings: &Settings, output: &Output) -> Result<()> {
    let (signed, header) = (kept.signed()?, kept.signed_header()?);
    ensure!(
        signed.message().request_hash == header.hash(),
        "the receipt is for another request than the one kept beside it"
    );
    let mut facts = details(&signed);
    let record = kept.second_record()?;
    if let Some(record) = &record {
        record.check(&header, signed.message())?;
        facts.extend(second(record));
    }
    let ledger = match settings.ledger().await {
        Ok(ledger) if ledger.network() == signed.message().network => Ok(ledger),
        Ok(_) => Err("it is of another network than the one in use".to_owned()),
        Err(error) => Err(WithCauses(error.as_ref()).to_string()),
    };
    let checked = ledger.is_ok();
    match ledger {
        Ok(ledger) => check_signatures(kept, &signed, (&ledger, settings), record.as_ref()).await?,
        Err(why) => output.note(format!(
            "its signature isn't checked again, as it was when it came: {why}"
        )),
    }
    facts.push(("header", json!(header.to_text())));
    facts.push(("signature_checked", json!(checked)));
    output.object(facts);
    Ok(())
}

/// That the nodes that the ledger names have signed it.
async fn check_signatures(
    kept: &KeptReceipt,
    signed: &Signed<Receipt>,
    (ledger, settings): (&Ledger, &Settings),
    record: Option<&SecondRecord>,
) -> Result<()> {
    // the node's key of when its lease began, whatever its key is now
    let stack = ledger.stack(kept.stack).await?;
    let lease = stack.lease(kept.node);
    let key = lease.context("the node has no lease of the stack")?.key;
    signed
        .verify(&key)
        .context("the receipt is NOT signed by the node's key on the ledger")?;
    if let Some(record) = record {
        let client = client::open(settings, None).await?;
        client.check_second(record).await?;
    }
    Ok(())
}

/// Lists the receipts of the network in use, if it is known, else all.
fn list(receipts: &[KeptReceipt], here: Option<NetworkId>, output: &Output) -> Result<()> {
    let (mut rows, mut others) = (Vec::new(), 0);
    for kept in receipts {
        let signed = kept.signed()?;
        if here.is_some_and(|here| here != signed.message().network) {
            others += 1;
        } else {
            rows.push(summary(kept, signed.message()));
        }
    }
    let empty = match others {
        0 => "no receipts yet: ask something with `atoma chat`",
        _ => "no receipts of this network yet",
    };
    output.narrow_table(
        rows,
        &["seq", "cumulative_units", "network", "fault"],
        empty,
    );
    if others > 0 {
        let are = if others == 1 {
            "receipt of another network is"
        } else {
            "receipts of other networks are"
        };
        output.note(format!("{others} {are} not shown: --all shows them"));
    }
    Ok(())
}

fn summary(kept: &KeptReceipt, receipt: &Receipt) -> Facts {
    let mut facts = brief(receipt);
    facts.push(("received_at_ms", json!(kept.received.0)));
    facts.push(("network", json!(receipt.network)));
    facts.push(("fault", json!(kept.fault)));
    facts
}

fn brief(receipt: &Receipt) -> Facts {
    vec![
        ("request", json!(receipt.request_id)),
        ("stack", json!(receipt.stack)),
        ("seq", json!(receipt.seq)),
        ("input_tokens", json!(receipt.usage.prompt_tokens())),
        ("output_tokens", json!(receipt.usage.output)),
        ("units", json!(receipt.units.0)),
        ("cumulative_units", json!(receipt.cumulative_units.0)),
    ]
}

/// What the record says of the node that computed the answer, where the request was passed on.
pub(crate) fn second(record: &SecondRecord) -> Facts {
    let receipt = record.receipt().message();
    vec![
        ("second_node", json!(receipt.node)),
        ("second_stack", json!(receipt.stack)),
        ("second_request", json!(receipt.request_id)),
        ("second_seq", json!(receipt.seq)),
        ("second_units", json!(receipt.units.0)),
        ("second_record", json!(record.to_text())),
    ]
}

/// All that a receipt says.
pub(crate) fn details(signed: &Signed<Receipt>) -> Facts {
    let receipt = signed.message();
    let mut facts = brief(receipt);
    facts.extend([
        ("node", json!(receipt.node)),
        ("cached_input_tokens", json!(receipt.usage.cached_input)),
        ("request_hash", json!(receipt.request_hash)),
        ("response_hash", json!(receipt.response_hash)),
        ("previous", json!(receipt.previous)),
        ("base", json!(receipt.base)),
        ("history", json!(receipt.history)),
        ("model", json!(receipt.engine.model)),
        ("numerics", json!(receipt.engine.numerics.as_str())),
        ("fingerprint", json!(receipt.output_fingerprint)),
        (
            "first_token_ms",
            json!(
                receipt
                    .times
                    .first_token_ms
                    .since(receipt.times.started_ms)
                    .0
            ),
        ),
        (
            "total_ms",
            json!(receipt.times.finished_ms.since(receipt.times.started_ms).0),
        ),
        ("receipt", json!(signed.to_text())),
    ]);
    facts
}
