//! The disputes without an answer: bytes that the node signed or settled prove its guilt.

use super::{
    record::{self, Place},
    verdict::Case,
};
use crate::{Rule, Txn, ensure};
use atoma_types::{
    chain::{
        AbortCode, Task, Ticket,
        calls::{ProveEquivocation, ProveForgedRequest, ProveOverClaim},
        events::Charge,
    },
    message::{Receipt, RequestHeader, Signed},
};

/// Two receipts of one lease that can't both be honest. Anyone may.
pub(crate) fn equivocation(txn: &mut Txn<'_>, call: &ProveEquivocation) -> Rule {
    let case = Case::load(
        txn,
        call.db.id(),
        call.stack.id(),
        call.task.id(),
        call.node.id(),
    )?;
    let messages = case.messages(txn);
    let first = messages.receipt(&call.first, &call.first_signature)?;
    let second = messages.receipt(&call.second, &call.second_signature)?;
    ensure(contradict(&first, &second), AbortCode::ReceiptsAgree)?;
    case.convict(txn, Charge::Equivocation)
}

/// Whether no honest node signs both. The receipts of a lease are one chain: each `seq` once, each
/// request once, each sum the one before and the receipt's own units.
fn contradict(one: &Signed<Receipt>, other: &Signed<Receipt>) -> bool {
    if one.bytes() == other.bytes() {
        return false;
    }
    let (earlier, later) = if one.message().seq <= other.message().seq {
        (one, other)
    } else {
        (other, one)
    };
    let (before, after) = (earlier.message(), later.message());
    let same_place = before.seq == after.seq;
    let charged_twice = before.request_hash == after.request_hash;
    let sum = u128::from(before.cumulative_units.0) + u128::from(after.units.0);
    let grew = u128::from(after.cumulative_units.0);
    let adjacent = before.seq.checked_add(1) == Some(after.seq);
    let broken = adjacent && (after.previous != earlier.hash() || grew != sum);
    same_place || charged_twice || grew < sum || broken
}

/// A receipt that charges too much: above the task's tariff, above what its request allows, or above
/// what the settlement leaves it. Anyone may.
pub(crate) fn over_claim(txn: &mut Txn<'_>, call: &ProveOverClaim) -> Rule {
    let case = Case::load(
        txn,
        call.db.id(),
        call.stack.id(),
        call.task.id(),
        call.node.id(),
    )?;
    let messages = case.messages(txn);
    let receipt = messages.receipt(&call.receipt, &call.receipt_signature)?;
    let header = if call.header.is_empty() && call.header_signature.is_empty() {
        None
    } else {
        let key = messages.request_key()?;
        let header = messages.header(&call.header, &call.header_signature, &key)?;
        ensure(
            receipt.message().request_hash == header.hash(),
            AbortCode::ReceiptWrongRequest,
        )?;
        Some(header)
    };
    let request = header.as_ref().map(Signed::message);
    let charged = overcharges(receipt.message(), &case.task, request, case.ticket()?);
    ensure(charged, AbortCode::ChargeAllowed)?;
    case.convict(txn, Charge::OverClaim)
}

fn overcharges(
    receipt: &Receipt,
    task: &Task,
    request: Option<&RequestHeader>,
    ticket: Option<&Ticket>,
) -> bool {
    // usage too large to be counted costs more than any receipt can say
    let tariff = task.weights.units(&receipt.usage);
    let above_tariff = tariff.is_some_and(|tariff| receipt.units > tariff);
    let above_request = request.is_some_and(|request| receipt.units > request.max_units);
    let sum_from_nowhere = receipt.seq == 1 && receipt.cumulative_units > receipt.units;
    // sums never fall, so from the last settled receipt on none is below the claim
    let below_the_claim = ticket.is_some_and(|ticket| {
        receipt.seq >= ticket.count && receipt.cumulative_units < ticket.claimed_units
    });
    above_tariff || above_request || sum_from_nowhere || below_the_claim
}

/// A record that the node settled, and that isn't an order of the owner's with its receipt. Anyone
/// may.
pub(crate) fn forged_request(txn: &mut Txn<'_>, call: &ProveForgedRequest) -> Rule {
    let case = Case::load(
        txn,
        call.db.id(),
        call.stack.id(),
        call.task.id(),
        call.node.id(),
    )?;
    let ticket = case.ticket()?.ok_or(AbortCode::NotSettling)?;
    let place = Place::prove(&call.record, &call.proof, ticket)?;
    let genuine = record::check(&case.messages(txn), &call.record, place.seq).is_ok();
    ensure(!genuine, AbortCode::RecordGenuine)?;
    case.convict(txn, Charge::ForgedRequest)
}
