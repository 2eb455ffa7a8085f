//! One limit, and holds on it.

use super::amount::Amount;
use atoma_types::MicroUsdc;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most holds on one account at once: requests under way, and answers that their users have left and
/// whose receipts are still asked for, which a dead node can draw out for minutes. Each is a task of about
/// 2 KiB, so that a key that does nothing else takes 8 MiB. Requests that only run are limited far below.
const MAX_HOLDS: usize = 4_096;

/// Told when an account's spending has changed and isn't stored yet.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self);
}

/// An account: a limit, what is spent of it, what is held for requests under way.
///
/// `taken` is spent and held together and never exceeds the limit; it alone decides.
pub(crate) struct Account {
    name: String,
    limit: Amount,
    taken: AtomicU64,
    spent: AtomicU64,
    /// How many more holds there may be.
    places: Arc<Semaphore>,
    unsaved: AtomicBool,
    wake: Arc<dyn Wake>,
}

/// How an account stands, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The name of the key that it is of.
    pub name: String,
    /// The most it may spend.
    pub limit: Amount,
    /// What answered requests cost; it never comes back.
    pub spent: Amount,
    /// Held for what is under way.
    pub held: Amount,
}

impl Account {
    /// An account that has already spent something, perhaps more than its limit now allows.
    pub(crate) fn new(name: String, limit: Amount, spent: Amount, wake: Arc<dyn Wake>) -> Self {
        Self {
            name,
            limit,
            taken: AtomicU64::new(spent.0),
            spent: AtomicU64::new(spent.0),
            places: Arc::new(Semaphore::new(MAX_HOLDS)),
            unsaved: AtomicBool::new(false),
            wake,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Holds an amount.
    ///
    /// # Errors
    /// If it doesn't fit any more, or there are too many holds.
    pub(crate) fn reserve(self: &Arc<Self>, amount: Amount) -> Result<Hold, NoHold> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| NoHold::TooMany)?;
        if !self.take(amount) {
            return Err(NoHold::TooDear);
        }
        Ok(Hold {
            account: Arc::clone(self),
            amount,
            _place: place,
        })
    }

    fn take(&self, amount: Amount) -> bool {
        let fits = |taken: u64| {
            let sum = taken.checked_add(amount.0)?;
            (sum <= self.limit.0).then_some(sum)
        };
        // relaxed: the counter guards no other memory
        let order = Ordering::Relaxed;
        self.taken.fetch_update(order, order, fits).is_ok()
    }

    /// Gives back money that was spent (a stack's refund).
    pub(crate) fn credit(&self, amount: Amount) {
        let order = Ordering::Relaxed;
        let less = |value: u64| Some(value.saturating_sub(amount.0));
        // both closures always return a value
        let _ = self.spent.fetch_update(order, order, less);
        let _ = self.taken.fetch_update(order, order, less);
        self.changed();
    }

    pub(crate) fn standing(&self) -> Standing {
        let spent = self.spent.load(Ordering::Relaxed);
        let taken = self.taken.load(Ordering::Relaxed);
        Standing {
            name: self.name.clone(),
            limit: self.limit,
            spent: Amount(spent),
            held: Amount(taken.saturating_sub(spent)),
        }
    }

    /// What is neither spent nor held, in whole micro-USDC.
    pub(crate) fn left(&self) -> MicroUsdc {
        let taken = self.taken.load(Ordering::Relaxed);
        Amount(self.limit.0.saturating_sub(taken)).whole()
    }

    /// Whether its spending has changed since the last call.
    pub(crate) fn take_unsaved(&self) -> bool {
        // acquire pairs with the release in `changed`: a sum read later is at least the one announced
        self.unsaved.swap(false, Ordering::AcqRel)
    }

    /// Announces a change, once until it is taken.
    fn changed(&self) {
        if !self.unsaved.swap(true, Ordering::AcqRel) {
            self.wake.wake();
        }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.standing().fmt(f)
    }
}

/// Money held for one request. Dropped, it goes back.
#[derive(Debug)]
pub(crate) struct Hold {
    account: Arc<Account>,
    amount: Amount,
    _place: OwnedSemaphorePermit,
}

/// Why nothing is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHold {
    /// The account has less left.
    TooDear,
    /// [`MAX_HOLDS`] are held already.
    TooMany,
}

