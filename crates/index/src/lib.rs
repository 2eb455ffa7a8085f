//! The network's history as tables: nodes, tasks, offers, stacks, leases, settlements, disputes,
//! prices over time, daily sums, in one SQLite file.
//!
//! ```text
//! ledger ── events ──> Indexer ── apply (pure) ──> rows + place, one transaction ──> file
//!    └──── objects ──────┘ (terms and standings that no event tells)                  │
//!                                                                     IndexReader <───┘
//! ```
//!
//! * **Exactly once.** An event and the place after it are written together; an event that comes
//!   again is known by its transaction and its place in it, and changes nothing.
//! * **One history.** A file is of one network and one package, and ends with a checkpoint whose
//!   digest the ledger must still have. Anything else is refused before it is mixed in.
//! * **Events first.** Objects are read only for what no event tells: the terms of tasks and stacks,
//!   nodes' reputation and credit, stacks' credit, the treasury's balance. In a task's offers,
//!   the contract's copies of reputation, collateral and suspension are left out: they are the node's
//!   own, and are moved without an event.
//!
//! The read model believes its endpoint. Whoever runs the endpoint can show a history that never was;
//! what decides about money is checked elsewhere, against objects and signatures.

mod apply;
#[cfg(test)]
mod apply_test;
mod column;
mod error;
mod follow;
mod reader;
mod refresh;
mod rows;
mod store;

pub use error::IndexError;
pub use follow::{Indexer, Progress, Until};
pub use reader::{IndexReader, NodeView, Overview, StackView, TaskView};
pub use rows::{
    AuditState, ConvictionRow, DayRow, Demand, DisputeRow, DisputeState, EventRow, LeaseRow,
    LeaseStanding, NodeRow, NodeStanding, ObjectName, OfferRow, ParamRow, PriceRow, ProgressRow,
    SettlementRow, SettlementState, StackRow, StackTerms, StaleRow, TaskRow, TaskTerms,
    TreasuryRow, TreasuryStanding,
};
pub use store::Existing;
