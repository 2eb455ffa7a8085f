//! What execution makes of a transaction.

use crate::{
    record::{Executed, Extra},
    state::Delta,
};
use atoma_types::{ObjectId, TimestampMs};
use sui_sdk_types::{
    BalanceChange, Transaction, TransactionEffects, TransactionEvents, UserSignature,
};

/// What came of a transaction, whether it succeeded or failed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) effects: TransactionEffects,
    pub(crate) events: Option<TransactionEvents>,
    pub(crate) delta: Delta,
    /// Types of the changed objects.
    pub(crate) types: Vec<(ObjectId, String)>,
    pub(crate) balance_changes: Vec<BalanceChange>,
}

impl Outcome {
    /// Everything but the state's delta, as it is kept. `place` is the checkpoint and the position in it.
    pub(crate) fn executed(
        &self,
        transaction: Transaction,
        signatures: Vec<UserSignature>,
        place: (u64, u64),
        time: TimestampMs,
    ) -> Executed {
        Executed {
            digest: self.delta.digest,
            checkpoint: place.0,
            position: place.1,
            time,
            transaction,
            signatures,
            effects: self.effects.clone(),
            events: self.events.clone(),
            extra: Extra {
                types: self.types.clone(),
                balance_changes: self.balance_changes.clone(),
            },
        }
    }
}
