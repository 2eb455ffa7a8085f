//! Units of an idle lease that go back to the stack, and grants that bring new ones. The node's own calls alone move
//! a lease's units, and one of the two goes to the ledger at a time; so it is known here what the ledger can have at
//! most, whatever a read says that was begun before.

use super::{Account, terms::Phase};
use atoma_types::{ComputeUnits, TimestampMs};

impl Account {
    /// Gives up all units that aren't used, so that no request can have them any more, and says how many are left:
    /// what the ledger is to be told. `None` if something is under way, or there is nothing to give. Until it is
    /// known what the ledger did, the answer is the same again.
    pub(crate) fn give_back(&mut self) -> Option<ComputeUnits> {
        let used = ComputeUnits(self.committed);
        if self.moves.giving_back {
            return Some(used);
        }
        let idle = self.phase == Phase::Open && !self.frozen && self.reserved == 0;
        if !idle || self.moves.grants > 0 || self.terms.units <= used {
            return None;
        }
        self.terms.units = used;
        self.moves.most = used;
        self.moves.giving_back = true;
        self.check();
        Some(used)
    }

    /// What the ledger did: took the units back, or refused to. Refused ones are ours again with the next read.
    pub(crate) fn gave_back(&mut self, taken: bool) {
        self.moves.giving_back = false;
        if !taken {
            self.moves.most = ComputeUnits(u64::MAX);
        }
    }

    /// A grant is taken to the ledger; false while units go back there. Each that begins must [end](Self::end_grant).
    pub(crate) fn begin_grant(&mut self, now: TimestampMs) -> bool {
        if self.moves.giving_back {
            return false;
        }
        self.moves.grants += 1;
        self.touch(now);
        true
    }

    /// The ledger took or refused it, or nobody waits for it any more.
    pub(crate) fn end_grant(&mut self) {
        self.moves.grants -= 1;
    }

    /// The ledger took a grant: the lease has so many units in all.
    pub(crate) fn granted(&mut self, units: ComputeUnits) {
        self.moves.most = self.moves.most.max(units);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{
        Terms,
        tests::{account as lease, request},
    };

    const NOW: TimestampMs = TimestampMs(1);

    /// A lease of 100 units, of which so many are committed.
    fn account(committed: u64) -> Account {
        let mut account = lease(100);
        if committed > 0 {
            serve(&mut account, 1, committed);
        }
        account
    }

    fn serve(account: &mut Account, id: u8, units: u64) {
        let request = request(id, 0, 1_000);
        let units = ComputeUnits(units);
        let reserved = account.reserve(&request, units, units, NOW).unwrap();
        let receipt = |link| crate::account::tests::receipt(&request, link, units.0);
        account.commit(reserved, units, NOW, receipt).unwrap();
    }

    fn read(account: &mut Account, units: u64) -> u64 {
        let terms = account.brief().terms;
        account.update_terms(Terms {
            units: ComputeUnits(units),
            ..terms
        });
        account.brief().terms.units.0
    }

    #[test]
    fn what_goes_back_can_be_used_no_more_and_no_older_read_brings_it_back() {
        let mut account = account(30);
        assert_eq!(account.give_back(), Some(ComputeUnits(30)));
        assert_eq!(account.left(), ComputeUnits::ZERO);
        assert_eq!(account.give_back(), Some(ComputeUnits(30)), "tried again");
        assert_eq!(read(&mut account, 100), 30, "read before the ledger had it");
        account.gave_back(true);
        assert_eq!(read(&mut account, 100), 30, "and heard only afterwards");
        assert_eq!(account.give_back(), None, "there is nothing left to give");
        // a grant of ours brings more, and an older read still not all
        assert!(account.begin_grant(NOW));
        account.granted(ComputeUnits(50));
        account.end_grant();
        assert_eq!(read(&mut account, 50), 50);
        assert_eq!(read(&mut account, 100), 50);
        serve(&mut account, 2, 20);
    }

    #[test]
    fn what_the_ledger_refuses_is_ours_again() {
        let mut account = account(0);
        assert_eq!(account.give_back(), Some(ComputeUnits::ZERO));
        account.gave_back(false);
        assert_eq!(read(&mut account, 100), 100);
        serve(&mut account, 1, 100);
    }

    #[test]
    fn nothing_goes_back_while_a_request_or_a_grant_is_under_way() {
        let mut account = account(0);
        let (request, units) = (request(1, 0, 1_000), ComputeUnits(10));
        let reserved = account.reserve(&request, units, units, NOW).unwrap();
        assert_eq!(account.give_back(), None);
        account.release(reserved);
        assert!(account.begin_grant(NOW));
        assert_eq!(account.give_back(), None);
        account.end_grant();
        assert_eq!(account.give_back(), Some(ComputeUnits::ZERO));
        assert!(!account.begin_grant(NOW), "and no grant meanwhile");
        account.gave_back(true);
        assert!(account.begin_grant(NOW));
    }

    #[test]
    fn a_lease_that_is_settled_gives_nothing_back_this_way() {
        for phase in [Phase::Settling, Phase::Closed] {
            let mut account = account(30);
            account.advance(phase);
            assert_eq!(account.give_back(), None);
        }
        let mut account = account(30);
        account.freeze();
        assert_eq!(account.give_back(), None);
    }
}
