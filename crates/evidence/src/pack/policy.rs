//! When a pack is closed.
//!
//! What Walrus bills at `n` shards has a part that every blob costs, whatever its size, and a part
//! of about 4.5 bytes for each byte. At 1000 shards the first is 64 MB, and up to 445,556 bytes the
//! second doesn't grow either. So a pack waits the longest while adding to it is free, shorter
//! while it spreads the fixed part, shorter still once that part is small; and no pack waits longer
//! than its records may go without a proof of storage.

use super::MAX_PACK;
use atoma_types::{DurationMs, TimestampMs};
use atoma_walrus::coding::Params;

/// Here a byte is billed about 12 times, of which 4.5 can't be saved.
const GOOD_BYTES: u64 = 8 << 20;
/// Here it is billed less than 6 times: more would save little, and be long on the way.
const FULL_BYTES: u64 = 64 << 20;
/// An idle node makes 288 packs a day, 19 GB billed: well below a dollar for a month of storage.
const PATIENCE_WHILE_FREE: DurationMs = DurationMs(300_000);
/// Waiting still spreads the fixed part over more, but the bytes are no longer free.
const PATIENCE: DurationMs = DurationMs(120_000);
/// Under load a proof of storage takes a minute at most.
const PATIENCE_WHEN_GOOD: DurationMs = DurationMs(60_000);

/// How large and how old a pack becomes. Sizes are those of the pack if it were closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosingPolicy {
    /// Up to here, adding is free.
    pub free: u64,
    /// From here on, the fixed part is small.
    pub good: u64,
    /// No pack grows beyond, but for a single record.
    pub full: u64,
    /// How long a pack waits up to `free`.
    pub while_free: DurationMs,
    /// How long up to `good`.
    pub patience: DurationMs,
    /// How long from there on.
    pub when_good: DurationMs,
}

impl ClosingPolicy {
    /// The policy for a network of so many shards: at 1000, free up to 445,556 bytes and full at
    /// 64 MiB; at fewer, full where blobs end.
    #[must_use]
    pub fn new(params: Params) -> Self {
        // a symbol has two bytes at least
        let free = (params.primary() * params.secondary() * 2) as u64;
        let full = FULL_BYTES.min(params.max_blob());
        const { assert!(FULL_BYTES < MAX_PACK) };
        Self {
            free,
            good: GOOD_BYTES.min(full),
            full,
            while_free: PATIENCE_WHILE_FREE,
            patience: PATIENCE,
            when_good: PATIENCE_WHEN_GOOD,
        }
    }

    /// When a pack of that size, with something in it, is closed: not later than at that moment.
    #[must_use]
    pub fn closes_at(&self, size: u64, created: TimestampMs) -> TimestampMs {
        let patience = if size >= self.full {
            DurationMs(0)
        } else if size >= self.good {
            self.when_good
        } else if size > self.free {
            self.patience
        } else {
            self.while_free
        };
        created.saturating_add(patience)
    }

    /// Whether it is to be closed now.
    #[must_use]
    pub fn is_due(&self, size: u64, created: TimestampMs, now: TimestampMs) -> bool {
        now >= self.closes_at(size, created)
    }

    /// Whether a pack may take a record with which it would have that size; if not, it is closed
    /// before. A record that is too large for this even in a pack of its own can't be stored on
    /// this network.
    #[must_use]
    pub fn has_room(&self, size_with: u64) -> bool {
        size_with <= self.full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: TimestampMs = TimestampMs(1_000_000);

    fn waits(policy: &ClosingPolicy, size: u64) -> u64 {
        policy.closes_at(size, CREATED).since(CREATED).0
    }

    #[test]
    fn waits_less_the_more_it_holds() {
        let policy = ClosingPolicy::new(Params::new(1000).unwrap());
        assert_eq!(policy.free, 445_556);
        let sizes = [1, 445_556, 445_557, 8 << 20, (64 << 20) - 1, 64 << 20];
        let expected = [300_000, 300_000, 120_000, 60_000, 60_000, 0];
        assert_eq!(sizes.map(|size| waits(&policy, size)), expected);
        assert!(policy.has_room(64 << 20) && !policy.has_room((64 << 20) + 1));
        let due = |at| policy.is_due(1, CREATED, TimestampMs(at));
        assert!(!due(1_299_999) && due(1_300_000));
        // a clock that was set back closes nothing early, and none stops the end of time
        assert!(!due(0));
        assert_eq!(
            policy.closes_at(1, TimestampMs(u64::MAX)),
            TimestampMs(u64::MAX)
        );
    }

    /// The reasons at the constants' heads, recomputed.
    #[test]
    fn the_sizes_are_worth_it() {
        let params = Params::new(1000).unwrap();
        let billed = |size: u64| params.encoded_length(size).unwrap() as f64 / size as f64;
        assert_eq!(
            params.encoded_length(1).unwrap(),
            params.encoded_length(445_556).unwrap()
        );
        assert!(params.encoded_length(445_557).unwrap() > 66_034_000);
        assert!(
            (12.0..13.0).contains(&billed(GOOD_BYTES)),
            "{}",
            billed(GOOD_BYTES)
        );
        assert!(billed(FULL_BYTES) < 6.0);
        let a_day = 86_400_000 / PATIENCE_WHILE_FREE.0 * 66_034_000;
        assert!(a_day < 20_000_000_000);
    }

    #[test]
    fn few_shards_hold_less() {
        let policy = ClosingPolicy::new(Params::new(10).unwrap());
        assert_eq!((policy.good, policy.full), (1_834_952, 1_834_952));
        assert_eq!(waits(&policy, 1_000), 120_000);
        assert_eq!(waits(&policy, 1_834_952), 0);
    }
}
