//! Why a request gets no units, and what its user hears.

use crate::limits::MAX_LANES;
use atoma_types::refusal::{Refusal, RefusalCode};

/// Why units can't be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("this request id was used before; sign a new request")]
    Replayed,
    #[error("the request has expired before it could begin")]
    RequestExpired,
    #[error("the stack has expired or is closing")]
    Expired,
    #[error("the lease is being settled")]
    Settling,
    #[error("this node holds no open lease on the stack")]
    Closed,
    #[error("a stack may use at most {MAX_LANES} lanes on one node")]
    TooManyLanes,
    #[error("the lane's ceiling is too low; sign a ceiling of at least {needed} units")]
    CeilingTooLow { needed: u64 },
    #[error("the request needs {wanted} units and the lease has {left} left")]
    LeaseExhausted { left: u64, wanted: u64 },
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let refuse = |code| Refusal::new(code, denied.to_string());
        match denied {
            Denied::Replayed => refuse(RefusalCode::Replayed),
            Denied::RequestExpired => refuse(RefusalCode::Expired),
            Denied::Expired => refuse(RefusalCode::StackExpired),
            Denied::Settling => refuse(RefusalCode::LeaseExhausted).needed(0),
            Denied::Closed => refuse(RefusalCode::UnknownStack),
            Denied::TooManyLanes => refuse(RefusalCode::TooManyLanes),
            Denied::CeilingTooLow { needed } => refuse(RefusalCode::CeilingTooLow).needed(needed),
            Denied::LeaseExhausted { left, .. } => refuse(RefusalCode::LeaseExhausted).needed(left),
        }
    }
}
