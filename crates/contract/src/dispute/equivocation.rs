//! One request charged twice.

use super::convict::Case;
use crate::{Rule, Txn, ensure, verified::VerifiedMessages};
use atoma_types::chain::{AbortCode, calls::ProveEquivocation, events::Charge};

/// Convicts a node by two different receipts for one request, while a ticket of the lease is open. Anyone may.
///
/// Two receipts for one `seq` convict nobody: a node that lost its journal goes on from what the ledger says it
/// was paid for, and so makes a second chain without charging anyone twice.
pub(crate) fn equivocation(txn: &mut Txn<'_>, call: &ProveEquivocation) -> Rule {
    let case = Case::load(txn, call.stack.id(), call.task.id(), call.node.id())?;
    ensure(!case.lease()?.tickets.is_empty(), AbortCode::NoTicket)?;
    let messages = VerifiedMessages::new(txn, case.stack(), case.lease()?);
    let first = messages.receipt(&call.first, &call.first_signature)?;
    let second = messages.receipt(&call.second, &call.second_signature)?;
    let twice = first.message().request_hash == second.message().request_hash
        && first.bytes() != second.bytes();
    ensure(twice, AbortCode::ReceiptsAgree)?;
    case.convict(txn, Charge::Equivocation)
}
