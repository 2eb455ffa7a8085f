//! The singleton, and the right to set its numbers.

use crate::{MicroUsdc, ObjectId, chain::Params};
use serde::{Deserialize, Serialize};

/// A Move `Table`: its entries are dynamic fields of `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Parent of the entries.
    pub id: ObjectId,
    /// How many entries the table has.
    pub size: u64,
}

/// Who holds it may set parameters and pardon. Owned by the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminCap {
    /// Id of this object.
    pub id: ObjectId,
    /// The database it is for.
    pub db: ObjectId,
}

/// The singleton (shared). Only registration, parameters and the treasury change it; no exit reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtomaDb {
    /// Id of this object.
    pub id: ObjectId,
    /// Version of the rules that may touch it.
    pub version: u64,
    /// Whether parameters may be below their floors: for networks on which nothing is worth anything. It can
    /// be set only before the first node registers, and never back.
    pub development: bool,
    /// The rules' numbers, which the administrator sets.
    pub params: Params,
    /// Nodes by small number: `u64 -> ID`.
    pub nodes: Table,
    /// Number of live tasks by model name: `String -> u64`.
    pub models: Table,
    /// Tasks by small number: `u64 -> ID`.
    pub tasks: Table,
    /// Fees and fines, paid out to working nodes epoch by epoch.
    pub communal_treasury: MicroUsdc,
    /// The epoch that is being reported or paid.
    pub book: EpochBook,
}

/// The sum of one closed epoch. In the first half of epoch `e + 1` nodes report the fees that they paid in
/// `e`; from its middle on each takes its part of the pool, until the first report of a later epoch opens a
/// new book. There is no list, so nothing to fill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochBook {
    /// The epoch: whole days since 1970.
    pub epoch: u64,
    /// Sum of the reported fees.
    pub fees: MicroUsdc,
    /// What they share; fixed by the first payout, of the treasury as it then is.
    pub pool: Option<MicroUsdc>,
}
