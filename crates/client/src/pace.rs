//! How long and how slow an answer may be. A node is paid by the token, so whoever asked for some tokens
//! knows about how many bytes can come; and a node that sends a byte now and then holds its reader as
//! well as one that sends nothing.

use atoma_http::{TooSlow, client::Error};
use atoma_types::{ComputeUnits, UnitWeights, estimate::output_that_fits, message::Endpoint};
use std::time::Duration;
use tokio::time::Instant;

/// An answer that stands still for so long is given up.
pub(crate) const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// No answer is longer: what is read as a whole is held in memory.
pub(crate) const MAX_WHOLE_BYTES: usize = 64 << 20;
/// Beside its tokens an answer has a head, usage and a receipt.
const BESIDE_TOKENS: u64 = 1 << 20;
/// A token in a frame of its own, with twenty logprobs, takes no more.
const BYTES_PER_TOKEN: u64 = 4 << 10;
/// So long an answer may take without a look at its pace.
const GRACE: Duration = Duration::from_secs(60);
/// After that so many bytes must have come for every second: a frame has 200, and the slowest useful
/// model sends one in two seconds.
const LEAST_BYTES_PER_SECOND: u64 = 16;

/// A reader that asks for nothing for so long may find the connection ended: a node waits twice as long at least
/// (`write_timeout_ms`).
const READER_RESTS: Duration = Duration::from_secs(30);
/// And so long after that: what was on its way is read first.
const RESTED_LATELY: Duration = Duration::from_secs(120);
/// So long a stream may go on without an event, whatever else comes.
const EVENT_TIMEOUT: Duration = SILENCE_TIMEOUT;
/// So much may come between two events, and before the first: no node of ours sends any, and whoever stands
/// between sends a comment now and then.
const MAX_IDLE_BYTES: usize = 64 << 10;

/// Watches one answer.
#[derive(Debug)]
pub(crate) struct Pace {
    most: u64,
    passed: u64,
    waited: Waited,
    /// How long had been waited when the last event came.
    event_at: Duration,
    /// Since when nobody has asked for more.
    rests_since: Option<Instant>,
    /// When the last long rest ended.
    rested: Option<Instant>,
}

/// How long somebody has waited for the node: not while a reader takes a rest.
#[derive(Debug, Default)]
struct Waited {
    sum: Duration,
    since: Option<Instant>,
}

impl Waited {
    fn begins(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn ends(&mut self) -> Duration {
        if let Some(since) = self.since.take() {
            self.sum = self.sum.saturating_add(since.elapsed());
        }
        self.sum
    }
}

impl Pace {
    /// Of an answer that costs at most `max_units`.
    pub(crate) fn new(endpoint: Endpoint, weights: &UnitWeights, max_units: ComputeUnits) -> Self {
        let tokens = output_that_fits(weights, 0, max_units).unwrap_or(0);
        let most = match endpoint {
            Endpoint::Embeddings => MAX_WHOLE_BYTES as u64,
            Endpoint::ChatCompletions | Endpoint::Completions => {
                BESIDE_TOKENS.saturating_add(tokens.saturating_mul(BYTES_PER_TOKEN))
            }
        };
        Self {
            most,
            passed: 0,
            waited: Waited::default(),
            event_at: Duration::ZERO,
            rests_since: None,
            rested: None,
        }
    }

    /// More is asked for.
    pub(crate) fn is_read(&mut self) {
        if let Some(since) = self.rests_since.take()
            && since.elapsed() >= READER_RESTS
        {
            self.rested = Some(Instant::now());
        }
    }

    /// Whether the reader has let the node wait so long, not long ago, that it may have ended the connection.
    pub(crate) fn has_rested(&self) -> bool {
        self.rested
            .is_some_and(|ended| ended.elapsed() < RESTED_LATELY)
    }

    /// Nothing is here: from now on the node is waited for.
    pub(crate) fn waits(&mut self) {
        self.waited.begins();
    }

