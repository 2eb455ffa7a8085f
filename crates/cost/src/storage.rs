//! What Walrus bills for a blob.
//!
//! With `n` shards, `f = (n-1)/3`, `p = n - 2f` and `s = n - f`, a blob is cut into `p * s` symbols of an
//! even number of bytes `v`; `n * ((p + s) * v + 64n + 32)` bytes are billed, in MiB, for whole epochs.
//! At a thousand shards the least is 66,034,000 bytes, for anything up to 445,556 bytes. The formula is
//! the one of `atoma-walrus`, which computes the ids as well and would bring all that it needs along.

use crate::error::CostError;

/// Largest symbol: the largest even `u16`.
const MAX_SYMBOL: u64 = 65_534;
/// Bytes of the hashes of a pair of slivers in the metadata.
const PAIR_HASHES: u64 = 64;
/// Bytes of the root over them.
const ROOT: u64 = 32;
/// Bytes of a billed unit.
pub(crate) const UNIT: u64 = 1 << 20;
/// How many epochs ahead storage can be bought; then it is renewed.
const EPOCHS_AHEAD: u64 = 53;

/// The largest blob of so many shards.
pub(crate) fn max_blob(shards: u16) -> u64 {
    let (primary, secondary) = symbols(shards);
    primary * secondary * MAX_SYMBOL
}

/// Rows and columns of source symbols.
fn symbols(shards: u16) -> (u64, u64) {
    let shards = u64::from(shards);
    let faults = shards.saturating_sub(1) / 3;
    (shards - 2 * faults, shards - faults)
}

/// The bytes that are billed for a blob of `size` bytes.
///
/// # Errors
/// If no blob is that large.
pub fn encoded_length(shards: u16, size: u64) -> Result<u64, CostError> {
    let max = max_blob(shards);
    if size > max || shards == 0 {
        return Err(CostError::PackTooLarge { size, max });
    }
    let (primary, secondary) = symbols(shards);
    let symbol = size
        .max(1)
        .div_ceil(primary * secondary)
        .next_multiple_of(2);
    let n = u64::from(shards);
    // at most 65535 shards * (131070 symbols * 65534 bytes + 4 MiB): far from overflow
    Ok(n * ((primary + secondary) * symbol + PAIR_HASHES * n + ROOT))
}

/// How many MiB have begun: what Walrus bills.
#[must_use]
pub fn units(encoded: u64) -> u64 {
    encoded.div_ceil(UNIT)
}

/// Epochs to buy so that a blob stays that long: the running one counts from its beginning.
#[must_use]
pub fn epochs(retention_days: u64, epoch_days: u64) -> u64 {
    retention_days.div_ceil(epoch_days.max(1)).saturating_add(1)
}

/// How often a blob must be renewed on the way.
#[must_use]
pub fn renewals(epochs: u64) -> u64 {
    epochs.div_ceil(EPOCHS_AHEAD).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_lengths_are_those_of_walrus() {
        for (size, encoded, billed) in [
            (0, 66_034_000, 63),
            (2_048, 66_034_000, 63),
            (445_556, 66_034_000, 63),
            (445_557, 68_036_000, 65),
            (4_096 * 2_112, 104_072_000, 100),
            (8_192 * 2_112, 142_110_000, 136),
        ] {
            assert_eq!(encoded_length(1000, size), Ok(encoded), "{size}");
            assert_eq!(units(encoded), billed, "{size}");
        }
        assert_eq!(encoded_length(10, 0), Ok(6_940));
        assert_eq!(max_blob(1000), 14_599_533_452);
        assert!(encoded_length(1000, 14_599_533_452).is_ok());
        assert!(encoded_length(1000, 14_599_533_453).is_err());
        assert!(encoded_length(0, 0).is_err());
    }

    #[test]
    fn whole_epochs() {
        assert_eq!(
            [0, 1, 14, 15, 30, 365].map(|days| epochs(days, 14)),
            [1, 2, 2, 3, 4, 28]
        );
        assert_eq!([1, 53, 54, 106, 107].map(renewals), [0, 0, 1, 1, 2]);
    }
}
