//! Trouble on purpose: what a busy Sui does to transactions now and then, for tests of those who send them.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many transactions are still to meet which trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    congested: AtomicU32,
    busy: AtomicU32,
}

impl Trouble {
    /// The next so many transactions that change a shared object are given up for congestion.
    pub(crate) fn congest(&self, transactions: u32) {
        self.congested.store(transactions, Ordering::SeqCst);
    }

    /// The next so many submissions are turned away.
    pub(crate) fn turn_away(&self, submissions: u32) {
        self.busy.store(submissions, Ordering::SeqCst);
    }

    pub(crate) fn is_congested(&self) -> bool {
        take_one(&self.congested)
    }

    pub(crate) fn is_busy(&self) -> bool {
        take_one(&self.busy)
    }
}

fn take_one(left: &AtomicU32) -> bool {
    left.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}
