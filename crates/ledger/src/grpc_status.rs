//! A gRPC status as an error: what the ledger said, or why it said nothing.

use std::{error::Error, fmt};
use tonic::Status;

/// What gRPC says of a request that failed: the message, or the code where there is none. Its source is the
/// innermost cause (what lies between says the same again).
#[derive(Clone, Debug)]
pub struct GrpcStatus(pub(crate) Status);

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.message() {
            "" => fmt::Display::fmt(&self.0.code(), f),
            message => f.write_str(message),
        }
    }
}

impl Error for GrpcStatus {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let mut cause = self.0.source()?;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        Some(cause)
    }
}

impl From<Status> for GrpcStatus {
    fn from(status: Status) -> Self {
        Self(status)
    }
}
