//! The node's dealings with the ledger, all off the serving path: following events, reading a cold
//! stack once, taking grants there, settling and claiming, registering.
//!
//! * `link` is the connection and the wallet, `ear` says whether events come.
//! * `heard` says what events mean, `keeper` carries it out, `follow` feeds it.
//! * `finder` finds the lease of a request, `grant` gets one, `settle` is paid for it.
//! * `reserve` says what gas must be left for all that is owed.
//! * `register` joins the network at the start, `upkeep` looks after standing and money from then on.

mod ear;
mod finder;
mod follow;
mod grant;
mod heard;
mod keeper;
mod link;
mod register;
mod reserve;
mod settle;
#[cfg(test)]
pub(crate) mod testing;
mod upkeep;

pub(crate) use ear::Ear;
pub(crate) use finder::LeaseFinder;
pub(crate) use follow::{Follower, listen, resume};
pub(crate) use grant::{Granter, TakenGrants};
pub(crate) use keeper::{LeaseKeeper, Signals};
pub(crate) use link::LedgerLink;
pub use register::RegisterError;
pub(crate) use register::{Registration, register};
pub(crate) use settle::SettlementTask;
pub(crate) use upkeep::Upkeep;
