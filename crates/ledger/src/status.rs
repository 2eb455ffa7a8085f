//! What a gRPC status says of a request that failed.

use crate::ReadError;
use tonic::{Code, Status};

/// The error of a call that nobody answered.
pub(crate) fn unreachable(url: &str, status: &Status) -> ReadError {
    ReadError::Unreachable {
        url: url.to_owned(),
        source: status.clone().into(),
    }
}

/// The meaning of a failed question to the ledger at `url`.
pub(crate) fn failure(url: &str, status: &Status) -> ReadError {
    if is_definite(status) {
        ReadError::Rejected(status.clone().into())
    } else {
        unreachable(url, status)
    }
}

/// Whether the ledger itself said no. Everything else leaves open what happened.
pub(crate) fn is_definite(status: &Status) -> bool {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => true,
        // `Aborted` is how Sui says that it gave up and the same may be submitted again
        Code::Ok
        | Code::Aborted
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => false,
    }
}
