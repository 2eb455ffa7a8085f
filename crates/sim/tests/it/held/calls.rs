//! One call, on both sides.

mod audit;
mod market;
mod tickets;
