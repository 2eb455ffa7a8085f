//! A request of which no answer has begun here.

use super::{admitted::Admitted, engine::engine_refusal};
use crate::in_flight::RequestInFlight;
use atoma_engine::EngineError;
use atoma_types::refusal::Refusal;

/// Why a request has no answer from here.
pub(super) enum Unserved {
    /// Whoever asked is told this.
    Refused(Refusal),
    /// The engine has no room for it, and nothing was done: another node may take it. This is said if none does.
    Full(Box<Admitted>, Refusal),
}

impl From<Refusal> for Unserved {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What becomes of a request whose engine failed before it began.
pub(super) fn not_begun(
    mut admitted: Admitted,
    in_flight: RequestInFlight,
    error: &EngineError,
) -> Unserved {
    let refusal = engine_refusal(error);
    if !admitted.may_go || !matches!(error, EngineError::Overloaded) {
        return Unserved::Refused(refusal);
    }
    (admitted.permit, admitted.held) = in_flight.give_back();
    Unserved::Full(Box::new(admitted), refusal)
}
