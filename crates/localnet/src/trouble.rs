//! Trouble on purpose: what a busy Sui does to transactions now and then, and what stands before one to those who follow
//! events, for tests of both.

use crate::store::Place;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tonic::{Code, Status};

/// How many transactions are still to meet which trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    congested: AtomicU32,
    busy: AtomicU32,
    /// What those who follow events meet.
    deaf: watch::Sender<Deaf>,
}

/// Why events aren't told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Deaf {
    #[default]
    No,
    /// Everybody is refused, with this code.
    Refused(Code),
    /// Before this checkpoint no place is known any more.
    Forgotten(u64),
}

impl Deaf {
    /// Whether somebody may follow, who goes on after a place or begins now.
    pub(crate) fn check(self, after: Option<Place>) -> Result<(), Status> {
        match self {
            Self::Refused(code) => Err(Status::new(code, "events are refused on purpose")),
            Self::Forgotten(oldest) if after.is_some_and(|place| place.0 < oldest) => {
                let message = "the place is older than what is kept, on purpose";
                Err(Status::out_of_range(message))
            }
            Self::No | Self::Forgotten(_) => Ok(()),
        }
    }

    /// What a stream ends with that had begun before.
    pub(crate) fn end(self) -> Option<Status> {
        match self {
            Self::No => None,
            Self::Refused(_) => self.check(None).err(),
            Self::Forgotten(_) => Some(Status::unavailable("the stream is cut on purpose")),
        }
    }
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

    /// What those who follow events meet from now on; streams that run end by it.
    pub(crate) fn deafen(&self, deaf: Deaf) {
        self.deaf.send_replace(deaf);
    }

    pub(crate) fn deaf(&self) -> watch::Receiver<Deaf> {
        self.deaf.subscribe()
    }

    pub(crate) fn deaf_now(&self) -> Deaf {
        *self.deaf.borrow()
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
