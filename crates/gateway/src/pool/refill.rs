//! How a node gets units to serve on: on which stack, whether one is bought or topped up for it,
//! and how many units are granted. Pure: events in, one command out, until a grant ends it.
//!
//! ```text
//! Read (newest first) ──ended──> Retire ──> Read the next
//!   │ its lease here is final ───────────> Read the next
//!   │                                         └── none left: Knock ──> Pay(Buy)
//!   └─ usable ── units enough ──> Grant                                  │
//!             └─ too few ──> Knock ──> Pay(TopUp) ──> Grant <────────────┘
//! ```
//!
//! Where the user's own stacks pay, the units that there are go first: a stack that has too few is topped up only once
//! all others have too few as well, and what the budget doesn't cover is tried once more for less.
//!
//! Promised units are counted here: a grant once signed may be taken to the ledger by its node
//! whenever it likes, even after it seemed to fail, so its units are never promised to another.

use crate::config::StackPolicy;
use atoma_types::{ComputeUnits, NodeId, StackId};
use std::collections::{BTreeMap, VecDeque};

/// The highest grant signed for each node, by stack.
#[derive(Debug, Default)]
pub(super) struct Promises(BTreeMap<StackId, BTreeMap<NodeId, ComputeUnits>>);

/// One node's way to its units.
#[derive(Debug)]
pub(super) struct Refill {
    node: NodeId,
    /// Room that the node shall have in the end.
    wanted: ComputeUnits,
    /// The least that is granted at a time.
    grant_units: ComputeUnits,
    /// Nothing is paid as long as any stack has what is needed: its last units are granted as they are.
    thrifty: bool,
    /// Units of a new stack, and of a top-up, at least.
    stack_units: ComputeUnits,
    /// Stacks to look at, the newest first.
    candidates: VecDeque<StackId>,
    /// A top-up that would do, with the least that would, while other stacks are looked at.
    top_up: Option<[Payment; 2]>,
}

/// A stack as the node of a refill sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) stack: StackId,
    /// It is closed, ends too soon to take requests, or has only leases that are over.
    pub(super) ended: bool,
    pub(super) total_units: ComputeUnits,
    pub(super) lease: NodesLease,
    /// What is left of the node's lease when everything open costs its most.
    pub(super) room: ComputeUnits,
}

/// What the node has on a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodesLease {
    /// No lease: it was never granted any units of it.
    None,
    /// An open lease of so many units.
    Open(ComputeUnits),
    /// A lease that is being settled or is closed. It is final: the node gets no second one.
    Final,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Read this stack from the ledger.
    Read(StackId),
    /// Take it out of use.
    Retire(StackId),
    /// Find out whether the node is there, before this is paid for it.
    Knock(Payment),
    /// Pay it, within the budget.
    Pay(Payment),
    /// Grant, and so end.
    Grant(PlannedGrant),
    /// Use this stack as it is, and so end.
    Use(StackId),
}

/// How a command ended. One that fails ends the refill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A stack was read.
    Read(Reading),
    /// It is out of use.
    Retired,
    /// The node is there.
    Answered(Payment),
    /// A stack was bought.
    Bought(Reading),
    /// A stack was topped up for this grant.
    ToppedUp(PlannedGrant),
}

/// What is paid to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payment {
    /// A new stack of so many units.
    Stack(ComputeUnits),
    /// So many units more for a stack, for this grant.
    TopUp(ComputeUnits, PlannedGrant),
}

/// Units for the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlannedGrant {
    pub(super) stack: StackId,
    /// Units beyond those that it has on the ledger.
    pub(super) more: ComputeUnits,
    /// Its units in all after that.
    pub(super) total: ComputeUnits,
}

/// Whether a lease with so much left is refilled before it is dry: at half a grant.
pub(super) fn runs_low(left: ComputeUnits, grant_units: ComputeUnits) -> bool {
    left.0 < grant_units.0 / 2
}

impl Promises {
    /// Takes over what the ledger says was granted.
    pub(super) fn adopt(
        &mut self,
        stack: StackId,
        leases: impl IntoIterator<Item = (NodeId, ComputeUnits)>,
    ) {
        self.0.insert(stack, leases.into_iter().collect());
    }

    fn to(&self, stack: StackId, node: NodeId) -> ComputeUnits {
        let promised = self.0.get(&stack).and_then(|nodes| nodes.get(&node));
        promised.copied().unwrap_or_default()
    }

    fn to_others(&self, stack: StackId, node: NodeId) -> ComputeUnits {
        let nodes = self.0.get(&stack).into_iter().flatten();
        let others = nodes.filter(|(other, _)| **other != node);
        others.fold(ComputeUnits::ZERO, |sum, (_, units)| {
            sum.saturating_add(*units)
        })
    }

    fn promise(&mut self, node: NodeId, grant: PlannedGrant) {
        let nodes = self.0.entry(grant.stack).or_default();
        nodes.insert(node, grant.total);
    }
}

