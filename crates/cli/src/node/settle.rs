//! `atoma node settle`: a claim by hand. A node whose journal is lost no longer knows what it signed; whoever it served
//! does, and its owner claims by what they show.

use anyhow::{Context, Result, ensure};
use atoma_ledger::Ledger;
use atoma_types::{
    BlobId,
    chain::{Call, Clock, calls},
    message::{Receipt, RequestHeader, Signed},
};
use clap::Args;

/// What is claimed by.
#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// The lease's last receipt, as `atoma receipt show` prints it (base64).
    #[arg(long, value_name = "BASE64")]
    receipt: String,
    /// The header of its request, as printed there; where lanes ran side by side, of each lane's last one, lanes rising.
    #[arg(long = "header", value_name = "BASE64", required = true)]
    headers: Vec<String>,
    /// The blob that leads to all of its records, if they are stored.
    #[arg(long, value_name = "BLOB")]
    packs: Option<BlobId>,
}

impl Settle {
    /// The ledger's call that this becomes: it goes on from what the lease has claimed.
    pub(super) async fn call(&self, ledger: &Ledger) -> Result<Call> {
        let receipt: Signed<Receipt> = Signed::from_text(&self.receipt).context("the receipt")?;
        let said = receipt.message();
        let mut headers = Vec::with_capacity(self.headers.len());
        for text in &self.headers {
            let header: Signed<RequestHeader> = Signed::from_text(text).context("a header")?;
            let (stack, node) = (header.message().stack, header.message().node);
            ensure!(
                (stack, node) == (said.stack, said.node),
                "a header is of another lease than the receipt: of stack {stack} at node {node}"
            );
            headers.push(header);
        }
        let stack = ledger.stack(said.stack).await?;
        let lease = stack.lease(said.node);
        let lease = lease.with_context(|| format!("{} has no lease on this stack", said.node))?;
        let from_seq = lease.claimed_seq();
        ensure!(
            from_seq < said.seq,
            "all up to receipt {from_seq} is claimed already, and this is number {}",
            said.seq
        );
        let bytes = |header: &Signed<RequestHeader>| header.bytes().to_vec();
        let signature = |header: &Signed<RequestHeader>| header.signature().to_bytes();
        let settle = calls::Settle {
            stack: said.stack.into(),
            holder: said.node,
            from_seq,
            to_units: said.cumulative_units,
            to_seq: said.seq,
            headers: headers.iter().map(bytes).collect(),
            header_signatures: headers.iter().map(signature).collect(),
            last_receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
            manifest_blob: self.packs,
            clock: Clock,
        };
        Ok(settle.into())
    }
}
