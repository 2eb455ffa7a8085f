//! An owner accuses a node of a wrong answer. It pays a jury if it is wrong itself.

use super::terms;
use crate::{
    Rule, Txn, dispute, ensure,
    settlement::{self, ticket_mut},
};
use atoma_types::{
    Rule as Comparison,
    chain::{AbortCode, Challenge, calls::ChallengeTicket, events::Challenged},
};

/// Challenges a ticket, once, straight before a jury. Where one differing bit is proof, the owner names the
/// unit; where honest answers differ a little, the unit is drawn with the jury, for the worst of many honest ones
/// would be found guilty.
pub(crate) fn challenge(txn: &mut Txn<'_>, call: &ChallengeTicket) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    dispute::ensure_eyes(txn, &stack)?;
    let bond = call.bond.0;
    let (lease, ticket) = settlement::open_ticket(&stack, call.holder, call.ticket)?;
    let value = settlement::value(lease, ticket)?;
    ensure(bond >= terms(&stack)?.bond(value), AbortCode::WrongBond)?;
    ensure(txn.now() <= ticket.deadline_ms, AbortCode::WindowOver)?;
    ensure(ticket.challenge.is_none(), AbortCode::AlreadyChallenged)?;
    let unit = match stack.engine.rule {
        Comparison::Exact => {
            ensure(ticket.claims(call.unit), AbortCode::UnitNotSettled)?;
            Some(call.unit)
        }
        Comparison::Tolerant => None,
    };
    txn.take(bond)?;
    ticket_mut(&mut stack, call.holder, call.ticket)?.challenge = Some(Challenge {
        bond,
        unit,
        jury: None,
        over: false,
    });
    txn.emit(Challenged {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        bond,
        unit,
    });
    txn.put_stack(stack);
    Ok(())
}
