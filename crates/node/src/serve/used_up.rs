//! A request's id, which is used up by the first header with it that is signed as it must be. What is refused is so for
//! good: whoever has seen the request on its way and sends it again is served nothing. So its user may take a refusal for
//! the end of it, and a receipt for it that turns up later for a lie.

use super::inference::Inference;
use crate::{account::SignedRequest, admission::check_addressee, lease::Lease};
use atoma_types::refusal::{Refusal, RefusalCode};

/// Whether a request that has come has used up its id.
pub(super) struct UsedUp {
    /// One that hasn't.
    request: Option<SignedRequest>,
}

impl UsedUp {
    /// By a request, if its header can be read.
    pub(super) fn by(request: Option<&SignedRequest>) -> Self {
        let request = request.cloned();
        Self { request }
    }

    /// Its header is right: it is used up from now on.
    ///
    /// # Errors
    /// If it was before.
    pub(super) fn admit(&mut self, inference: &Inference, lease: &Lease) -> Result<(), Refusal> {
        let Some(request) = self.request.take() else {
            return Ok(());
        };
        let now = inference.billing.clock.now();
        Ok(lease.admit(&request, now)?)
    }

    /// A refusal before it was admitted, as when there was no place for it. One that isn't certain to be the end of it is
    /// said in other words.
    pub(super) fn refuse(&mut self, inference: &Inference, refusal: Refusal) -> Refusal {
        let Some(request) = self.request.take() else {
            return refusal;
        };
        let header = request.message();
        if check_addressee(header, &inference.us).is_err() {
            return refusal;
        }
        let Some(lease) = inference.finder.known(header.stack) else {
            return unsure(refusal);
        };
        if request.verify(&lease.verifier).is_err() {
            return refusal;
        }
        let now = inference.billing.clock.now();
        match lease.admit(&request, now).map_err(Refusal::from) {
            // it may be served just now
            Err(replayed) if replayed.code == RefusalCode::Replayed => replayed,
            Ok(()) | Err(_) => refusal,
        }
    }
}

/// Of a request that nobody here can tell from a stranger's.
fn unsure(refusal: Refusal) -> Refusal {
    match refusal.code {
        RefusalCode::Overloaded | RefusalCode::SecondHop => Refusal {
            code: RefusalCode::Unavailable,
            ..refusal
        },
        _ => refusal,
    }
}
