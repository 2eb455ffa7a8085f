//! A stack by itself.

use super::violation::{Violation, must};
use crate::limits::{MAX_CANDIDATES, MAX_DEMANDS, MAX_LEASES, MAX_TICKETS};
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{Exam, HitStage, Jury, Lease, Stack, Ticket},
};
use std::collections::BTreeSet;

pub(super) fn check(stack: &Stack) -> Result<(), Violation> {
    let id = &stack.id;
    must(
        stack.escrow_for(stack.live_units()) == Some(stack.escrow),
        id,
        "the escrow is what ungranted and leased units need",
    )?;
    must(stack.leases.len() <= MAX_LEASES, id, "leases are few")?;
    let nodes: BTreeSet<_> = stack.leases.iter().map(|lease| lease.node).collect();
    must(
        nodes.len() == stack.leases.len(),
        id,
        "a node has one lease",
    )?;
    let candidates: BTreeSet<_> = stack.candidates.iter().copied().collect();
    must(
        candidates.len() == stack.candidates.len()
            && candidates.len() <= usize::from(MAX_CANDIDATES),
        id,
        "candidates are distinct and few",
    )?;
    must(
        candidates.is_empty() || nodes.is_subset(&candidates),
        id,
        "only candidates hold leases",
    )?;
    stack
        .leases
        .iter()
        .try_for_each(|lease| check_lease(stack, lease))
}

fn check_lease(stack: &Stack, lease: &Lease) -> Result<(), Violation> {
    let id = &(stack.id, lease.node);
    must(
        lease.price <= stack.max_price,
        id,
        "no lease costs more than the stack's price",
    )?;
    must(
        lease.paid_units <= lease.units,
        id,
        "no more is paid than was leased",
    )?;
    must(
        !lease.closed || (lease.tickets.is_empty() && lease.fees == MicroUsdc::ZERO),
        id,
        "nothing comes of a closed lease",
    )?;
    must(lease.tickets.len() <= MAX_TICKETS, id, "tickets are few")?;
    let mut from = (lease.paid_units, lease.paid_seq);
    for ticket in &lease.tickets {
        must(
            from == (ticket.from_units, ticket.from_seq)
                && ticket.from_units < ticket.to_units
                && ticket.from_seq < ticket.to_seq,
            id,
            "each ticket claims more than what is paid or claimed",
        )?;
        from = (ticket.to_units, ticket.to_seq);
        check_ticket(stack, ticket, id)?;
    }
    must(from.0 <= lease.units, id, "tickets are within their lease")
}

fn check_ticket(stack: &Stack, ticket: &Ticket, id: &dyn std::fmt::Debug) -> Result<(), Violation> {
    let units: BTreeSet<_> = ticket.demands.iter().map(|demand| demand.unit).collect();
    must(
        units.len() == ticket.demands.len()
            && units.len() <= MAX_DEMANDS
            && units.iter().all(|&unit| ticket.claims(unit)),
        id,
        "demands are few, and each is for another claimed unit",
    )?;
    must(
        stack.terms.sampling.is_some() == (ticket.exam != Exam::None),
        id,
        "what samples is examined",
    )?;
    let accused = matches!(&ticket.exam, Exam::Hit(hit) if hit.stage == HitStage::Accused);
    must(
        accused || ticket.exam_bond == MicroUsdc::ZERO,
        id,
        "a bond stands behind an accusation",
    )
}

/// Money that lies in a stack's leases.
pub(super) fn held(stack: &Stack) -> impl Iterator<Item = MicroUsdc> {
    stack.leases.iter().flat_map(|lease| {
        let tickets = lease.tickets.iter();
        let in_tickets = tickets.flat_map(|ticket| {
            let challenge = ticket.challenge.iter();
            let demands = ticket.demands.iter().map(|demand| demand.fee);
            demands
                .chain(challenge.map(|challenge| challenge.bond))
                .chain([ticket.exam_bond])
        });
        in_tickets.chain([lease.fees])
    })
}

/// Attesters with a duty in a ticket, one entry for each duty.
pub(super) fn on_duty(ticket: &Ticket) -> Vec<NodeId> {
    let examiner = match &ticket.exam {
        Exam::Hit(hit) => Some(hit.examiner.node),
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => None,
    };
    let challenge = ticket.challenge.as_ref();
    let juries: [Option<&Jury>; 2] = [
        ticket.exam_jury.as_ref(),
        challenge.and_then(|challenge| challenge.jury.as_ref()),
    ];
    let jurors = juries.into_iter().flatten().flat_map(|jury| &jury.jurors);
    examiner
        .into_iter()
        .chain(jurors.map(|juror| juror.auditor.node))
        .collect()
}
