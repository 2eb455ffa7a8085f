//! Why a question to the ledger has no answer.

use crate::{grpc_status::GrpcStatus, malformed::MalformedAnswer};
use atoma_types::ObjectId;

/// Why something can't be read from the ledger. Asking changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No answer, or the connection broke.
    #[error("cannot reach the ledger at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why there was no answer.
        source: GrpcStatus,
    },
    /// The ledger says no, in its own words.
    #[error("the ledger rejected the request")]
    Rejected(#[source] GrpcStatus),
    /// No such object, checkpoint or transaction.
    #[error("the ledger has no {what} {id}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// Its id, as it was given.
        id: String,
    },
    /// An object has another type than it should.
    #[error(
        "object {id} is a {}, not a {}",
        short(found, expected),
        short(expected, found)
    )]
    WrongType {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// The object's Move type, as the ledger says.
        found: String,
        /// The Move type that it should have.
        expected: String,
    },
    /// An answer that can't be read.
    #[error("cannot read the ledger's answer")]
    Malformed(#[from] MalformedAnswer),
}

impl ReadError {
    /// Whether the same question may be answered later without anything being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// A Move type without the address of its package, where the other type's is the same.
fn short<'a>(name: &'a str, other: &str) -> &'a str {
    match (name.split_once("::"), other.split_once("::")) {
        (Some((package, rest)), Some((same, _))) if package == same => rest,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_is_told_without_a_package_that_is_the_same() {
        let said = |found: &str, expected: &str| {
            let error = ReadError::WrongType {
                id: ObjectId::TWO,
                found: found.to_owned(),
                expected: expected.to_owned(),
            };
            let said = error.to_string();
            said.split_once(" is a ").unwrap().1.to_owned()
        };
        assert_eq!(
            said("0x7::task::Task", "0x7::stack::Stack"),
            "task::Task, not a stack::Stack"
        );
        assert_eq!(
            said("0x8::stack::Stack", "0x7::stack::Stack"),
            "0x8::stack::Stack, not a 0x7::stack::Stack"
        );
    }
}
