//! Every account that a story moves money between, so that it can say where all of it went.

use super::{Attester, World};
use atoma_keys::SigningKey;
use atoma_types::{
    Address, NodeId, StackId, TaskId,
    chain::{Stack, Task},
};

/// Whose accounts are looked at.
#[derive(Debug)]
pub struct Parties<'a> {
    /// The ledger that they are on.
    pub world: &'a World,
    /// Who buys stacks.
    pub user: &'a SigningKey,
    /// Who owns the node.
    pub operator: &'a SigningKey,
    /// Who may be drawn to examine; none of them is one of the others.
    pub attesters: &'a [Attester],
    /// The node that is paid or convicted.
    pub node: NodeId,
    /// What it serves.
    pub task: TaskId,
    /// What the user has bought by now.
    pub stacks: &'a [StackId],
    /// Where one of them has money sent.
    pub elsewhere: Option<Address>,
}

/// What each account holds, in micro-USDC. Accounts have names, in the order in which money tends to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts(Vec<(&'static str, u64)>);

impl Accounts {
    /// As the ledger has it now, whose sum is checked.
    pub async fn of(parties: &Parties<'_>) -> Self {
        parties.world.audit();
        let ledger = &parties.world.ledger;
        let wallet = async |key: &SigningKey| {
            let held = ledger.usdc(key.public_key().address()).await.unwrap();
            held.0
        };
        let mut stacks = Vec::new();
        for stack in parties.stacks {
            stacks.push(ledger.stack(*stack).await.unwrap());
        }
        let in_stacks = |of: fn(&Stack) -> u64| -> u64 { stacks.iter().map(of).sum() };
        let node = ledger.node(parties.node).await.unwrap();
        let task = ledger.task(parties.task).await.unwrap();
        let mut attesters = 0;
        for attester in parties.attesters {
            let node = ledger.node(attester.node).await.unwrap();
            attesters += wallet(&attester.key).await + node.earnings.0;
        }
        let elsewhere = match parties.elsewhere {
            Some(address) => ledger.usdc(address).await.unwrap().0,
            None => 0,
        };
        let treasury = ledger.db().await.unwrap().communal_treasury.0;
        Self(vec![
            ("user", wallet(parties.user).await),
            ("escrow", in_stacks(|stack| stack.escrow.0)),
            ("stack's credit", in_stacks(|stack| stack.free.0)),
            ("demand fees", in_stacks(demand_fees)),
            ("bonds", in_stacks(bonds)),
            ("operator", wallet(parties.operator).await),
            ("node's credit", node.earnings.0),
            ("collateral", node.collateral.0),
            ("fines", node.pending.fines.0),
            ("task's fees", task.fees.0),
            ("pool", task.dues.0),
            ("deposits", promised(&task, |(stake, _)| stake)),
            ("attesters' fees", promised(&task, |(_, earned)| earned)),
            ("attesters", attesters),
            ("treasury", treasury),
            ("elsewhere", elsewhere),
        ])
    }

    /// What has more since, and what has less: together nothing.
    ///
    /// # Panics
    /// If money came from an account that isn't here, or went to one.
    pub fn moved(&self, after: &Self) -> Vec<(&'static str, i64)> {
        let both = self.0.iter().zip(&after.0);
        let moved: Vec<_> = both
            .map(|(&(name, before), &(_, after))| (name, after.wrapping_sub(before) as i64))
            .filter(|&(_, moved)| moved != 0)
            .collect();
        let sum: i64 = moved.iter().map(|&(_, moved)| moved).sum();
        assert_eq!(sum, 0, "money of an unknown account moved: {moved:?}");
        moved
    }
}

/// Fees of demands that wait for an answer, and of answered ones that the node gets with its pay.
fn demand_fees(stack: &Stack) -> u64 {
    let leases = stack.leases.iter();
    let fees = |lease: &atoma_types::chain::Lease| {
        let tickets = lease.tickets.iter();
        let demands = tickets.flat_map(|ticket| &ticket.demands);
        lease.fees.0 + demands.map(|demand| demand.fee.0).sum::<u64>()
    };
    leases.map(fees).sum()
}

fn bonds(stack: &Stack) -> u64 {
    let tickets = stack.leases.iter().flat_map(|lease| &lease.tickets);
    let challenges = tickets
        .clone()
        .filter_map(|ticket| ticket.challenge.as_ref());
    let challenged: u64 = challenges.map(|challenge| challenge.bond.0).sum();
    challenged + tickets.map(|ticket| ticket.exam_bond.0).sum::<u64>()
}

/// Of a task's attesters the sum of what they deposited, or have earned.
fn promised(task: &Task, of: impl Fn((u64, u64)) -> u64) -> u64 {
    let promises = task.subscriptions.iter().filter_map(|s| s.attester);
    promises.map(|a| of((a.stake.0, a.earned.0))).sum()
}
