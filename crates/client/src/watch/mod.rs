//! Watching settlements: what a node claims is held against the receipts that it gave, and answered within the
//! dispute window, with nobody's help. [`decide()`] says what to do, and is pure; a [`Watcher`] does it, and
//! [`Client::watch`](crate::Client::watch) goes on with it.

mod decide;
mod run;
mod shown;
mod watcher;

pub use decide::{Act, DEMANDS_AT_ONCE, Doubt, Held, MAX_FEES, WatchPolicy, decide};
pub use run::Watched;
pub use watcher::{Did, Looked, SeenTicket, WatchStep, Watcher};
