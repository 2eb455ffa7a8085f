//! What is wrong with a transaction that is turned away, where its [`Refusal`](super::Refusal) has several causes.

use atoma_package::PackageError;
use atoma_types::ObjectId;

/// How a transaction isn't formed as one of this ledger must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it has no commands")]
    NoCommands,
    #[error("it has too many commands or inputs")]
    TooManyCommands,
    #[error("a command is of an unknown kind")]
    UnknownCommand,
    #[error("a command has too many arguments")]
    TooManyArguments,
    #[error("only transfers and merges may follow a call that draws")]
    AfterDraw,
    #[error("it has {bytes} bytes, at most {most}")]
    Length { bytes: usize, most: usize },
    #[error("a plain value is too long")]
    ValueTooLong,
    #[error("a plain value can't be encoded: {0}")]
    Value(bcs::Error),
    #[error("object {id} is not shared")]
    NotShared { id: ObjectId },
    #[error("object {id} is no gas coin")]
    NoGasCoin { id: ObjectId },
    #[error("it has too many gas coins")]
    TooManyGasCoins,
    #[error("there is no gas coin where an address balance pays for gas")]
    GasCoinNamed,
    #[error("where an address balance pays for gas, one or two epochs must be named")]
    Epochs,
    #[error("it names an object that can't be written")]
    Unwritable,
    #[error("nothing is withdrawn from a sponsor's balance")]
    SponsorsBalance,
    #[error("a withdrawal is of nothing")]
    EmptyWithdrawal,
    #[error("{count} withdrawals, at most {most}")]
    Withdrawals { count: usize, most: usize },
    #[error("the treasury is empty")]
    EmptyTreasury,
    #[error("nothing was asked for")]
    EmptyGift,
}

/// What Sui does and this ledger doesn't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsupported {
    #[error("system transactions")]
    SystemTransaction,
    #[error("upgrading and vectors of objects")]
    UpgradeOrVector,
    #[error("this kind of expiration")]
    Expiration,
    #[error("receiving objects sent to objects")]
    Receiving,
    #[error("this kind of input")]
    Input,
    #[error("withdrawals by an allowance")]
    Allowance,
}

/// Why a package isn't published here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unpublishable {
    #[error("it holds the contract's package once")]
    Twice,
    #[error("it holds the contract's package once, and has it already")]
    Published,
    #[error(
        "it takes the contract's package alone, as this version of it is compiled for this network"
    )]
    OtherPackage,
    #[error("its dependency {id} is not among those given")]
    Dependency { id: ObjectId },
    #[error("{name} is no name of a module")]
    Name { name: String },
    /// Our own package can't be made ready for this network.
    #[error("{0}")]
    Package(PackageError),
}

/// What is wrong with a transaction's signatures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSignature {
    #[error("{needed} needed, {given} given")]
    Count { needed: usize, given: usize },
    #[error("the signer is neither the sender nor the one who pays")]
    Stranger,
    /// It doesn't verify, or can't be made; in the words of Sui's library, whose errors can't be compared or kept.
    #[error("{0}")]
    Invalid(String),
}

/// Why a transaction isn't valid now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotNow {
    #[error("it is for another network")]
    OtherNetwork,
    #[error("its time has not come")]
    Early,
    #[error("its time is over")]
    Late,
}
