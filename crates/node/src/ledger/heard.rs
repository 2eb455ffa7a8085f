//! What the ledger's events and objects mean for this node. Pure: an event in, commands out. The
//! [`LeaseKeeper`](super::keeper::LeaseKeeper) carries them out.
//!
//! An event tells a part, the stack's object all of it: so whatever concerns a lease of ours has its stack read
//! again. Only the end of a stack is taken from the event, so that no request is taken after it.

use crate::{
    account::{Phase, Position},
    journal::LeaseRecord,
};
use atoma_types::{
    NodeId, StackId, TimestampMs,
    chain::{Event, Lease, Stack},
};

/// What is to be done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Read a stack on which we have a lease, or have got one now.
    Reread(StackId),
    /// The end of a stack has moved; a closing one is settled without delay.
    MoveEnd {
        stack: StackId,
        expires_at: TimestampMs,
        closing: bool,
    },
    /// Something must be shown in time: read the stack to see what.
    Show(StackId),
    /// Our URL was changed: by us, or by another process with our keys.
    CheckPlace,
    /// From `from` on this program is of no use: the rules' next version is the only one.
    GoesOver { version: u64, from: TimestampMs },
}

/// What `event` means for node `us`.
pub(crate) fn hear(us: NodeId, event: &Event) -> Vec<Command> {
    let ours = |node: NodeId, stack| {
        let all = (node == us).then_some(Command::Reread(stack));
        all.into_iter().collect::<Vec<_>>()
    };
    let shown = |node: NodeId, stack| {
        let mut all = ours(node, stack);
        if !all.is_empty() {
            all.push(Command::Show(stack));
        }
        all
    };
    match event {
        Event::Leased(e) => ours(e.node, e.stack),
        Event::UnitsReleased(e) => ours(e.node, e.stack),
        Event::SettlementOpened(e) => ours(e.node, e.stack),
        Event::Claimed(e) => ours(e.node, e.stack),
        Event::LeaseClosed(e) => ours(e.node, e.stack),
        Event::NodeConvicted(e) => ours(e.node, e.stack),
        Event::DemandAnswered(e) => ours(e.node, e.stack),
        Event::TicketDrawn(e) => ours(e.node, e.stack),
        Event::Unexamined(e) => ours(e.node, e.stack),
        Event::Disclosed(e) => ours(e.node, e.stack),
        Event::VerdictGiven(e) => ours(e.node, e.stack),
        Event::Challenged(e) => ours(e.node, e.stack),
        Event::DisclosedToJury(e) => ours(e.node, e.stack),
        Event::Revealed(e) => ours(e.node, e.stack),
        Event::JuryDecided(e) => ours(e.node, e.stack),
        Event::RecordDemanded(e) => shown(e.node, e.stack),
        Event::ExaminerDrawn(e) => shown(e.node, e.stack),
        Event::JuryDrawn(e) => shown(e.node, e.stack),
        Event::VersionAnnounced(e) => vec![Command::GoesOver {
            version: e.version,
            from: e.from_ms,
        }],
        Event::NodeMoved(e) if e.node == us => vec![Command::CheckPlace],
        Event::ExpiryChanged(e) => vec![
            Command::MoveEnd {
                stack: e.stack,
                expires_at: e.expires_at_ms,
                closing: e.closing,
            },
            Command::Reread(e.stack),
        ],
        _ => Vec::new(),
    }
}

/// Our lease in a stack as it was read; `None` if we have none in it.
pub(crate) fn lease_in(us: NodeId, stack: &Stack) -> Option<LeaseRecord> {
    let lease = stack.lease(us)?;
    let phase = if lease.closed {
        Phase::Closed
    } else {
        Phase::Open
    };
    Some(LeaseRecord {
        stack: stack.id,
        task: stack.task,
        owner: stack.owner,
        request_key: stack.request_key,
        units: lease.units,
        price: lease.price,
        expires_at: stack.expires_at_ms,
        settle_grace: stack.terms.settle_grace_ms,
        closing: false,
        phase,
        base: Position::default(),
    })
}

/// How far a lease is paid or claimed.
pub(crate) fn claimed_of(lease: &Lease) -> Position {
    Position {
        seq: lease.claimed_seq(),
        units: lease.claimed_units(),
        hash: lease.tickets.last().map_or(lease.last, |last| last.last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{
        Address, ComputeUnits, MicroUsdc,
        chain::events::{ExpiryChanged, LeaseClosed, RecordDemanded, VersionAnnounced},
    };

    const US: NodeId = NodeId(Address::new([1; 32]));
    const STACK: StackId = StackId(Address::new([2; 32]));

    #[test]
    fn what_happens_to_other_nodes_means_nothing() {
        let closed = |node| {
            Event::LeaseClosed(LeaseClosed {
                stack: STACK,
                node,
                paid_units: ComputeUnits(7),
                freed: MicroUsdc(1),
            })
        };
        assert_eq!(hear(US, &closed(US)), [Command::Reread(STACK)]);
        assert_eq!(hear(US, &closed(NodeId(Address::new([9; 32])))), []);
    }

    #[test]
    fn a_new_version_is_told_to_the_operator() {
        let announced = Event::VersionAnnounced(VersionAnnounced {
            version: 2,
            from_ms: TimestampMs(9),
        });
        let told = Command::GoesOver {
            version: 2,
            from: TimestampMs(9),
        };
        assert_eq!(hear(US, &announced), [told]);
    }

    #[test]
    fn a_demand_is_shown_and_an_end_is_known_at_once() {
        let demanded = Event::RecordDemanded(RecordDemanded {
            stack: STACK,
            node: US,
            unit: ComputeUnits(9),
            deadline_ms: TimestampMs(1),
        });
        let show = [Command::Reread(STACK), Command::Show(STACK)];
        assert_eq!(hear(US, &demanded), show);
        let ended = Event::ExpiryChanged(ExpiryChanged {
            stack: STACK,
            expires_at_ms: TimestampMs(4),
            closing: true,
        });
        let end = Command::MoveEnd {
            stack: STACK,
            expires_at: TimestampMs(4),
            closing: true,
        };
        assert_eq!(hear(US, &ended), [end, Command::Reread(STACK)]);
    }
}
