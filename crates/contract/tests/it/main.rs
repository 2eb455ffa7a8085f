//! The rules, tried from outside: the good ways, every way to be refused, and random parties.

mod aborts;
mod conformance;
mod disputes;
mod draws;
mod exits;
mod markets;
mod package;
mod payments;
mod publication;
mod random;
mod rounding;
mod spec;
mod storage;
mod tape;
mod treasury;
mod vectors;
mod world;
