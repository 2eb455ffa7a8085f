//! The rows of the read model. Those whose head says "object" hold what no event tells; everything
//! else follows from the events alone. `supply`, `demand` and `settle` are filled by the files of the
//! same names in `apply/`.

mod demand;
mod history;
mod network;
mod settle;
mod supply;

pub use demand::{Demand, LeaseRow, LeaseStanding, StackRow, StackTerms};
pub use history::{EventRow, ObjectName, ProgressRow, StaleRow};
pub use network::{DayRow, ParamRow, TreasuryRow, TreasuryStanding};
pub use settle::{
    AuditState, ConvictionRow, DisputeRow, DisputeState, SettlementRow, SettlementState,
};
pub use supply::{NodeRow, NodeStanding, OfferRow, PriceRow, TaskRow, TaskTerms};
