//! What a look at a stack tells: its open tickets, and what was done about them.

use super::{decide::Doubt, remedy::WrongAnswer};
use crate::dispute::{DisputeError, End};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, chain::events::NodeConvicted,
};

/// What a look at a stack found and did.
#[derive(Debug, Default)]
pub struct Looked {
    /// Its open tickets.
    pub tickets: Vec<SeenTicket>,
    /// What was done, in order.
    pub steps: Vec<WatchStep>,
    /// When it should be looked at again even if nothing happens: a deadline is over then.
    pub next: Option<TimestampMs>,
    /// The ledger's time of the look.
    pub now: TimestampMs,
    /// Whether the ledger's past was looked through for what it has shown: once a stack, and not where everything was
    /// heard.
    pub searched: bool,
}

/// A ticket, and whether it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTicket {
    /// The node that claims.
    pub node: NodeId,
    /// The number of its last receipt.
    pub ticket: u64,
    /// Units that would then be paid, earlier ones counted in.
    pub to_units: ComputeUnits,
    /// The last moment to demand.
    pub deadline: TimestampMs,
    /// Why it isn't believed, if it isn't.
    pub doubt: Option<Doubt>,
    /// The first answer in it that is known to be wrong.
    pub wrong: Option<WrongAnswer>,
}

/// Something that was done about a node's lease.
#[derive(Debug)]
pub struct WatchStep {
    /// The stack that the lease is on.
    pub stack: StackId,
    /// The node that has the lease.
    pub node: NodeId,
    /// What it was.
    pub did: Did,
}

/// What was done.
#[derive(Debug)]
pub enum Did {
    /// A record was demanded.
    Demanded {
        /// Of this unit.
        unit: ComputeUnits,
        /// For this reason.
        doubt: Doubt,
        /// The last moment to answer.
        until: TimestampMs,
    },
    /// A ticket was challenged.
    Challenged {
        /// The number of its last receipt.
        ticket: u64,
        /// What was staked.
        bond: MicroUsdc,
        /// What the challenge says is wrong with the answer.
        wrong: WrongAnswer,
    },
    /// A challenge of before has ended.
    ChallengeEnded(EndedChallenge),
    /// The node was convicted.
    Convicted(Box<NodeConvicted>),
    /// The ledger didn't take the step; perhaps somebody else was faster.
    Refused(DisputeError),
}

/// How a challenge that was brought ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedChallenge {
    /// The number of the ticket's last receipt.
    pub ticket: u64,
    /// What was staked.
    pub bond: MicroUsdc,
    /// What of it is the stack's owner's credit.
    pub back: MicroUsdc,
    /// How it ended.
    pub end: End,
}

impl Looked {
    pub(super) fn did(&mut self, stack: StackId, node: NodeId, did: Did) {
        self.steps.push(WatchStep { stack, node, did });
    }
}
