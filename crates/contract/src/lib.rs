//! The contract's rules as a pure state machine: objects and a call go in, changed objects, events
//! and payouts come out. No I/O, no clock, no randomness of its own; localnet runs it, the Move
//! package is held against it, and `docs/protocol.md` tells its rules in words.
//!
//! ```text
//! State ── begin(Env) ──> Txn ── call(&Call)* ──> finish() ──> Changes ──> State::commit
//! ```
//!
//! A call that aborts changes nothing; a transaction that is dropped changes nothing.

mod audit;
mod changes;
mod db;
mod dispatch;
mod dispute;
pub mod draw;
pub mod invariants;
pub mod limits;
mod node;
mod object;
mod settlement;
mod stack;
mod standing;
mod state;
mod task;
mod treasury;
mod txn;
mod verified;
mod walrus;

pub use audit::unit_of;
pub use changes::{Abort, Changes, Env, Payout};
pub use object::{DecodeObjectError, Object, Owner, TableEntry};
pub use state::State;
pub use txn::Txn;

use atoma_types::{MicroUsdc, chain::AbortCode};

/// What a rule says: nothing, or why not.
type Rule<T = ()> = Result<T, AbortCode>;

/// One check, one code.
fn ensure(holds: bool, code: AbortCode) -> Rule {
    if holds { Ok(()) } else { Err(code) }
}

/// A balance after something came in.
fn plus(balance: MicroUsdc, amount: MicroUsdc) -> Rule<MicroUsdc> {
    balance.checked_add(amount).ok_or(AbortCode::AmountOverflow)
}

/// A balance after something went out.
fn minus(balance: MicroUsdc, amount: MicroUsdc) -> Rule<MicroUsdc> {
    balance.checked_sub(amount).ok_or(AbortCode::AmountOverflow)
}
