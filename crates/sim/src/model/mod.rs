//! The contract's money, without its messages: the same balances, deadlines and refusals as `atoma-contract`, where
//! signatures, records and objects are facts that the caller states. A test plays the same calls on both and compares
//! every balance and every refusal (`tests/it/held_to_the_rules`).
//!
//! Draws, hits and units are the contract's own functions. What the model leaves out: exits of nodes, `top_up`,
//! `extend`, closing a stack early, attestation and releases, eviction, and administration.

mod attester;
mod audit;
mod convict;
mod demand;
mod jury;
mod lease;
mod market;
mod node;
mod objects;
mod rules;
mod settle;
mod treasury;
mod units;

pub use jury::Outcome;
pub use market::Purchase;
pub use objects::{
    Attester, Book, Challenge, Demand, Exam, FeesOfDay, Hit, Jury, Lease, Node, Seat, Stack, Stage,
    Subscription, Task, Ticket, Verdict,
};
pub use rules::{Rules, Weaker};
pub use units::{DAY, HOUR, Micro, Ms, NodeIx, Party, StackIx, TaskIx, cost};

use units::permille;

use atoma_types::chain::AbortCode;

/// What a call says: done, or why not, by the contract's own codes.
pub type Done<T = ()> = Result<T, AbortCode>;

/// A lease by its stack and node, and one of its tickets by the units up to which it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketId {
    /// The stack that the lease is of.
    pub stack: StackIx,
    /// The node whose lease it is.
    pub node: NodeIx,
    /// Its last unit, excluded.
    pub to: u64,
}

/// All that the ledger holds.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What holds for all.
    pub rules: Rules,
    /// Every node, at the place that [`NodeIx`] names.
    pub nodes: Vec<Node>,
    /// Every task, at the place that [`TaskIx`] names.
    pub tasks: Vec<Task>,
    /// Every stack, at the place that [`StackIx`] names.
    pub stacks: Vec<Stack>,
    /// Fees and fines.
    pub treasury: Micro,
    /// Fees reported for one day.
    pub book: Book,
    /// Convictions so far.
    pub convictions: u64,
}

impl Ledger {
    /// An empty ledger under these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// All the money in it: what was paid in, less what was withdrawn.
    #[must_use]
    pub fn held(&self) -> u128 {
        let nodes = self.nodes.iter().map(|node| {
            u128::from(node.collateral) + u128::from(node.earnings) + u128::from(node.fines)
        });
        let tasks = self.tasks.iter().map(|task| {
            let attesters = task
                .subscriptions
                .iter()
                .filter_map(|subscription| subscription.attester);
            let theirs: u128 = attesters
                .map(|attester| u128::from(attester.stake) + u128::from(attester.earned))
                .sum();
            u128::from(task.fees) + u128::from(task.dues) + theirs
        });
        let stacks = self.stacks.iter().map(Stack::held);
        u128::from(self.treasury) + nodes.sum::<u128>() + tasks.sum::<u128>() + stacks.sum::<u128>()
    }
}

fn ensure(holds: bool, code: AbortCode) -> Done {
    if holds { Ok(()) } else { Err(code) }
}
