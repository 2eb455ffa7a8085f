//! A claim that waits to be paid, and demands for its records.

use super::{Challenge, Exam, Jury};
use crate::{BlobId, ComputeUnits, MicroUsdc, TimestampMs, hash::Hash32, history::LastReceipt};
use serde::{Deserialize, Serialize};

/// A demand to show the record of one unit; it waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Which unit's record, of all units of the lease.
    pub unit: ComputeUnits,
    /// What was paid for it: the node's if it answers, else returned.
    pub fee: MicroUsdc,
    /// The last moment to answer.
    pub deadline_ms: TimestampMs,
}

/// A claim for the units `[from_units, to_units)` of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Units of the lease that are paid or claimed before.
    pub from_units: ComputeUnits,
    /// Units of the lease that would then be paid, earlier ones counted in.
    pub to_units: ComputeUnits,
    /// The `seq` of the last receipt before.
    pub from_seq: u64,
    /// The `seq` of the last receipt; it names the ticket.
    pub to_seq: u64,
    /// Hash of the last receipt: the next ticket's chain goes on from it.
    pub last: Hash32,
    /// The number before the first receipt of its `history`, at most `from_seq`.
    pub base: u64,
    /// The root over the receipts before the last one, which it names: records are proved against it.
    pub history: Hash32,
    /// The blob with all its records, or the one that lists their packs; the rules don't look at it.
    pub manifest_blob: Option<BlobId>,
    /// When it was opened.
    pub opened_at_ms: TimestampMs,
    /// The last moment to demand or challenge; it is paid after it.
    pub deadline_ms: TimestampMs,
    /// Open demands, at most eight; nothing is paid before the last is answered.
    pub demands: Vec<Demand>,
    /// The examination, where the task samples.
    pub exam: Exam,
    /// The jury that a bad verdict of the examiner called.
    pub exam_jury: Option<Jury>,
    /// What the examiner staked on its accusation; zero without one, and once the jury is done.
    pub exam_bond: MicroUsdc,
    /// The one challenge that a ticket may get.
    pub challenge: Option<Challenge>,
}

impl Ticket {
    /// The receipt that binds its records.
    #[must_use]
    pub fn last_receipt(&self) -> LastReceipt {
        LastReceipt {
            seq: self.to_seq,
            hash: self.last,
            base: self.base,
            history: self.history,
        }
    }

    /// Whether it claims a unit.
    #[must_use]
    pub fn claims(&self, unit: ComputeUnits) -> bool {
        self.from_units <= unit && unit < self.to_units
    }

    /// The open demand for a unit.
    #[must_use]
    pub fn demand(&self, unit: ComputeUnits) -> Option<&Demand> {
        self.demands.iter().find(|demand| demand.unit == unit)
    }
}
