//! What a connection is doing, from which follows when its time is up.
//!
//! Three parties write it: the socket (bytes came), the service (a request began, over which
//! protocol) and a response's end. The connection's own timer reads it. Nothing here is told about
//! single frames.
//!
//! | state | until | reason |
//! |---|---|---|
//! | nothing has come yet | start + first byte timeout | `FirstByteTimeout` |
//! | part of a head is here | its first byte + header timeout | `HeaderTimeout` |
//! | requests under way | no limit here: bodies and writes have their own | |
//! | none | the last one's end + idle timeout | `IdleTimeout` |

use super::{Limits, counters::Closed};
use http::Version;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The three times of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    first_byte: Duration,
    header: Duration,
    idle: Duration,
}

impl Timeouts {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            first_byte: Duration::from_millis(limits.first_byte_timeout_ms),
            header: Duration::from_millis(limits.header_timeout_ms),
            idle: Duration::from_millis(limits.idle_timeout_ms),
        }
    }

    /// The timer fires at least this often, so that it sees a new state in time.
    fn shortest(&self) -> Duration {
        self.first_byte.min(self.header).min(self.idle)
    }
}

/// One connection's state. Times are microseconds since its start, plus one: zero is "never".
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    requests: AtomicU32,
    /// When the first byte of a head came that isn't complete yet.
    head_since: AtomicU64,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// HTTP/2 talks between requests as well (pings, windows): once there was a request, what comes
    /// between requests is no head.
    http2: AtomicBool,
}

/// What the timer should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Look again then.
    Until(Instant),
    /// The time is up.
    Over(Closed),
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            requests: AtomicU32::new(0),
            head_since: AtomicU64::new(0),
            idle_since: AtomicU64::new(0),
            http2: AtomicBool::new(false),
        }
    }

    fn mark(&self) -> u64 {
        let since = self.start.elapsed().as_micros();
        u64::try_from(since).unwrap_or(u64::MAX - 1) + 1
    }

    fn at(&self, mark: u64) -> Instant {
        self.start + Duration::from_micros(mark - 1)
    }

    /// Bytes have come.
    pub(crate) fn received(&self) {
        if self.requests.load(Relaxed) == 0
            && self.head_since.load(Relaxed) == 0
            && !self.http2.load(Relaxed)
        {
            self.head_since.store(self.mark(), Relaxed);
        }
    }

    /// A head is complete: the request is under way until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>, version: Version) -> RequestUnderWay {
        self.requests.fetch_add(1, Relaxed);
        self.head_since.store(0, Relaxed);
        if version == Version::HTTP_2 {
            self.http2.store(true, Relaxed);
        }
        RequestUnderWay(Arc::clone(self))
    }

    pub(crate) fn verdict(&self, timeouts: &Timeouts) -> Verdict {
        let now = Instant::now();
        // requests that end between the two reads are seen the next time
        let head = self.head_since.load(Relaxed);
        let idle = self.idle_since.load(Relaxed);
        let (deadline, reason) = if self.requests.load(Relaxed) > 0 {
            return Verdict::Until(now + timeouts.shortest());
        } else if head > 0 {
            (self.at(head) + timeouts.header, Closed::HeaderTimeout)
        } else if idle > 0 {
            (self.at(idle) + timeouts.idle, Closed::IdleTimeout)
        } else {
            (self.start + timeouts.first_byte, Closed::FirstByteTimeout)
        };
        if deadline <= now {
            Verdict::Over(reason)
        } else {
            Verdict::Until(deadline.min(now + timeouts.shortest()))
        }
    }
}

/// Held while a request is under way: from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct RequestUnderWay(Arc<Activity>);

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        let activity = &self.0;
        activity.idle_since.store(activity.mark(), Relaxed);
        activity.requests.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const TIMEOUTS: Timeouts = Timeouts {
        first_byte: Duration::from_secs(10),
        header: Duration::from_secs(15),
        idle: Duration::from_secs(60),
    };

    /// Looks as the timer does, until it is over. Says why, and after how many seconds.
    async fn outlast(activity: &Activity) -> (Closed, u64) {
        let begun = Instant::now();
        loop {
            match activity.verdict(&TIMEOUTS) {
                Verdict::Until(then) => advance(then - Instant::now()).await,
                Verdict::Over(reason) => return (reason, begun.elapsed().as_secs()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_own_time() {
        let activity = Arc::new(Activity::new());
        assert_eq!(outlast(&activity).await, (Closed::FirstByteTimeout, 10));

        let activity = Arc::new(Activity::new());
        activity.received();
        advance(Duration::from_secs(5)).await;
        // more bytes don't help
        activity.received();
        assert_eq!(outlast(&activity).await, (Closed::HeaderTimeout, 10));

        let activity = Arc::new(Activity::new());
        activity.received();
        drop(activity.begin(Version::HTTP_11));
        assert_eq!(outlast(&activity).await, (Closed::IdleTimeout, 60));
        activity.received();
        assert_eq!(outlast(&activity).await, (Closed::HeaderTimeout, 15));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_under_way_take_their_time() {
        let activity = Arc::new(Activity::new());
        let first = activity.begin(Version::HTTP_2);
        let second = activity.begin(Version::HTTP_2);
        for _ in 0..100 {
            advance(Duration::from_secs(10)).await;
            assert!(matches!(activity.verdict(&TIMEOUTS), Verdict::Until(_)));
        }
        drop(first);
        advance(Duration::from_secs(100)).await;
        assert!(matches!(activity.verdict(&TIMEOUTS), Verdict::Until(_)));
        drop(second);
        // pings and windows are no request
        activity.received();
        assert_eq!(outlast(&activity).await, (Closed::IdleTimeout, 60));
    }
}
