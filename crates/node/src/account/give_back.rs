//! Units that a lease has no use for, which go back to the stack, and grants that bring new ones. The node's own calls alone move
//! a lease's units, and one of the two goes to the ledger at a time; so it is known here what the ledger can have at
//! most, whatever a read says that was begun before.

use super::{Account, terms::Phase};
use atoma_types::{ComputeUnits, TimestampMs};

/// What goes back of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Back {
    /// What stays at least, beside what is used and reserved.
    pub keep: ComputeUnits,
    /// What goes back at most: a grant that has just come stays.
    pub most: ComputeUnits,
}

impl Account {
    /// Gives up units that are neither used nor reserved, so that no request can have them any more, and says how many
    /// the lease has then: what the ledger is to be told. `None` if a grant is under way, or there is nothing to give.
    /// Until it is known what the ledger did, the answer is the same again.
    pub(crate) fn give_back(&mut self, back: Option<Back>) -> Option<ComputeUnits> {
        if self.moves.giving_back {
            return Some(self.moves.most);
        }
        let able = self.phase == Phase::Open && !self.frozen && self.moves.grants == 0;
        let Back { keep, most } = back?;
        let stays = ComputeUnits(self.committed + self.reserved).saturating_add(keep);
        let units = stays.max(self.terms.units.saturating_sub(most));
        if !able || self.terms.units <= units {
            return None;
        }
        self.terms.units = units;
        self.moves.most = units;
        self.moves.giving_back = true;
        self.check();
        Some(units)
    }

    /// What the ledger did: took the units back, or refused to. Refused ones are ours again with the next read.
    pub(crate) fn gave_back(&mut self, taken: bool) {
        self.moves.giving_back = false;
        self.moves.returned += u32::from(taken);
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
    /// All that isn't used.
    const ALL: Option<Back> = Some(Back {
        keep: ComputeUnits::ZERO,
        most: ComputeUnits(u64::MAX),
    });

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
        assert_eq!(account.give_back(ALL), Some(ComputeUnits(30)));
        assert_eq!(account.left(), ComputeUnits::ZERO);
        assert_eq!(
            account.give_back(ALL),
            Some(ComputeUnits(30)),
            "tried again"
        );
        assert_eq!(read(&mut account, 100), 30, "read before the ledger had it");
        account.gave_back(true);
        assert_eq!(read(&mut account, 100), 30, "and heard only afterwards");
        assert_eq!(
            account.give_back(ALL),
            None,
            "there is nothing left to give"
        );
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
        assert_eq!(account.give_back(ALL), Some(ComputeUnits::ZERO));
        account.gave_back(false);
        assert_eq!(read(&mut account, 100), 100);
        serve(&mut account, 1, 100);
    }

    #[test]
    fn what_runs_what_is_kept_and_a_grant_that_just_came_stay() {
        let mut account = account(30);
        let (request, units) = (request(2, 0, 1_000), ComputeUnits(10));
        let reserved = account.reserve(&request, units, units, NOW).unwrap();
        let back = |keep, most| {
            Some(Back {
                keep: ComputeUnits(keep),
                most: ComputeUnits(most),
            })
        };
        assert_eq!(account.give_back(None), None);
        assert_eq!(account.give_back(back(60, 100)), None, "no more is left");
        assert_eq!(account.give_back(back(5, 50)), Some(ComputeUnits(50)));
        account.release(reserved);
        let again = account.give_back(None);
        assert_eq!(again, Some(ComputeUnits(50)), "until it is known");
        account.gave_back(true);
        assert_eq!(account.brief().returned, 1);
        serve(&mut account, 3, 20);
        assert_eq!(account.left(), ComputeUnits::ZERO);
    }

    #[test]
    fn nothing_goes_back_while_a_grant_is_under_way() {
        let mut account = account(0);
        assert!(account.begin_grant(NOW));
        assert_eq!(account.give_back(ALL), None);
        account.end_grant();
        assert_eq!(account.give_back(ALL), Some(ComputeUnits::ZERO));
        assert!(!account.begin_grant(NOW), "and no grant meanwhile");
        account.gave_back(true);
        assert!(account.begin_grant(NOW));
    }

    #[test]
    fn a_lease_that_is_settled_gives_nothing_back_this_way() {
        for phase in [Phase::Settling, Phase::Closed] {
            let mut account = account(30);
            account.advance(phase);
            assert_eq!(account.give_back(ALL), None);
        }
        let mut account = account(30);
        account.freeze();
        assert_eq!(account.give_back(ALL), None);
    }
}
