//! What anyone may do about a stack now, by the ledger's time: no right is needed, so whoever waits for an end
//! can bring it about. Pure.

use atoma_types::{
    ComputeUnits, TimestampMs,
    chain::{Call, Clock, Exam, HitStage, Jury, Lease, Random, Stack, Ticket, calls},
};

/// A call that anyone may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// What is to be executed, by whoever likes.
    pub call: Call,
    /// It convicts the node whose lease it is about: not the node's own to make.
    pub convicts: bool,
}

/// What is due about an open lease, in the order in which it should be done; each call may make the later ones
/// needless.
#[must_use]
pub fn due_of_lease(stack: &Stack, lease: &Lease, now: TimestampMs) -> Vec<Due> {
    if lease.closed {
        return Vec::new();
    }
    let mut due = Vec::new();
    for ticket in &lease.tickets {
        convictions(stack, lease, ticket, now, &mut due);
    }
    for ticket in &lease.tickets {
        examination(stack, lease, ticket, now, &mut due);
    }
    if lease
        .tickets
        .first()
        .is_some_and(|first| is_payable(stack, first, now))
    {
        due.push(Due::step(calls::Claim {
            stack: stack.id.into(),
            task: stack.task.into(),
            node: lease.node.into(),
            clock: Clock,
        }));
    }
    let paid = now >= stack.expires_at_ms && lease.units == lease.paid_units;
    if lease.tickets.is_empty() && (paid || now > stack.settle_deadline()) {
        due.push(Due::step(calls::ExpireLease {
            stack: stack.id.into(),
            node: lease.node.into(),
            clock: Clock,
        }));
    }
    due
}

/// What is due about a stack.
#[must_use]
pub fn due(stack: &Stack, now: TimestampMs) -> Vec<Due> {
    let leases = stack.leases.iter();
    let mut due: Vec<_> = leases
        .flat_map(|lease| due_of_lease(stack, lease, now))
        .collect();
    if stack.ungranted > ComputeUnits::ZERO && now >= stack.expires_at_ms {
        due.push(Due::step(calls::RevokeUngranted {
            stack: stack.id.into(),
            clock: Clock,
        }));
    }
    due
}

/// Whether a ticket can be paid, if it is the first of its lease.
fn is_payable(stack: &Stack, ticket: &Ticket, now: TimestampMs) -> bool {
    let examined = match (&ticket.exam, &stack.terms.sampling) {
        (Exam::None | Exam::Unexamined, _) => true,
        (Exam::Drawn { seed }, Some(sampling)) => !sampling.hits(seed),
        (Exam::Hit(hit), _) => matches!(hit.stage, HitStage::Passed | HitStage::Cleared),
        (Exam::Undrawn | Exam::Drawn { .. }, _) => false,
    };
    let challenge = ticket.challenge.as_ref();
    ticket.deadline_ms < now
        && ticket.demands.is_empty()
        && examined
        && challenge.is_none_or(|challenge| challenge.over)
}

fn convictions(
    stack: &Stack,
    lease: &Lease,
    ticket: &Ticket,
    now: TimestampMs,
    due: &mut Vec<Due>,
) {
    let mut demands = ticket.demands.iter();
    if let Some(late) = demands.find(|demand| now > demand.deadline_ms) {
        due.push(Due::conviction(calls::ProveSilence {
            stack: stack.id.into(),
            task: stack.task.into(),
            node: lease.node.into(),
            unit: late.unit,
            clock: Clock,
        }));
    }
    let hidden =
        |hit: &atoma_types::chain::Hit| hit.stage == HitStage::Disclosing && now > hit.deadline_ms;
    let exam = matches!(&ticket.exam, Exam::Hit(hit) if hidden(hit));
    let waits = |jury: &Jury| jury.seq == 0 && now > jury.deadline_ms;
    if exam || juries(ticket).any(|(_, jury)| waits(jury)) {
        due.push(Due::conviction(calls::ProveUndisclosed {
            stack: stack.id.into(),
            task: stack.task.into(),
            node: lease.node.into(),
            clock: Clock,
        }));
    }
}

fn examination(
    stack: &Stack,
    lease: &Lease,
    ticket: &Ticket,
    now: TimestampMs,
    due: &mut Vec<Due>,
) {
    let Some(sampling) = &stack.terms.sampling else {
        return;
    };
    let (id, task, holder) = (stack.id, stack.task, lease.node);
    let examine = || calls::DrawExaminer {
        stack: id.into(),
        task: task.into(),
        holder,
        ticket: ticket.to_seq,
        random: Random,
        clock: Clock,
    };
    let jury = |challenge| calls::DrawJury {
        stack: id.into(),
        task: task.into(),
        holder,
        ticket: ticket.to_seq,
        challenge,
        random: Random,
        clock: Clock,
    };
    match &ticket.exam {
        Exam::Undrawn => due.push(Due::step(calls::DrawTicket {
            stack: id.into(),
            holder,
            ticket: ticket.to_seq,
            random: Random,
        })),
        Exam::Drawn { seed } if sampling.hits(seed) => due.push(Due::step(examine())),
        Exam::Hit(hit) if hit.stage == HitStage::Examining && now > hit.deadline_ms => {
            due.push(Due::step(examine()));
        }
        Exam::Hit(hit) if hit.stage == HitStage::Accused && ticket.exam_jury.is_none() => {
            due.push(Due::step(jury(false)));
        }
        Exam::None | Exam::Drawn { .. } | Exam::Hit(_) | Exam::Unexamined => {}
    }
    let challenge = ticket.challenge.as_ref();
    if challenge.is_some_and(|challenge| !challenge.over && challenge.jury.is_none()) {
        due.push(Due::step(jury(true)));
    }
    for (challenge, jury) in juries(ticket) {
        let revealed = jury.jurors.iter().all(|juror| juror.verdict.is_some());
        if jury.seq > 0 && (revealed || now > jury.reveal_ms) {
            due.push(Due::step(calls::DecideJury {
                stack: id.into(),
                task: task.into(),
                node: holder.into(),
                ticket: ticket.to_seq,
                challenge,
                clock: Clock,
            }));
        }
    }
}

/// The juries that sit; true for a challenge's.
fn juries(ticket: &Ticket) -> impl Iterator<Item = (bool, &Jury)> {
    let challenge = ticket.challenge.as_ref();
    let challenge = challenge.and_then(|challenge| challenge.jury.as_ref());
    let exam = ticket.exam_jury.iter().map(|jury| (false, jury));
    exam.chain(challenge.map(|jury| (true, jury)))
}

impl Due {
    fn step(call: impl Into<Call>) -> Self {
        Self {
            call: call.into(),
            convicts: false,
        }
    }

    fn conviction(call: impl Into<Call>) -> Self {
        Self {
            call: call.into(),
            convicts: true,
        }
    }
}
