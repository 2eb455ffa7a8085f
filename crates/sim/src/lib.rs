//! Who earns what under the contract's rules: strategies against honesty, in virtual time.
//!
//! ```text
//! Plan ── run ──> Outcome        parties with their conduct over the model of the ledger, from event to event
//! Plan ── measure ──> Measured   the same parties, luck and customers, as the strategy has it and honestly
//! Size ── advise ──> Advice      parameters for which no strategy pays, each strategy beside its closed form
//! ```
//!
//! All money is integers, and all randomness follows from the seed by the name of what is drawn, so the same plan
//! gives the same bytes.

mod accounts;
mod advise;
mod answers;
pub mod choose;
pub mod closed;
mod dice;
mod honest;
mod market;
mod measure;
pub mod model;
mod network;
mod plan;
mod plots;
mod report;
mod size;
mod strategy;
mod svg;
mod weaker;

pub use accounts::{Account, Group, Seen};
pub use advise::{Advice, Comparison, Progress, Weaker, advise, advise_telling};
pub use answers::Answer;
pub use market::Market;
pub use measure::{Measured, WHOLE, measure, measure_beside};
pub use network::{Outcome, run};
pub use plan::{Plan, PlanError};
pub use report::Report;
pub use size::Size;
pub use strategy::{Sides, Strategy};
pub use weaker::{WeakerSet, weaker};
