//! Every account that a court's case moves money between, so that a story can say where all of it went.

use super::Court;
use atoma_keys::SigningKey;
use atoma_types::chain::{Stack, Task};

/// What each account holds, in micro-USDC. Accounts have names, in the order in which money tends to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts(Vec<(&'static str, u64)>);

impl Accounts {
    /// As the ledger has it now, whose sum is checked.
    pub async fn of(court: &Court) -> Self {
        court.trial.world.audit();
        let (trial, ledger) = (&court.trial, &court.trial.world.ledger);
        let wallet = async |key: &SigningKey| {
            let held = ledger.usdc(key.public_key().address()).await.unwrap();
            held.0
        };
        let stack = trial.stack().await;
        let node = ledger.node(trial.node).await.unwrap();
        let task = ledger.task(trial.task).await.unwrap();
        let mut attesters = 0;
        for attester in &court.attesters {
            let node = ledger.node(attester.node).await.unwrap();
            attesters += wallet(&attester.key).await + node.earnings.0;
        }
        let treasury = ledger.db().await.unwrap().communal_treasury.0;
        Self(vec![
            ("user", wallet(&trial.user).await),
            ("escrow", stack.escrow.0),
            ("stack's credit", stack.free.0),
            ("demand fees", demand_fees(&stack)),
            ("bonds", bonds(&stack)),
            ("operator", wallet(&trial.operator).await),
            ("node's credit", node.earnings.0),
            ("collateral", node.collateral.0),
            ("fines", node.pending.fines.0),
            ("task's fees", task.fees.0),
            ("pool", task.dues.0),
            ("deposits", promised(&task, |(stake, _)| stake)),
            ("attesters' fees", promised(&task, |(_, earned)| earned)),
            ("attesters", attesters),
            ("treasury", treasury),
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
