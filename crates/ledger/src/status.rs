//! What a gRPC status says of a request that failed.

use crate::LedgerError;
use std::{error::Error, fmt};
use tonic::{Code, Status};

/// Why a request had no answer: the words of gRPC, whose source is the innermost cause (what lies between says
/// the same again).
#[derive(Clone, Debug)]
pub struct NoAnswer(Status);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.message() {
            "" => fmt::Display::fmt(&self.0.code(), f),
            message => f.write_str(message),
        }
    }
}

impl Error for NoAnswer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let mut cause = self.0.source()?;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Some(cause)
    }
}

impl From<Status> for NoAnswer {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

/// The error of a call that nobody answered.
pub(crate) fn unreachable(url: &str, status: &Status) -> LedgerError {
    LedgerError::Unreachable {
        url: url.to_owned(),
        source: status.clone().into(),
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

/// The ledger's words.
pub(crate) fn describe(status: &Status) -> String {
    NoAnswer(status.clone()).to_string()
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
