//! What the ledger's events and objects mean for this node. Pure: an event in, commands out. The
//! [`LeaseKeeper`](super::keeper::LeaseKeeper) carries them out.

use crate::{account::Phase, journal::LeaseRecord};
use atoma_types::{
    NodeId, StackId, TimestampMs,
    chain::{Event, Lease, LeaseState, Stack},
};

/// What is to be done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Take over a lease of ours as the ledger has it.
    TakeOver(LeaseRecord),
    /// Read the stack if we have a lease on it: the event says only a part.
    Reread(StackId),
    /// The end of a stack has moved; a closing one is settled without delay.
    MoveEnd {
        stack: StackId,
        expires_at: TimestampMs,
        closing: bool,
    },
    /// Our lease has come to a later phase.
    Advance { stack: StackId, phase: Phase },
    /// A record is demanded: it must be shown in time.
    Answer {
        stack: StackId,
        seq: u64,
        until: TimestampMs,
    },
    /// Our URL was changed: by us, or by another process with our keys.
    CheckPlace,
    /// An epoch of Walrus has ended: stored packs are to be looked after.
    LookAfterPacks,
}

/// What `event` means for node `us`.
pub(crate) fn hear(us: NodeId, event: &Event) -> Vec<Command> {
    let closed = |stack| Command::Advance {
        stack,
        phase: Phase::Closed,
    };
    match event {
        Event::Leased(e) if e.node == us => vec![Command::TakeOver(LeaseRecord {
            stack: e.stack,
            task: e.task,
            owner: e.owner,
            request_key: e.request_key,
            units: e.units,
            price: e.price,
            expires_at: e.expires_at_ms,
            settle_grace: e.settle_grace_ms,
            closing: false,
            phase: Phase::Open,
        })],
        Event::NodeMoved(e) if e.node == us => vec![Command::CheckPlace],
        Event::ToppedUp(e) => vec![Command::Reread(e.stack)],
        Event::ExpiryChanged(e) => vec![Command::MoveEnd {
            stack: e.stack,
            expires_at: e.expires_at_ms,
            closing: e.closing,
        }],
        Event::SettlementOpened(e) if e.node == us => vec![Command::Advance {
            stack: e.stack,
            phase: Phase::Settled {
                claimable_at: e.deadline_ms,
            },
        }],
        Event::DisputeOpened(e) if e.node == us => vec![Command::Answer {
            stack: e.stack,
            seq: e.seq,
            until: e.deadline_ms,
        }],
        Event::Claimed(e) if e.node == us => vec![closed(e.stack)],
        Event::LeaseExpired(e) if e.node == us => vec![closed(e.stack)],
        Event::NodeConvicted(e) if e.node == us => vec![closed(e.stack)],
        Event::StackClosed(e) => vec![closed(e.stack)],
        Event::ParamSet(e) if e.name == "walrus_epoch" => vec![Command::LookAfterPacks],
        _ => Vec::new(),
    }
}

/// Our lease in a stack as it was read; `None` if we have none in it.
pub(crate) fn lease_in(us: NodeId, stack: &Stack) -> Option<LeaseRecord> {
    let lease = stack.lease(us)?;
    Some(LeaseRecord {
        stack: stack.id,
        task: stack.task,
        owner: stack.owner,
        request_key: stack.request_key,
        units: lease.units,
        price: lease.price,
        expires_at: stack.expires_at_ms,
        settle_grace: stack.settle_grace_ms,
        closing: false,
        phase: phase_of(lease),
    })
}

/// The records that are demanded of us in a stack as it was read: `seq` and until when.
pub(crate) fn demands_in(us: NodeId, stack: &Stack) -> Vec<(u64, TimestampMs)> {
    match stack.lease(us).map(|lease| &lease.state) {
        Some(LeaseState::Settling(ticket)) => {
            let disputes = ticket.disputes.iter();
            disputes.map(|d| (d.seq, d.deadline_ms)).collect()
        }
        _ => Vec::new(),
    }
}

fn phase_of(lease: &Lease) -> Phase {
    match &lease.state {
        LeaseState::Open => Phase::Open,
        LeaseState::Settling(ticket) => Phase::Settled {
            claimable_at: ticket.deadline_ms,
        },
        LeaseState::Closed { .. } => Phase::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{
        Address, ComputeUnits, MicroUsdc,
        chain::events::{LeaseExpired, ParamSet, StackClosed, ToppedUp},
    };

    const US: NodeId = NodeId(Address::new([1; 32]));
    const STACK: StackId = StackId(Address::new([2; 32]));

    #[test]
    fn what_happens_to_other_nodes_means_nothing() {
        let expired = |node| {
            Event::LeaseExpired(LeaseExpired {
                stack: STACK,
                node,
                units: ComputeUnits(7),
                refunded: MicroUsdc(1),
            })
        };
        let closed = Command::Advance {
            stack: STACK,
            phase: Phase::Closed,
        };
        assert_eq!(hear(US, &expired(US)), [closed]);
        assert_eq!(hear(US, &expired(NodeId(Address::new([9; 32])))), []);
        let all = Event::StackClosed(StackClosed { stack: STACK });
        assert_eq!(hear(US, &all), [closed], "a stack closes for all its nodes");
    }

    #[test]
    fn a_top_up_is_read_and_an_epoch_of_walrus_looked_at() {
        let topped_up = Event::ToppedUp(ToppedUp {
            stack: STACK,
            total_units: ComputeUnits(9),
            paid: MicroUsdc(1),
        });
        assert_eq!(hear(US, &topped_up), [Command::Reread(STACK)]);
        let set = |name: &str| {
            Event::ParamSet(ParamSet {
                name: name.to_owned(),
                value: 4,
            })
        };
        assert_eq!(hear(US, &set("walrus_epoch")), [Command::LookAfterPacks]);
        assert_eq!(hear(US, &set("dispute_window_ms")), []);
    }
}
