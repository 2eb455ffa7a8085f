//! Bytes from strangers for every parser of them.
//!
//! A [`Target`] is a function over bytes that panics where something doesn't hold: not only that the parser
//! returns, but that what it accepts is encoded to the same bytes again, means the same however it was cut,
//! keeps to its limits, and took no more memory than its length allows. The targets run in two ways:
//!
//! * [`Target::run`]: the corpus, and as many mutants of it as are asked for, the same in every run. The tests
//!   do this, with every test run.
//! * `cargo xtask fuzz`: libFuzzer, led by coverage, for as long as one likes. What it finds goes into the
//!   corpus, and the tests have it from then on.
//!
//! What is read by code that a crate keeps to itself is called by that crate's `fuzzing` module (its feature
//! `fuzzing`); what is public, from here.

mod corpus;
mod memory;
mod mutate;
mod target;
mod targets;

pub use target::{Memory, Target};
pub use targets::TARGETS;

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
