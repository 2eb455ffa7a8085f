//! How many grants of each owner's were taken to the ledger of late: each costs the node a transaction, and its owner
//! a signature.

use atoma_types::{Address, TimestampMs};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Days are counted one by one, of the node's clock.
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Owners that are counted, 64 bytes each; beyond that those of former days are forgotten, and those with few grants.
const MAX_COUNTED: usize = 65_536;
/// So many are few.
const FEW: u32 = 4;

/// Grants on stacks that had a lease here already, of each owner: on the day of its last one, and since the start. The
/// first one on a stack isn't counted. A restart begins anew.
#[derive(Debug, Default)]
pub(crate) struct TakenGrants(Mutex<HashMap<Address, Taken>>);

#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    day: u64,
    grants: u32,
    ever: u32,
}

impl TakenGrants {
    /// Those of the owner's today, and since the start.
    pub(super) fn of(&self, owner: Address, now: TimestampMs) -> (u32, u32) {
        let day = now.0 / DAY_MS;
        let taken = self.0.lock().get(&owner).copied().unwrap_or_default();
        let today = if taken.day == day { taken.grants } else { 0 };
        (today, taken.ever)
    }

    pub(super) fn add(&self, owner: Address, now: TimestampMs) {
        let day = now.0 / DAY_MS;
        let mut all = self.0.lock();
        if all.len() >= MAX_COUNTED {
            all.retain(|_, taken| taken.day == day && taken.grants > FEW);
        }
        let taken = all.entry(owner).or_default();
        if taken.day != day {
            (taken.day, taken.grants) = (day, 0);
        }
        taken.grants = taken.grants.saturating_add(1);
        taken.ever = taken.ever.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Address = Address::new([1; 32]);

    #[test]
    fn an_owners_grants_are_counted_over_all_stacks_and_for_a_day() {
        let taken = TakenGrants::default();
        let (first, next) = (TimestampMs(DAY_MS - 1), TimestampMs(DAY_MS));
        assert_eq!(taken.of(OWNER, first), (0, 0));
        for _ in 0..3 {
            taken.add(OWNER, first);
        }
        assert_eq!(taken.of(OWNER, first), (3, 3));
        assert_eq!(taken.of(Address::new([2; 32]), first), (0, 0));
        assert_eq!(taken.of(OWNER, next), (0, 3));
        taken.add(OWNER, next);
        assert_eq!(taken.of(OWNER, next), (1, 4));
    }
}
