//! An executed transaction as it is kept and served.

use crate::error::{Damage, LocalnetError};
use atoma_types::{ObjectId, TimestampMs};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use sui_sdk_types::{
    BalanceChange, CheckpointContents, CheckpointSummary, Digest, Transaction, TransactionEffects,
    TransactionEvents, UserSignature,
};

/// A transaction with everything that came of it.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) digest: Digest,
    /// The checkpoint it is in, sealed or about to be.
    pub(crate) checkpoint: u64,
    /// Its place there.
    pub(crate) position: u64,
    /// The ledger's time when it ran.
    pub(crate) time: TimestampMs,
    pub(crate) transaction: Transaction,
    pub(crate) signatures: Vec<UserSignature>,
    pub(crate) effects: TransactionEffects,
    pub(crate) events: Option<TransactionEvents>,
    pub(crate) extra: Extra,
}

/// What clients are told beside the effects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Extra {
    /// Types of the changed objects.
    pub(crate) types: Vec<(ObjectId, String)>,
    pub(crate) balance_changes: Vec<BalanceChange>,
}

impl Executed {
    /// The type of an object that it changed.
    pub(crate) fn type_of(&self, id: &ObjectId) -> Option<&str> {
        let types = &self.extra.types;
        let at = types.binary_search_by(|(other, _)| other.cmp(id)).ok()?;
        Some(&types[at].1)
    }
}

/// A sealed checkpoint with its transactions.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) summary: CheckpointSummary,
    pub(crate) digest: Digest,
    pub(crate) contents: CheckpointContents,
    pub(crate) transactions: Vec<Arc<Executed>>,
}

/// Reads stored bytes.
pub(crate) fn decode<T: serde::de::DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, LocalnetError> {
    bcs::from_bytes(bytes).map_err(|source| Damage::Bytes { what, source }.into())
}

/// Bytes of what is stored.
pub(crate) fn encode<T: Serialize>(
    what: &'static str,
    value: &T,
) -> Result<Vec<u8>, LocalnetError> {
    bcs::to_bytes(value).map_err(|source| Damage::Bytes { what, source }.into())
}
