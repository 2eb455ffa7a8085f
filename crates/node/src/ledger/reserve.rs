//! The gas that a node keeps for what it may have to do in time: whatever else it does, it must be able to settle, claim and
//! show what it is asked for. So what is kept grows with what is owed.

use crate::{lease::Lease, leases::Leases};
use atoma_types::NodeId;

/// Gas of a transaction in MIST, storage included: an estimate from above, since prices of gas and sizes of objects move.
const GAS_OF_ACT: u64 = 4_000_000;
/// What is kept where nothing is owed, in MIST: what somebody who looks after the node once a day may need meanwhile
/// (reports, its share, standing, a few leases).
const AT_LEAST: u64 = 100_000_000;
/// Transactions for a lease whatever comes: two settlements, one that gives units back, and its end.
const ACTS_OF_LEASE: u64 = 4;
/// Transactions for a ticket: eight demands, records for an examiner and for two juries, the claim.
const ACTS_OF_TICKET: u64 = 12;
/// Transactions for a duty to look at another's record: commit, reveal, and a call that nobody else makes.
const ACTS_OF_DUTY: u64 = 3;

/// What a node may have to do in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owed {
    pub leases: u64,
    /// Settlements that aren't paid yet.
    pub tickets: u64,
    /// Others' records that it must look at.
    pub duties: u64,
}

impl Owed {
    /// By a node with these leases, which attests with `duties` open.
    pub(crate) fn by(node: NodeId, leases: &Leases, duties: i64) -> Self {
        let tickets = |lease: &Lease| {
            let stack = lease.on_ledger()?;
            u64::try_from(stack.lease(node)?.tickets.len()).ok()
        };
        let all = leases.all();
        Self {
            leases: u64::try_from(all.len()).unwrap_or(u64::MAX),
            tickets: all.iter().filter_map(|lease| tickets(lease)).sum(),
            duties: u64::try_from(duties).unwrap_or_default(),
        }
    }

    /// The gas in MIST without which nothing new is begun.
    pub(crate) fn gas(self) -> u64 {
        let acts = self
            .leases
            .saturating_mul(ACTS_OF_LEASE)
            .saturating_add(self.tickets.saturating_mul(ACTS_OF_TICKET))
            .saturating_add(self.duties.saturating_mul(ACTS_OF_DUTY));
        acts.saturating_mul(GAS_OF_ACT).saturating_add(AT_LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_owes_more_keeps_more_gas() {
        let owed = |leases, tickets, duties| Owed {
            leases,
            tickets,
            duties,
        };
        let nothing = Owed::default().gas();
        assert_eq!(nothing, AT_LEAST);
        // each answer that can be asked for within one window is covered, of all tickets at once
        for tickets in [1, 20, 2_000] {
            let kept = owed(10, tickets, 0).gas() - owed(10, 0, 0).gas();
            assert!(kept >= tickets * (8 + 3 + 1) * GAS_OF_ACT);
        }
        assert!(owed(1, 0, 0).gas() > nothing && owed(0, 0, 1).gas() > nothing);
        assert_eq!(owed(u64::MAX, u64::MAX, u64::MAX).gas(), u64::MAX);
    }
}
