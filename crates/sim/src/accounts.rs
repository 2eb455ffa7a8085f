//! What is earned and spent beside the ledger, and what a run saw.

use crate::model::{Micro, Ms};
use serde::Serialize;

/// A side's account. All amounts in micro-USDC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Put into the ledger.
    pub paid_in: Micro,
    /// Credits, collateral and deposits at the end.
    pub left: Micro,
    /// Spent on transactions.
    pub gas: Micro,
    /// Spent on computing answers, or on looking at records.
    pub work: Micro,
    /// Interest on what lay still.
    pub interest: Micro,
    /// What answers were worth.
    pub worth: Micro,
}

impl Account {
    /// What is gained, or lost.
    #[must_use]
    pub fn profit(&self) -> i128 {
        let plus = i128::from(self.left) + i128::from(self.worth);
        let minus = [self.paid_in, self.gas, self.work, self.interest];
        plus - minus.into_iter().map(i128::from).sum::<i128>()
    }
}

/// The three sides of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its nodes as servers.
    pub serving: Account,
    /// Its nodes as examiners.
    pub attesting: Account,
    /// Its users, who buy stacks and ask.
    pub using: Account,
    /// The price of what its nodes were paid for.
    pub paid: Micro,
}

/// What a run saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Requests that were sent.
    pub requests: u64,
    /// Requests that nobody served.
    pub unserved: u64,
    /// Stacks that were bought.
    pub stacks: u64,
    /// Tickets that were settled.
    pub tickets: u64,
    /// Tickets that were paid.
    pub claims: u64,
    /// The price of what was paid.
    pub volume: Micro,
    /// Tickets that were examined.
    pub examined: u64,
    /// Hits that nobody was there to examine.
    pub unexamined: u64,
    /// Juries that sat.
    pub juries: u64,
    /// Demands for a record that users made.
    pub demands: u64,
    /// Challenges of what was honest.
    pub accusations: u64,
    /// Convictions of the coalition's nodes.
    pub convicted: u64,
    /// Convictions of testers' nodes.
    pub tests_found: u64,
    /// Convictions of honest nodes.
    pub convicted_honest: u64,
    /// Fines of honest nodes.
    pub fined_honest: Micro,
    /// What honest users paid for wrong or missing answers.
    pub lost_by_users: Micro,
    /// What examinations cost everyone: fees, transactions, and the work.
    pub verification: Micro,
    /// What testers lost.
    pub testing: Micro,
    /// From a node's first wrong record to its first conviction, of those that were convicted.
    pub caught_after: Vec<Ms>,
}

impl Seen {
    /// The middle of the times until nodes were caught.
    #[must_use]
    pub fn median_caught(&self) -> Option<Ms> {
        let mut times = self.caught_after.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}
