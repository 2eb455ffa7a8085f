//! A request's id, which is used up by the first header with it that is signed as it must be. What is refused is so for
//! good: whoever has seen the request on its way and sends it again is served nothing. So its user may take a refusal for
//! the end of it, and a receipt for it that turns up later for a lie. Where there is no room to remember one that is refused,
//! it is so in words that end nothing.

use super::inference::Inference;
use crate::{
    account::{Denied, SignedRequest, Spent},
    admission::check_addressee,
    lease::Lease,
};
use atoma_types::{
    DurationMs, TimestampMs,
    message::MAX_REQUEST_LIFETIME,
    refusal::{Refusal, RefusalCode},
};

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
        match keeping(header.issued_at_ms, header.expires_at_ms, now) {
            Keeping::Needless => return refusal,
            Keeping::TooLong => return later(refusal),
            Keeping::Kept => {}
        }
        match lease.spend(&request, now) {
            Spent::ForGood => refusal,
            // it may be served just now
            Spent::Before => Denied::Replayed.into(),
            Spent::NoRoom => later(refusal),
        }
    }
}

/// So far ahead an id is kept that may be served some day. Whose clock is off by more is told so in words that end nothing:
/// what is never forgotten would fill the memory.
const KEPT_AHEAD: DurationMs = DurationMs(3_600_000);

/// Whether a refused id is kept until it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    Kept,
    /// It lives longer than any request may, so it is never served.
    Needless,
    /// It expires too far ahead.
    TooLong,
}

fn keeping(issued: TimestampMs, expires: TimestampMs, now: TimestampMs) -> Keeping {
    if expires < issued || expires.since(issued) > MAX_REQUEST_LIFETIME {
        return Keeping::Needless;
    }
    match expires <= now.saturating_add(KEPT_AHEAD) {
        true => Keeping::Kept,
        false => Keeping::TooLong,
    }
}

/// Of a request that may be served later, because it isn't remembered that it was refused.
fn later(refusal: Refusal) -> Refusal {
    Refusal {
        code: RefusalCode::Unavailable,
        ..refusal
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_kept_while_it_could_be_served_and_no_longer_than_an_hour() {
        let now = TimestampMs(1_000_000_000);
        let of = |issued: u64, lives: u64| {
            let expires = issued.saturating_add(lives);
            keeping(TimestampMs(issued), TimestampMs(expires), now)
        };
        let longest = MAX_REQUEST_LIFETIME.0;
        assert_eq!(of(now.0, longest), Keeping::Kept);
        assert_eq!(of(now.0 + KEPT_AHEAD.0 - longest, longest), Keeping::Kept);
        assert_eq!(of(now.0 + KEPT_AHEAD.0, longest), Keeping::TooLong);
        assert_eq!(of(u64::MAX - 1, 0), Keeping::TooLong);
        assert_eq!(of(now.0, longest + 1), Keeping::Needless);
        assert_eq!(of(now.0, u64::MAX), Keeping::Needless);
    }
}
