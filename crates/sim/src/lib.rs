//! Who earns what under the contract's rules: strategies against honesty, in virtual time.

mod books;
mod dice;
mod market;
mod measure;
pub mod model;
mod network;
mod plan;
mod strategy;
mod weaker;

pub use books::{Account, Group, Seen};
pub use market::Market;
pub use measure::{Measured, WHOLE, measure, measure_beside};
pub use network::{Outcome, run};
pub use plan::{Plan, PlanError};
pub use strategy::{Sides, Strategy};
pub use weaker::{WeakerSet, weaker};
