//! The simulator, held to the contract's rules and to what it is for.

mod held;
mod runs;
mod strategies;
