//! How operations become commits.

use std::time::Duration;

/// How operations become commits.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Most operations in one commit: beyond some number a commit takes longer than the wait that it
    /// saves.
    pub max_batch: usize,
    /// Most operations that wait; [`Store::send`](super::Store::send) refuses more.
    pub capacity: usize,
    /// What is worth waiting for.
    pub gather: Gather,
    /// What a failed commit means.
    pub on_failure: OnFailure,
}

/// What the writer waits for before a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// It waits for nothing: what has come is committed at once.
    Nothing,
    /// After a commit of at least so many operations, which shows that more are on their way, the
    /// next one waits so long for them (Postgres calls it `commit_siblings` and `commit_delay`). A
    /// lone operation never waits.
    Siblings {
        /// Operations that show it.
        least: usize,
        /// How long the pause is.
        pause: Duration,
    },
    /// Operations sent by [`Store::send_lazily`](super::Store::send_lazily), for which nobody waits, gather so long, or until
    /// one comes that somebody waits for.
    Lazily {
        /// How long the pause is.
        pause: Duration,
    },
}

/// What a failed commit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The store closes.
    Close,
    /// The same batch is tried again after a pause, until the store is closed.
    Retry {
        /// How long the pause is.
        pause: Duration,
    },
}
