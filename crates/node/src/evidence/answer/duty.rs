//! What a node must show, as its lease's object says.

use atoma_types::{
    BlobId, ComputeUnits, NodeId, StackId, TimestampMs,
    chain::{Exam, HitStage, Jury, Stack, Ticket},
    history::LastReceipt,
};

/// Whom a record is shown to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum To {
    /// To the owner, or the watcher, who demands it: on the ledger, for everyone.
    Owner,
    /// To the examiner of a ticket.
    Examiner { ticket: u64, examiner: NodeId },
    /// To a jury over a ticket: of its challenge, or of its examination.
    Jury {
        ticket: u64,
        challenge: bool,
        jurors: Vec<NodeId>,
    },
}

/// A record that must be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Duty {
    pub stack: StackId,
    /// The unit whose record it is.
    pub unit: ComputeUnits,
    pub to: To,
    /// The last moment, by the ledger's clock.
    pub until: TimestampMs,
    /// The ticket that claims it.
    pub ticket: Settled,
    /// The record that another examiner was shown; zero for any that covers the unit.
    pub seq: u64,
}

/// What the ledger has of a ticket's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Settled {
    /// The number of the last receipt before them.
    pub from_seq: u64,
    /// Their last receipt, which binds them.
    pub last: LastReceipt,
    /// The blob that leads to them.
    pub packs: Option<BlobId>,
}

impl Settled {
    fn by(ticket: &Ticket) -> Self {
        Self {
            from_seq: ticket.from_seq,
            last: ticket.last_receipt(),
            packs: ticket.manifest_blob,
        }
    }
}

/// What a node must show now on a stack.
pub(crate) fn duties_in(us: NodeId, stack: &Stack) -> Vec<Duty> {
    let mut duties = Vec::new();
    let Some(lease) = stack.lease(us).filter(|lease| !lease.closed) else {
        return duties;
    };
    for ticket in &lease.tickets {
        let duty = |unit, to, until, seq| Duty {
            stack: stack.id,
            unit,
            to,
            until,
            ticket: Settled::by(ticket),
            seq,
        };
        let demands = ticket.demands.iter();
        duties.extend(demands.map(|d| duty(d.unit, To::Owner, d.deadline_ms, 0)));
        let mut shown = 0;
        if let Exam::Hit(hit) = &ticket.exam {
            shown = hit.seq;
            if hit.stage == HitStage::Disclosing {
                let to = To::Examiner {
                    ticket: ticket.to_seq,
                    examiner: hit.examiner.node,
                };
                duties.push(duty(hit.unit, to, hit.deadline_ms, hit.seq));
            }
        }
        let mut jury = |jury: &Jury, challenge: bool, seq: u64| {
            if jury.seq == 0 {
                let to = To::Jury {
                    ticket: ticket.to_seq,
                    challenge,
                    jurors: jury.jurors.iter().map(|juror| juror.auditor.node).collect(),
                };
                duties.push(duty(jury.unit, to, jury.deadline_ms, seq));
            }
        };
        if let Some(sits) = &ticket.exam_jury {
            jury(sits, false, shown);
        }
        let challenge = ticket.challenge.as_ref();
        if let Some(sits) = challenge.and_then(|challenge| challenge.jury.as_ref()) {
            jury(sits, true, 0);
        }
    }
    duties
}
