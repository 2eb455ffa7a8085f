//! Why a transaction can't be built.

use atoma_types::ObjectId;
use sui_crypto::SignatureError;

/// What keeps a transaction from being built; nothing was submitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Neither calls nor gifts.
    #[error("there is nothing to do")]
    NothingToDo,
    /// A payment, and no coins that reach it.
    #[error("there is no coin to pay with")]
    NoCoin,
    /// The payments, or the coins for them, are together more than a `u64` holds.
    #[error("the payments overflow")]
    Overflow,
    /// A payment of more coins than the merges before it make few.
    #[error("the payment takes more coins than {merges} merges make few")]
    Scattered {
        /// How many merges there may be.
        merges: u32,
    },
    /// An object that a call takes as a shared one.
    #[error("object {0} is not shared")]
    NotShared(ObjectId),
    /// An object whose version wasn't looked up.
    #[error("object {0} is not resolved")]
    Unresolved(ObjectId),
    /// More slots than a pool has, or none.
    #[error("a pool has 1 to {most} slots")]
    Slots {
        /// The most that it may have.
        most: u16,
    },
    /// Work that needs more of the wallet than a coin for gas.
    #[error("payments and objects of one's own go through the wallet, not through a pool")]
    NotForAPool,
    /// Sui's builder refuses it.
    #[error(transparent)]
    Builder(#[from] sui_transaction_builder::Error),
    /// It can't be signed.
    #[error("cannot sign it")]
    Sign(#[source] SignatureError),
}
