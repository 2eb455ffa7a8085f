//! Whether an answer is the model's: what an attester finds, and what a user finds who looks for themselves.
//!
//! In the *exact* class there is one right answer to a signed request: the header decides seed and time, the body
//! everything else, and the engine gives the same bits on every machine. So whoever has both bodies and the
//! model finds what the node must have said, and holds it against what the node did say and charge:
//!
//! ```text
//! Exchange                                        header and receipt, signed and for each other: there is no other
//! Work ── plan ──► Finding                        what needs no model: commitments, class, units, form
//!            └───► Rerun ── engine ──► Recomputed ── judge ──► Finding
//! Finding + Ballot ── verdict ──► the byte and the 32 bytes that a juror puts on the ledger
//! ```
//!
//! [`plan()`], [`judge()`] and [`verdict()`] are pure; [`examine()`] is the way through all of them. The record's place in a
//! settlement is the ledger's to check, and `evidence`'s.
//! Where numbers are close and not equal, [`tolerant`] judges sums instead.
//! `docs/verification.md` says what is found and what isn't.

mod asked;
mod digest;
mod examine;
mod exchange;
mod finding;
mod judge;
mod plan;
#[cfg(feature = "testing")]
pub mod testing;
mod told;
pub mod tolerant;
mod work;

pub use digest::{Ballot, verdict};
pub use examine::{Examined, examine};
pub use exchange::{Exchange, NoExchange, Signers};
pub use finding::{Finding, Reason};
pub use judge::{Recomputed, judge};
pub use plan::{Plan, Rerun, Unable, plan};
pub use work::{Body, Promised, Work};
