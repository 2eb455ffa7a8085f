//! Records of a ticket: where one stands, and whether it backs a unit.

use crate::{Rule, ensure, verified::VerifiedMessages};
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, Stack, Ticket},
    hash::Hash32,
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
    let leaf = EvidenceLeaf::from_bytes(record).map_err(|_| AbortCode::RecordInvalid)?;
    let place = place(ticket, leaf.receipt_hash(), proof)?;
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

/// The number at which the ticket's last receipt binds the receipt of this hash: one of the ticket's own, for its
/// history may begin before them.
fn place(ticket: &Ticket, receipt: Hash32, proof: &[u8]) -> Rule<u64> {
    let proof = Proof::from_bytes(proof).map_err(|_| AbortCode::ProofInvalid)?;
    let place = ticket.last_receipt().place_of(receipt, &proof);
    place
        .filter(|seq| *seq > ticket.from_seq)
        .ok_or(AbortCode::ProofFails)
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
