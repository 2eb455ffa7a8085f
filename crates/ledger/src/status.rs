//! What a gRPC status says of a request that failed.

use crate::LedgerError;
use tonic::{Code, Status};

/// The error of a call that nobody answered.
pub(crate) fn unreachable(url: &str, status: &Status) -> LedgerError {
    LedgerError::Unreachable {
        url: url.to_owned(),
        reason: describe(status),
    }
}

/// The meaning of a failed question to the ledger at `url`.
pub(crate) fn failure(url: &str, status: &Status) -> LedgerError {
    if is_definite(status) {
        LedgerError::Rejected(describe(status))
    } else {
        unreachable(url, status)
    }
}

/// A status with its innermost cause: tonic's own text is often just "transport error".
pub(crate) fn describe(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    if text.is_empty() {
        status.code().to_string()
    } else {
        text
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
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => true,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => false,
    }
}
