//! Conservation: no micro-USDC comes or goes.

use super::{
    stacks,
    violation::{Violation, must},
};
use crate::{Changes, Object, State};
use atoma_types::MicroUsdc;

/// Money that went in and came out over many transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The sum of all payments so far, in micro-USDC.
    pub paid_in: u128,
    /// The sum of all payouts so far, in micro-USDC.
    pub paid_out: u128,
}

impl Flow {
    /// Adds what a transaction moved.
    pub fn record(&mut self, changes: &Changes) {
        self.paid_in += u128::from(changes.paid_in.0);
        let out = changes.payouts.iter().map(|payout| payout.amount.0);
        self.paid_out += out.map(u128::from).sum::<u128>();
    }

    /// Conservation: what went in and hasn't come out is held, to the micro.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, state: &State) -> Result<(), Violation> {
        let sums = self.paid_out.checked_add(held(state));
        must(
            sums == Some(self.paid_in),
            &"money",
            "payments equal payouts and balances",
        )
    }
}

/// All money that the package holds.
#[must_use]
pub fn held(state: &State) -> u128 {
    state.iter().map(|(object, _)| holds(object)).sum()
}

fn holds(object: &Object) -> u128 {
    let balances: Vec<MicroUsdc> = match object {
        Object::Db(db) => vec![db.communal_treasury],
        Object::Node(node) => vec![node.collateral, node.earnings, node.pending.fines],
        Object::Task(task) => {
            let attesters = task.subscriptions.iter().filter_map(|s| s.attester);
            attesters
                .flat_map(|attester| [attester.stake, attester.earned])
                .chain([task.fees, task.dues])
                .collect()
        }
        Object::Stack(stack) => stacks::held(stack)
            .chain([stack.escrow, stack.free])
            .collect(),
        Object::AdminCap(_)
        | Object::Entry(_)
        | Object::Blob(_)
        | Object::WalrusSystem(_)
        | Object::WalrusCap(_) => Vec::new(),
    };
    balances.iter().map(|balance| u128::from(balance.0)).sum()
}
