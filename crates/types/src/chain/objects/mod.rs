//! The objects of the package, field by field as in Move. BCS of an object is its fields in order,
//! `id` (32 bytes) first, `version` next; `Balance` is a `u64`.

mod at_risk;
mod audit;
mod db;
mod node;
mod stack;
mod task;
mod terms;
mod ticket;

pub use at_risk::AtRisk;
pub use audit::{Auditor, Challenge, Exam, Hit, HitStage, Juror, Jury, Verdict};
pub use db::{AdminCap, AtomaDb, EpochBook, Table};
pub use node::{Attestation, FeesInEpoch, Node, NodeStatus, Pending, Standing};
pub use stack::{Lease, Stack};
pub use task::{Attester, Release, Subscription, SubscriptionState, Task};
pub use terms::{SamplingTerms, Terms};
pub use ticket::{Demand, Ticket};

/// The version of the rules that fresh objects are marked with. An object of another version is closed
/// to this code, every exit included: the newer code has taken it over.
pub const VERSION: u64 = 1;
