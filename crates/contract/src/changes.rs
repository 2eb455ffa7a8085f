//! What goes into a transaction and what comes out of it.

use crate::{Object, Owner};
use atoma_types::{
    Address, MicroUsdc, NetworkId, ObjectId, TimestampMs,
    chain::{AbortCode, Event},
};
use std::collections::{BTreeMap, BTreeSet};
use sui_sdk_types::Digest;

/// What a transaction is told by the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Env {
    /// Address that signed the transaction; owners and caps are checked against it.
    pub sender: Address,
    /// The time that the ledger's clock shows in this transaction, in milliseconds since 1970.
    pub now: TimestampMs,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// The transaction's digest: new ids are derived from it.
    pub transaction: Digest,
    /// Ids that the transaction has created already.
    pub created: u64,
    /// The beacon's bytes for this transaction, unknown to anyone before it is fixed.
    pub seed: [u8; 32],
}

/// A failed check; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {}", code.help())]
pub struct Abort {
    /// Why the call was refused.
    pub code: AbortCode,
}

impl From<AbortCode> for Abort {
    fn from(code: AbortCode) -> Self {
        Self { code }
    }
}

/// Money that leaves the package, as a coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The address that gets it.
    pub to: Address,
    /// How much; never zero.
    pub amount: MicroUsdc,
}

/// What a transaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Objects made or changed, as they are now.
    pub written: BTreeMap<ObjectId, (Object, Owner)>,
    /// Ids of the objects that were deleted.
    pub deleted: BTreeSet<ObjectId>,
    /// What happened, in the order of the calls.
    pub events: Vec<Event>,
    /// What is paid to whom, in the order of the calls.
    pub payouts: Vec<Payout>,
    /// Ids created in the whole transaction, [`Env::created`] included.
    pub created: u64,
    /// The sum of the coins that the calls took, in micro-USDC.
    pub paid_in: MicroUsdc,
}
