//! The rows of the read model. Those whose head says "object" hold what no event tells; everything
//! else follows from the events alone. `market`, `stacks` and `settlements` are filled by the files of the
//! same names in `apply/`.

mod history;
mod market;
mod network;
mod settlements;
mod stacks;

pub use history::{EventRow, ObjectName, ProgressRow, StaleRow};
pub use market::{NodeRow, NodeStanding, OfferRow, PriceRow, TaskRow, TaskTerms};
pub use network::{DayRow, ParamRow, TreasuryRow, TreasuryStanding};
pub use settlements::{
    AuditState, ConvictionRow, DisputeRow, DisputeState, SettlementRow, SettlementState,
};
pub use stacks::{Demand, LeaseRow, LeaseStanding, StackRow, StackTerms};
