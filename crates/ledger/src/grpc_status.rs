//! A gRPC status where the ledger itself said nothing.

use std::{error::Error, fmt};
use tonic::Status;

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
