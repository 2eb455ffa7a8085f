//! What is of the network as a whole: treasury, days, parameters.

use crate::column::table;
use atoma_types::{ComputeUnits, MicroUsdc, TimestampMs};

table! {
    /// The treasury's flows. One row, with key 0.
    TreasuryRow in "treasury"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// Fees swept into it.
        fees: MicroUsdc,
        /// Fines that became its own, in micro-USDC.
        fines: MicroUsdc,
        /// Paid out to nodes.
        paid: MicroUsdc,
    }
    index []
}

table! {
    /// What only the database's object tells. Object; read again after each event that changes it.
    TreasuryStanding in "treasury_standing"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// What is in it.
        balance: MicroUsdc,
        /// The epoch that is being reported or paid.
        epoch: u64,
    }
    index []
}

table! {
    /// What happened on a day (UTC).
    DayRow in "days"
    key {
        /// The day (UTC), counted from 1970-01-01, which is 0.
        day: u64,
    }
    columns {
        /// How many stacks were bought.
        stacks: u64,
        /// Units of the stacks that were bought, top-ups included.
        units_bought: ComputeUnits,
        /// Money paid in for them.
        deposited: MicroUsdc,
        /// Units that nodes were paid for.
        units_settled: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// What nodes were paid, fees not counted, in micro-USDC.
        paid: MicroUsdc,
        /// What the protocol got.
        fees: MicroUsdc,
        /// What examinations got.
        dues: MicroUsdc,
        /// What came out of escrows and became users' credit.
        freed: MicroUsdc,
        /// How many records were demanded.
        disputes: u64,
        /// How many nodes were convicted.
        convictions: u64,
        /// Collateral that they took.
        fined: MicroUsdc,
        /// What the treasury paid to nodes, in micro-USDC.
        treasury_paid: MicroUsdc,
    }
    index []
}

table! {
    /// A parameter that was set since the history's begin.
    ParamRow in "params"
    key {
        /// The event that said so.
        number: u64,
    }
    columns {
        /// The parameter's name, as `set_param` takes it.
        name: String,
        /// The parameter's new value.
        value: u64,
        /// When it happened, by the ledger's clock.
        at_ms: TimestampMs,
    }
    index []
}

impl DayRow {
    /// A day on which nothing has happened yet.
    pub(crate) fn new(day: u64) -> Self {
        Self {
            day,
            stacks: 0,
            units_bought: ComputeUnits::ZERO,
            deposited: MicroUsdc::ZERO,
            units_settled: ComputeUnits::ZERO,
            requests: 0,
            paid: MicroUsdc::ZERO,
            fees: MicroUsdc::ZERO,
            dues: MicroUsdc::ZERO,
            freed: MicroUsdc::ZERO,
            disputes: 0,
            convictions: 0,
            fined: MicroUsdc::ZERO,
            treasury_paid: MicroUsdc::ZERO,
        }
    }
}
