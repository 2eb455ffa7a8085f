//! The client against localnet and a node that does what the test asks of it: honest answers,
//! refusals, broken connections and lies. (Stories with real nodes are told in the workspace's
//! `tests/`; a real node can't be made to lie.)

mod away;
mod challenge;
mod close;
mod doubles;
mod earned;
mod foreign;
mod gaps;
mod left;
mod look_out;
mod never_came;
mod owed;
mod passed;
mod price;
mod proof;
mod requests;
mod scripted;
mod together;
mod unanswered;
mod watch;
mod world;
