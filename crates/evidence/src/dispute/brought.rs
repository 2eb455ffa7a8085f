//! Demands and challenges that were brought, and how each ended: what events say, put together. Pure.

use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{
        Event,
        events::{Charge, Outcome},
    },
};

/// A demand or a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// The stack whose record or answer it is about.
    pub stack: StackId,
    /// The node whose lease it is about.
    pub node: NodeId,
    /// What it was.
    pub what: Matter,
    /// The checkpoint that has it.
    pub checkpoint: u64,
    /// How it ended.
    pub end: End,
}

/// What was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// To see the record of a unit.
    Demand {
        /// The unit whose record is to be shown.
        unit: ComputeUnits,
        /// The last moment to show it.
        until: TimestampMs,
    },
    /// That an answer is wrong.
    Challenge {
        /// The number of the ticket's last receipt.
        ticket: u64,
        /// The unit, where the owner may choose it.
        unit: Option<ComputeUnits>,
        /// What was staked on it.
        bond: MicroUsdc,
    },
}

/// How a demand or a challenge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is still open.
    Open,
    /// The record of this `seq` was shown; the fee is the node's.
    Answered(u64),
    /// The node was convicted, by it or by another path; fee or bond are the stack's owner's.
    Convicted(Charge),
    /// The jury found nothing wrong; the bond is lost.
    Acquitted,
    /// The jury couldn't decide; so many jurors are paid out of the bond, and its rest is the stack's owner's.
    Hung(u64),
    /// There were too few attesters for a jury; the bond is the stack's owner's.
    Dissolved,
}

impl Brought {
    /// All of them, in the order in which they were brought. Events are in the ledger's order, each with its
    /// checkpoint, of any stacks.
    #[must_use]
    pub fn all_of<'a>(events: impl IntoIterator<Item = (u64, &'a Event)>) -> Vec<Self> {
        let mut all = Vec::new();
        let mut voices = Vec::new();
        for (checkpoint, event) in events {
            take(&mut all, &mut voices, checkpoint, event);
        }
        all
    }

    /// What came back of a challenge's bond, where a juror gets this fee; `None` while it is open, and of a demand.
    #[must_use]
    pub fn bond_back(&self, attest_fee: MicroUsdc) -> Option<MicroUsdc> {
        let Matter::Challenge { bond, .. } = self.what else {
            return None;
        };
        Some(match self.end {
            End::Open | End::Answered(_) => return None,
            End::Convicted(_) | End::Dissolved => bond,
            End::Acquitted => MicroUsdc::ZERO,
            End::Hung(voices) => {
                let paid = attest_fee.0.saturating_mul(voices);
                MicroUsdc(bond.0.saturating_sub(paid))
            }
        })
    }

    fn is_open_of(&self, (stack, node): (StackId, NodeId)) -> bool {
        self.end == End::Open && (self.stack, self.node) == (stack, node)
    }
}

/// A lease, and a ticket of it.
type TicketOf = (StackId, NodeId, u64);

/// Takes one event in. `voices` are the verdicts that a challenge's jury has revealed.
fn take(all: &mut Vec<Brought>, voices: &mut Vec<TicketOf>, checkpoint: u64, event: &Event) {
    let brought = |stack, node, what| Brought {
        stack,
        node,
        what,
        checkpoint,
        end: End::Open,
    };
    match event {
        Event::RecordDemanded(e) => {
            let (unit, until) = (e.unit, e.deadline_ms);
            all.push(brought(e.stack, e.node, Matter::Demand { unit, until }));
        }
        Event::DemandAnswered(e) => {
            let mut open = all.iter_mut().filter(|b| b.is_open_of((e.stack, e.node)));
            let its =
                |b: &&mut Brought| matches!(b.what, Matter::Demand { unit, .. } if unit == e.unit);
            if let Some(demand) = open.find(its) {
                demand.end = End::Answered(e.seq);
            }
        }
        Event::Challenged(e) => {
            let (ticket, unit, bond) = (e.ticket, e.unit, e.bond);
            let what = Matter::Challenge { ticket, unit, bond };
            all.push(brought(e.stack, e.node, what));
        }
        Event::Revealed(e) if e.challenge => voices.push((e.stack, e.node, e.ticket)),
        Event::JuryDecided(e) if e.challenge => {
            let its = |place: &&TicketOf| **place == (e.stack, e.node, e.ticket);
            let end = match e.outcome {
                // the conviction follows in the same transaction
                Outcome::Guilty => return,
                Outcome::Acquitted => End::Acquitted,
                Outcome::Hung => End::Hung(voices.iter().filter(its).count() as u64),
                Outcome::Dissolved => End::Dissolved,
            };
            let mut open = all.iter_mut().filter(|b| b.is_open_of((e.stack, e.node)));
            let its = |b: &&mut Brought| matches!(b.what, Matter::Challenge { ticket, .. } if ticket == e.ticket);
            if let Some(challenge) = open.find(its) {
                challenge.end = end;
            }
        }
        Event::NodeConvicted(e) => {
            let open = all.iter_mut().filter(|b| b.is_open_of((e.stack, e.node)));
            open.for_each(|brought| brought.end = End::Convicted(e.charge));
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "brought_test.rs"]
mod tests;
