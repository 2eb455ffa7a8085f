//! Watching settlements: what a node claims is held against the receipts that it gave, and answered within the
//! dispute window, with nobody's help. [`decide()`] says what to do, and is pure; a [`Watcher`] does it, and
//! [`Client::watch`](crate::Client::watch) goes on with it. Where it may stake bonds it challenges answers that are
//! known to be wrong, too: by their bytes, or by an [`AnswerCheck`].

mod ask;
mod challenges;
mod check;
mod decide;
mod fetch;
mod looked;
mod remedy;
pub(crate) mod root;
mod run;
mod shown;
mod twice;
mod watcher;

pub use check::{AnswerCheck, Checked};
pub use decide::{
    Act, DEMANDS_AT_ONCE, Doubt, Held, LOTS, MAX_FEES, Missing, Unseen, WatchPolicy, decide,
};
pub use looked::{Did, EndedChallenge, Looked, SeenTicket, WatchStep};
pub use remedy::{Remedy, WrongAnswer};
pub use run::{WatchPlan, Watched};
pub use watcher::Watcher;