impl Refill {
    /// Room for `units` at `node`, and for a whole grant if that is more, unless it is `thrifty`. `stacks` are those
    /// in use, the newest last.
    pub(super) fn new(
        node: NodeId,
        units: ComputeUnits,
        policy: &StackPolicy,
        thrifty: bool,
        stacks: impl DoubleEndedIterator<Item = StackId>,
    ) -> Self {
        Self {
            node,
            wanted: match thrifty {
                true => units,
                false => units.max(policy.grant_units),
            },
            grant_units: policy.grant_units,
            thrifty,
            stack_units: policy.stack_units,
            candidates: stacks.rev().collect(),
            top_up: None,
        }
    }

    /// The first command: the next stack to look at, or what is paid where none has enough.
    pub(super) fn begin(&mut self) -> Command {
        match (self.candidates.pop_front(), self.top_up) {
            (Some(stack), _) => Command::Read(stack),
            (None, Some([payment, _])) => Command::Knock(payment),
            (None, None) => Command::Knock(self.new_stack()),
        }
    }

    fn new_stack(&self) -> Payment {
        Payment::Stack(self.wanted.max(self.stack_units))
    }

    /// What is paid instead of what the budget doesn't cover.
    pub(super) fn instead_of(&self, payment: Payment) -> Option<Payment> {
        let [whole, least] = self.top_up?;
        match payment {
            // a stack may be had at a lower price
            Payment::TopUp(..) if payment == least => Some(self.new_stack()),
            Payment::TopUp(..) if payment == whole => Some(least),
            Payment::TopUp(..) | Payment::Stack(_) => None,
        }
    }

    /// What follows from what was done.
    pub(super) fn step(&mut self, event: Event, promises: &mut Promises) -> Command {
        match event {
            Event::Read(reading) if reading.ended => Command::Retire(reading.stack),
            Event::Read(reading) if reading.lease == NodesLease::Final => self.begin(),
            Event::Read(reading) | Event::Bought(reading) => self.plan(reading, promises),
            Event::Retired => self.begin(),
            Event::Answered(payment) => Command::Pay(payment),
            Event::ToppedUp(grant) => self.grant(grant, promises),
        }
    }

    fn plan(&mut self, reading: Reading, promises: &mut Promises) -> Command {
        let others = promises.to_others(reading.stack, self.node);
        let free = reading.total_units.saturating_sub(others);
        let grant = self.planned(&reading, promises, self.thrifty.then_some(free));
        let lacking = |grant: PlannedGrant| {
            let taken = others.saturating_add(grant.total);
            taken.saturating_sub(reading.total_units)
        };
        let least = lacking(grant);
        if least == ComputeUnits::ZERO {
            return self.grant(grant, promises);
        }
        if !self.thrifty {
            return Command::Knock(Payment::TopUp(least.max(self.stack_units), grant));
        }
        // another one may have what this one lacks
        let least = Payment::TopUp(least, grant);
        let worthwhile = self.planned(&reading, promises, None);
        let whole = lacking(worthwhile).max(self.stack_units);
        let whole = Payment::TopUp(whole, worthwhile);
        self.top_up.get_or_insert([whole, least]);
        self.begin()
    }

    /// What the node is granted of a stack; no more than its room lacks beyond so many units for it, if any.
    fn planned(
        &self,
        reading: &Reading,
        promises: &Promises,
        free: Option<ComputeUnits>,
    ) -> PlannedGrant {
        let leased = match reading.lease {
            NodesLease::Open(units) => units,
            NodesLease::None | NodesLease::Final => ComputeUnits::ZERO,
        };
        // never below what was promised before: that grant may still be taken to the ledger
        let promised = promises.to(reading.stack, self.node);
        let free = free.map(|free| free.saturating_sub(leased.max(promised)));
        let more = self.more(leased, reading.room, free);
        let total = leased.saturating_add(more).max(promised);
        PlannedGrant {
            stack: reading.stack,
            more: total.saturating_sub(leased),
            total,
        }
    }

    /// How much more is granted: what is missing, or a worthwhile part of the lease if that is more and free. Nodes
    /// pay a transaction for each grant, and take no crumbs.
    fn more(
        &self,
        leased: ComputeUnits,
        room: ComputeUnits,
        free: Option<ComputeUnits>,
    ) -> ComputeUnits {
        let missing = self.wanted.saturating_sub(room);
        if missing == ComputeUnits::ZERO {
            return missing;
        }
        let worthwhile = self.grant_units.max(ComputeUnits(leased.0.div_ceil(8)));
        missing.max(free.map_or(worthwhile, |free| worthwhile.min(free)))
    }

    fn grant(&self, grant: PlannedGrant, promises: &mut Promises) -> Command {
        promises.promise(self.node, grant);
        if grant.more == ComputeUnits::ZERO {
            Command::Use(grant.stack)
        } else {
            Command::Grant(grant)
        }
    }
}

#[cfg(test)]
#[path = "refill_test.rs"]
mod tests;
