//! Records of a settlement: where one stands in it, and whether it is what it should be.

use crate::{Rule, ensure, verified::VerifiedMessages};
use atoma_types::{
    chain::{AbortCode, Ticket},
    merkle::Proof,
    message::{EvidenceLeaf, Receipt, Signed},
};

/// A place in a settlement at which certain bytes were proven to stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The `seq` that belongs there.
    pub(super) seq: u64,
}

impl Place {
    /// Checks that the node settled exactly these bytes, and where among its records.
    pub(super) fn prove(record: &[u8], proof: &[u8], ticket: &Ticket) -> Rule<Self> {
        let proof = Proof::from_bytes(proof).map_err(|_| AbortCode::ProofInvalid)?;
        let holds = proof.count == ticket.count && proof.verify(record, ticket.receipts_root);
        ensure(holds, AbortCode::ProofFails)?;
        // a proof that holds has its index below its count
        Ok(Self {
            seq: proof.index.saturating_add(1),
        })
    }
}

/// The receipt of a record that is one: a request signed by the stack's request key and, at its place, the
/// node's receipt for it.
pub(super) fn check(
    messages: &VerifiedMessages<'_>,
    record: &[u8],
    seq: u64,
) -> Rule<Signed<Receipt>> {
    let leaf = EvidenceLeaf::from_bytes(record).map_err(|_| AbortCode::RecordInvalid)?;
    let key = messages.request_key()?;
    let header = messages.header(&leaf.header, &leaf.header_signature, &key)?;
    let receipt = messages.receipt(&leaf.receipt, &leaf.receipt_signature)?;
    ensure(receipt.message().seq == seq, AbortCode::ReceiptWrongSeq)?;
    ensure(
        receipt.message().request_hash == header.hash(),
        AbortCode::ReceiptWrongRequest,
    )?;
    Ok(receipt)
}
