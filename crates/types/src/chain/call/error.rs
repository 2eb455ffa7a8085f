//! Calls that don't fit the table.

use super::spec::CallArg;
use crate::chain::abort::AbortCode;

/// A call that the table doesn't have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The package has no such function.
    #[error("the package has no function {module}::{name}")]
    UnknownFunction {
        /// The module that was asked for.
        module: String,
        /// The function's name in its module.
        name: String,
    },
    /// There are too few arguments or too many.
    #[error("{function} takes {expected} arguments, not {got}")]
    WrongCount {
        /// The function that was to be called, as `module::name`.
        function: &'static str,
        /// How many arguments the function takes.
        expected: usize,
        /// How many arguments were given.
        got: usize,
    },
    /// One is of another kind, or its bytes don't decode.
    #[error("argument `{name}` is not valid")]
    WrongArgument {
        /// Name of the argument, as in Move.
        name: &'static str,
        /// What is wrong with it.
        source: ArgError,
    },
    /// The package aborts such a call whatever the ledger holds: a value is none that it knows.
    #[error("{code}: {}", code.help())]
    Refused {
        /// As the Move package aborts.
        code: AbortCode,
    },
}

/// What is wrong with an argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgError {
    /// It is something else than the function takes in its place.
    #[error("expected {expected}, not {found}")]
    Kind {
        /// What the function takes.
        expected: &'static str,
        /// What was given in its place.
        found: &'static str,
    },
    /// Its bytes aren't those of its type.
    #[error("the bytes are not the BCS of its type")]
    Bcs(#[source] bcs::Error),
    /// Its type in Move has this value, but it means nothing.
    #[error("no value of ours has these bytes")]
    NoValue,
}

impl CallArg {
    /// The error of this argument where another kind is taken.
    pub(super) fn instead_of(&self, expected: &'static str) -> ArgError {
        let found = match self {
            Self::Object(_) => "an object",
            Self::Payment(_) => "a coin",
            Self::Pure(_) => "a plain value",
            Self::Clock => "the clock",
            Self::Random => "the random beacon",
        };
        ArgError::Kind { expected, found }
    }
}
