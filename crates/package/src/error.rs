//! What can be wrong with the compiled package.

/// Why the package can't be made ready for a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A module isn't in Move's binary format.
    #[error("{0} of a compiled module cannot be read")]
    Malformed(&'static str),
    /// The money must be called `usdc::USDC` where it was compiled for that.
    #[error("{0} cannot be the money: the package is compiled for a type `…::usdc::USDC`")]
    OtherMoney(String),
    /// Nothing in the bytecode stands for it.
    #[error("the compiled package has no place for {0}")]
    NoPlace(&'static str),
}
