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

/// Watches one answer.
#[derive(Debug)]
pub(crate) struct Pace {
    most: u64,
    passed: u64,
    begun: Instant,
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
            begun: Instant::now(),
        }
    }

    /// Some bytes have come.
    pub(crate) fn passed(&mut self, bytes: usize) -> Result<(), Error> {
        self.passed = self.passed.saturating_add(bytes as u64);
        if self.passed > self.most {
            let max_bytes = usize::try_from(self.most).unwrap_or(usize::MAX);
            return Err(Error::TooLong { max_bytes });
        }
        let took = self.begun.elapsed();
        let watched = took.saturating_sub(GRACE).as_secs();
        if self.passed < watched.saturating_mul(LEAST_BYTES_PER_SECOND) {
            return Err(Error::TooSlow(TooSlow::Unfinished(took)));
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
            advance(Duration::from_secs(30)).await;
            assert!(held < Duration::from_secs(120));
            // one frame in two seconds
            slow.passed(15 * 200).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn more_bytes_than_the_tokens_paid_for_can_take_are_too_many() {
        let mut pace = pace();
        let most = (1 << 20) + 100 * 4_096;
        pace.passed(most).unwrap();
        assert!(matches!(pace.passed(1), Err(Error::TooLong { max_bytes }) if max_bytes == most));
    }
}