    /// Some bytes have come.
    pub(crate) fn passed(&mut self, bytes: usize) -> Result<(), Error> {
        self.rests_since = Some(Instant::now());
        self.passed = self.passed.saturating_add(bytes as u64);
        if self.passed > self.most {
            let max_bytes = usize::try_from(self.most).unwrap_or(usize::MAX);
            return Err(Error::TooLong { max_bytes });
        }
        let waited = self.waited.ends();
        let watched = waited.saturating_sub(GRACE).as_secs();
        if self.passed < watched.saturating_mul(LEAST_BYTES_PER_SECOND) {
            return Err(Error::TooSlow(TooSlow::Unfinished(waited)));
        }
        Ok(())
    }

    /// An event of a stream came with the last bytes.
    pub(crate) fn event(&mut self) {
        self.event_at = self.waited.sum;
    }

    /// None did, and so many bytes have come since the last one.
    pub(crate) fn no_event(&mut self, idle_bytes: usize) -> Result<(), Error> {
        if idle_bytes > MAX_IDLE_BYTES {
            let max_bytes = MAX_IDLE_BYTES;
            return Err(Error::TooLong { max_bytes });
        }
        let idle = self.waited.sum.saturating_sub(self.event_at);
        if idle > EVENT_TIMEOUT {
            return Err(Error::TooSlow(TooSlow::Silent(idle)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn pace() -> Pace {
        let chat = Endpoint::ChatCompletions;
        Pace::new(chat, &UnitWeights::TEXT, ComputeUnits(100))
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_no_answer() {
        let (mut drip, mut slow) = (pace(), pace());
        let mut held = Duration::ZERO;
        while drip.passed(1).is_ok() {
            held += Duration::from_secs(30);
            drip.waits();
            slow.waits();
            advance(Duration::from_secs(30)).await;
            assert!(held < Duration::from_secs(120));
            // one frame in two seconds
            slow.passed(15 * 200).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_nothing_keeps_no_stream_going() {
        let mut pace = pace();
        for second in 0..600 {
            pace.waits();
            advance(Duration::from_secs(1)).await;
            pace.passed(100).unwrap();
            match second % 50 {
                0 => pace.event(),
                _ => pace.no_event(100 * (second % 50)).unwrap(),
            }
        }
        let mut idle = 0;
        while pace.no_event(0).is_ok() {
            pace.waits();
            advance(Duration::from_secs(1)).await;
            pace.passed(100).unwrap();
            idle += 1;
        }
        assert!(idle <= 61, "{idle} s");
        pace.event();
        assert!(pace.no_event(MAX_IDLE_BYTES).is_ok());
        assert!(pace.no_event(MAX_IDLE_BYTES + 1).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_a_rest_is_no_slow_node() {
        let mut pace = pace();
        pace.passed(200).unwrap();
        advance(Duration::from_secs(3_600)).await;
        pace.passed(200).unwrap();
        pace.no_event(200).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_lets_a_node_wait_may_find_that_it_has_gone() {
        let mut pace = pace();
        let mut reads = |after| {
            pace.is_read();
            pace.passed(200).unwrap();
            let rested = pace.has_rested();
            (rested, after)
        };
        assert!(!reads(0).0);
        for (after, rested) in [(29, false), (30, true), (119, true)] {
            advance(Duration::from_secs(after)).await;
            assert_eq!(reads(after), (rested, after));
        }
        // it was the node that let its reader wait
        pace.waits();
        pace.is_read();
        advance(Duration::from_secs(121)).await;
        pace.waits();
        pace.is_read();
        assert!(!pace.has_rested());
    }

    #[tokio::test(start_paused = true)]
    async fn more_bytes_than_the_tokens_paid_for_can_take_are_too_many() {
        let mut pace = pace();
        let most = (1 << 20) + 100 * 4_096;
        pace.passed(most).unwrap();
        assert!(matches!(pace.passed(1), Err(Error::TooLong { max_bytes }) if max_bytes == most));
    }
}
