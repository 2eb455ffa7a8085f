//! Records of a ticket: where one stands, and whether it backs a unit.

use crate::{Rule, ensure, verified::VerifiedMessages};
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, Stack, Ticket},
    merkle::Proof,
    message::{EvidenceLeaf, Receipt, RequestHeader},
};

/// The `seq` of the record that is shown for a unit, once it is found proper: one that the node settled, of an
/// order of the owner's, at the tariff and within the order, for this unit.
pub(crate) fn show(
    messages: &VerifiedMessages<'_>,
    (stack, ticket): (&Stack, &Ticket),
    unit: ComputeUnits,
    (record, proof): (&[u8], &[u8]),
) -> Rule<u64> {
    let place = place(ticket, record, proof)?;
    let leaf = EvidenceLeaf::from_bytes(record).map_err(|_| AbortCode::RecordInvalid)?;
    let key = messages.request_key()?;
    let header = messages.header(&leaf.header, &leaf.header_signature, &key)?;
    let receipt = messages.receipt(&leaf.receipt, &leaf.receipt_signature)?;
    ensure(
        receipt.message().request_hash == header.hash(),
        AbortCode::ReceiptWrongRequest,
    )?;
    let receipt = receipt.message();
    ensure(receipt.seq == place, AbortCode::ReceiptWrongSeq)?;
    check_charge(stack, header.message(), receipt)?;
    let begin = receipt
        .cumulative_units
        .checked_sub(receipt.units)
        .ok_or(AbortCode::RecordWrongUnit)?;
    ensure(
        begin <= unit && unit < receipt.cumulative_units,
        AbortCode::RecordWrongUnit,
    )?;
    Ok(place)
}

/// The `seq` that belongs where the node settled exactly these bytes.
fn place(ticket: &Ticket, record: &[u8], proof: &[u8]) -> Rule<u64> {
    let proof = Proof::from_bytes(proof).map_err(|_| AbortCode::ProofInvalid)?;
    let count = ticket.to_seq.saturating_sub(ticket.from_seq);
    let holds = proof.count == count && proof.verify(record, ticket.receipts_root);
    ensure(holds, AbortCode::ProofFails)?;
    // a proof that holds has its index below its count
    Ok(ticket
        .from_seq
        .saturating_add(proof.index)
        .saturating_add(1))
}

/// Whether what was charged is what the task's model costs, and no more than was ordered.
fn check_charge(stack: &Stack, order: &RequestHeader, receipt: &Receipt) -> Rule {
    ensure(
        receipt.engine == stack.engine,
        AbortCode::ReceiptWrongEngine,
    )?;
    // usage too large to be counted costs more than any receipt can say
    let tariff = stack.weights.units(&receipt.usage);
    ensure(
        tariff.is_none_or(|tariff| receipt.units <= tariff),
        AbortCode::RecordOverTariff,
    )?;
    ensure(receipt.units <= order.max_units, AbortCode::RecordOverOrder)
}
