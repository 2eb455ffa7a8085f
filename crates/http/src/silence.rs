//! One timer for all pieces of a body: how long the other side may be silent, and how long all of
//! it may take.
//!
//! Setting a timer for each piece would cost more than to pass the piece on. Here the timer is made
//! when a piece is waited for the first time, and moved on only when it fires.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The other side was silent for too long, or took too long in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TooSlow {
    /// Nothing came for this long.
    #[error("nothing came for {} ms", .0.as_millis())]
    Silent(Duration),
    /// The end hadn't come by then.
    #[error("the end did not come within {} ms", .0.as_millis())]
    Unfinished(Duration),
}

/// Watches how a body arrives. Poll it whenever the body is pending; tell it what was heard.
#[derive(Debug)]
pub(crate) struct SilenceTimer {
    silence: Duration,
    total: Option<Duration>,
    /// Since somebody waits.
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    begun: Instant,
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl SilenceTimer {
    pub(crate) fn new(silence: Duration, total: Option<Duration>) -> Self {
        Self {
            silence,
            total,
            waiting: None,
        }
    }

    /// A piece has come.
    pub(crate) fn heard(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            waiting.heard = Instant::now();
        }
    }

    /// Ready once the time is up.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        let (silence, total) = (self.silence, self.total);
        let waiting = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            let first = total.map_or(silence, |total| total.min(silence));
            Waiting {
                begun: now,
                heard: now,
                timer: Box::pin(sleep_until(now + first)),
            }
        });
        loop {
            ready!(waiting.timer.as_mut().poll(cx));
            let now = Instant::now();
            if let Some(total) = total
                && waiting.begun + total <= now
            {
                return Poll::Ready(TooSlow::Unfinished(total));
            }
            if waiting.heard + silence <= now {
                return Poll::Ready(TooSlow::Silent(silence));
            }
            let silent = waiting.heard + silence;
            let until = total.map_or(silent, |total| silent.min(waiting.begun + total));
            waiting.timer.as_mut().reset(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::time::{advance, timeout};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_piece() {
        let mut timer = SilenceTimer::new(SECOND * 3, None);
        for _ in 0..10 {
            let waited = timeout(SECOND * 2, poll_fn(|cx| timer.poll(cx))).await;
            assert!(waited.is_err());
            timer.heard();
        }
        let slow = poll_fn(|cx| timer.poll(cx)).await;
        assert_eq!(slow, TooSlow::Silent(SECOND * 3));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_trickles_is_cut_off_at_the_total() {
        let mut timer = SilenceTimer::new(SECOND * 3, Some(SECOND * 10));
        let begun = Instant::now();
        let slow = loop {
            match timeout(SECOND, poll_fn(|cx| timer.poll(cx))).await {
                Ok(slow) => break slow,
                Err(_) => timer.heard(),
            }
        };
        assert_eq!(slow, TooSlow::Unfinished(SECOND * 10));
        assert_eq!(begun.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn time_before_anybody_waits_does_not_count() {
        let mut timer = SilenceTimer::new(SECOND, Some(SECOND * 2));
        advance(SECOND * 5).await;
        let waited = timeout(SECOND / 2, poll_fn(|cx| timer.poll(cx))).await;
        assert!(waited.is_err());
    }
}
