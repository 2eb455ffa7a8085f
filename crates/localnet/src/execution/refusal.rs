//! Why a transaction isn't executed at all: nothing is charged and nothing changes.

use super::refusal_cause::{BadSignature, Malformed, NotNow, Unpublishable, Unsupported};
use atoma_types::{Address, ObjectId};
use sui_sdk_types::{Digest, TypeTag};

/// A transaction that is turned away before execution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It isn't formed as a transaction of this ledger must be.
    #[error("malformed transaction: {0}")]
    Malformed(Malformed),
    /// It asks for something that this ledger doesn't do.
    #[error("not supported by localnet: {0}")]
    Unsupported(Unsupported),
    /// It publishes what can't be published here.
    #[error("localnet cannot publish this: {0}")]
    Publication(Unpublishable),
    /// It calls, or depends on, a package that isn't there.
    #[error("dependent package not found on-chain: {id}")]
    NoPackage {
        /// Id of the object on the ledger.
        id: ObjectId,
    },
    /// A signature is missing, wrong or by someone else.
    #[error("signature refused: {0}")]
    Signature(BadSignature),
    /// An input doesn't exist.
    #[error("object {id} does not exist")]
    NoObject {
        /// Id of the object on the ledger.
        id: ObjectId,
    },
    /// An input was named in a version that isn't the current one: stale, or spent already.
    #[error(
        "object {id} version {given} is not available for consumption, current version: {current}"
    )]
    Version {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// What the transaction gives.
        given: u64,
        /// As it is.
        current: u64,
    },
    /// An input's digest is another.
    #[error("object {id} has digest {current}, not {given}")]
    ObjectDigest {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// What the transaction gives.
        given: Digest,
        /// As it is.
        current: Digest,
    },
    /// An input belongs to someone else, or isn't owned as the transaction says.
    #[error("object {id} is not owned by {expected} as this input says")]
    Ownership {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// Who should own it.
        expected: Address,
    },
    /// An object is named twice.
    #[error("object {id} is named twice")]
    Twice {
        /// Id of the object on the ledger.
        id: ObjectId,
    },
    /// Gas is offered at less than the reference price.
    #[error("gas price {given} is below the reference price {least}")]
    GasPrice {
        /// What the transaction gives.
        given: u64,
        /// The least that is taken.
        least: u64,
    },
    /// The budget is out of bounds.
    #[error("gas budget {given} is not within {least} and {most}")]
    GasBudget {
        /// What the transaction gives.
        given: u64,
        /// The least that is taken.
        least: u64,
        /// The most that is taken.
        most: u64,
    },
    /// The gas coins hold less than the budget.
    #[error("gas coins hold {balance}, less than the budget {budget}")]
    GasBalance {
        /// What they hold.
        balance: u64,
        /// The most that the transaction may take for gas, in MIST.
        budget: u64,
    },
    /// An address balance holds less than is taken from it.
    #[error("the address balance of {owner} in {coin_type} holds {available}, less than {asked}")]
    Withdrawal {
        /// Whose it is.
        owner: Address,
        /// The kind of money.
        coin_type: TypeTag,
        /// What the transaction may take.
        asked: u64,
        /// What there is.
        available: u64,
    },
    /// Its time is over, hasn't come, or is another network's.
    #[error("transaction is not valid now: {0}")]
    Expired(NotNow),
}