impl Hold {
    /// Holds more, so that it is `amount` in all; false if that doesn't fit.
    pub(crate) fn raise(&mut self, amount: Amount) -> bool {
        let more = Amount(amount.0.saturating_sub(self.amount.0));
        if !self.account.take(more) {
            return false;
        }
        self.amount = self.amount.max(amount);
        true
    }

    /// Spends this much of it; the rest goes back. Never more than was held: a receipt above the
    /// signed `max_units` is refused before it comes here.
    pub(crate) fn settle(mut self, actual: Amount) {
        debug_assert!(actual <= self.amount, "settled above the hold");
        let actual = actual.min(self.amount);
        self.amount.0 -= actual.0;
        self.account.spent.fetch_add(actual.0, Ordering::Relaxed);
        if actual.0 > 0 {
            self.account.changed();
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let before = self
            .account
            .taken
            .fetch_sub(self.amount.0, Ordering::Relaxed);
        debug_assert!(before >= self.amount.0, "gave back more than was taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::thread;

    struct Nobody;
    impl Wake for Nobody {
        fn wake(&self) {}
    }

    fn account(limit: u64, spent: u64) -> Arc<Account> {
        let name = "test".to_owned();
        let account = Account::new(name, Amount(limit), Amount(spent), Arc::new(Nobody));
        Arc::new(account)
    }

    #[test]
    fn what_is_held_is_spent_or_given_back() {
        let account = account(100, 40);
        let mut hold = account.reserve(Amount(50)).unwrap();
        assert!(account.reserve(Amount(11)).is_err());
        assert!(hold.raise(Amount(60)) && !hold.raise(Amount(61)));
        assert!(account.reserve(Amount(1)).is_err());
        hold.settle(Amount(20));
        assert!(account.take_unsaved());
        assert_eq!(account.standing().spent, Amount(60));
        assert!(!account.take_unsaved());
        drop(account.reserve(Amount(40)).unwrap());
        assert!(!account.take_unsaved(), "nothing was spent");
        account.credit(Amount(10));
        let standing = account.standing();
        assert_eq!((standing.spent, standing.held), (Amount(50), Amount(0)));
    }

    #[test]
    fn there_are_only_so_many_holds_whatever_they_cost() {
        let account = account(100, 0);
        let holds: Vec<_> = (0..MAX_HOLDS)
            .map(|_| account.reserve(Amount(0)).unwrap())
            .collect();
        let more = || account.reserve(Amount(0)).map(drop);
        assert_eq!(more(), Err(NoHold::TooMany));
        drop(holds);
        assert_eq!(more(), Ok(()));
        assert_eq!(account.reserve(Amount(101)).unwrap_err(), NoHold::TooDear);
    }

    #[test]
    fn spent_above_a_limit_that_was_lowered() {
        let account = account(10, 40);
        assert!(account.reserve(Amount(1)).is_err());
        assert!(account.reserve(Amount(u64::MAX)).is_err());
    }

    #[test]
    fn a_thousand_at_once_get_exactly_what_fits() {
        const FITS: usize = 100;
        let account = account(7 * 100, 0);
        let served: usize = thread::scope(|scope| {
            let runs: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let holds = (0..125).filter_map(|_| account.reserve(Amount(7)).ok());
                        holds.map(|hold| hold.settle(Amount(7))).count()
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(served, FITS);
        assert_eq!(account.standing().spent, Amount(700));
    }

    proptest! {
        #[test]
        fn taken_is_spent_and_held_and_within_the_limit(
            limit in 0..1000u64,
            steps in proptest::collection::vec((0..300u64, 0..300u64, any::<bool>()), 1..60),
        ) {
            let account = account(limit, 0);
            let mut holds = Vec::new();
            let mut spent = 0;
            for (reserve, settle, finish) in steps {
                holds.extend(account.reserve(Amount(reserve)).ok());
                if finish && !holds.is_empty() {
                    let hold: Hold = holds.swap_remove(settle as usize % holds.len());
                    let actual = hold.amount.min(Amount(settle));
                    spent += actual.0;
                    hold.settle(actual);
                }
                let held: u64 = holds.iter().map(|hold| hold.amount.0).sum();
                let standing = account.standing();
                prop_assert_eq!((standing.spent.0, standing.held.0), (spent, held));
                prop_assert!(spent + held <= limit);
            }
        }
    }
}
