//! The numbers that follow from the number of shards.

use super::{axis::Axis, error::CodingError};

/// Below, the code has no redundancy.
pub const MIN_SHARDS: u16 = 4;
/// As many as Walrus's networks have.
pub const MAX_SHARDS: u16 = 1000;
/// The largest even `u16`: a symbol's size is stored in two bytes.
const MAX_SYMBOL: u64 = 65_534;
/// Bytes of hashes per pair in the metadata.
const PAIR_HASHES: u64 = 64;
/// Bytes of the blob's root hash that each shard is charged for.
const ROOT: u64 = 32;

/// The number of shards, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Params {
    shards: u16,
}

impl Params {
    /// The code among `shards` shards. `3f+1` of them use the redundancy fully.
    ///
    /// # Errors
    /// Outside of 4 to 1000.
    pub fn new(shards: usize) -> Result<Self, CodingError> {
        match u16::try_from(shards) {
            Ok(shards) if (MIN_SHARDS..=MAX_SHARDS).contains(&shards) => Ok(Self { shards }),
            _ => Err(CodingError::Shards(shards)),
        }
    }

    /// The number of shards, `n`.
    #[must_use]
    pub const fn shards(self) -> u16 {
        self.shards
    }

    /// `n` as a length.
    pub(crate) const fn n(self) -> usize {
        self.shards as usize
    }

    /// `f`: how many shards may be in bad hands.
    #[must_use]
    pub const fn faults(self) -> usize {
        (self.n() - 1) / 3
    }

    /// `p = n - 2f`: rows of source symbols; as many primary slivers give the blob back.
    #[must_use]
    pub const fn primary(self) -> usize {
        self.n() - 2 * self.faults()
    }

    /// `s = n - f`: columns of source symbols; as many secondary slivers give the blob back.
    #[must_use]
    pub const fn secondary(self) -> usize {
        self.n() - self.faults()
    }

    /// The least number of shards whose confirmations certify: `3w >= 2n + 1`.
    #[must_use]
    pub const fn quorum(self) -> usize {
        (2 * self.n() + 1).div_ceil(3)
    }

    /// The largest blob, in bytes.
    #[must_use]
    pub const fn max_blob(self) -> u64 {
        (self.primary() * self.secondary()) as u64 * MAX_SYMBOL
    }

    /// Bytes of a symbol of a blob of `size` bytes.
    ///
    /// # Errors
    /// If the blob is too large.
    pub fn symbol_size(self, size: u64) -> Result<u16, CodingError> {
        let symbols = (self.primary() * self.secondary()) as u64;
        let bytes = size.max(1).div_ceil(symbols);
        let even = bytes.checked_next_multiple_of(2).unwrap_or(u64::MAX);
        u16::try_from(even).map_err(|_| CodingError::TooLarge {
            size,
            max: self.max_blob(),
            shards: self.shards,
        })
    }

    /// What storing a blob of `size` bytes is billed for, in bytes: slivers and metadata of all shards.
    ///
    /// # Errors
    /// If the blob is too large.
    pub fn encoded_length(self, size: u64) -> Result<u64, CodingError> {
        let symbol = u64::from(self.symbol_size(size)?);
        let n = u64::from(self.shards);
        let slivers = (self.primary() + self.secondary()) as u64 * symbol;
        // at most 1000 * (1001 * 65534 + 64032): far from overflow
        Ok(n * (slivers + PAIR_HASHES * n + ROOT))
    }
}

/// How slivers lie in the matrix of a number of shards.
impl Axis {
    /// Symbols in a sliver.
    #[must_use]
    pub const fn symbols(self, params: Params) -> usize {
        match self {
            Self::Primary => params.secondary(),
            Self::Secondary => params.primary(),
        }
    }

    /// Slivers that give the blob back.
    #[must_use]
    pub const fn needed(self, params: Params) -> usize {
        self.other().symbols(params)
    }

    /// The sliver of a pair.
    #[must_use]
    pub const fn index_of_pair(self, pair: u16, params: Params) -> u16 {
        match self {
            Self::Primary => pair,
            Self::Secondary => params.shards() - 1 - pair,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        for (n, f, p, s, max, min) in [
            (4, 1, 2, 3, 393_204, 1_192),
            (7, 2, 3, 5, 983_010, 3_472),
            (10, 3, 4, 7, 1_834_952, 6_940),
            (100, 33, 34, 67, 149_286_452, 663_400),
            (1000, 333, 334, 667, 14_599_533_452, 66_034_000),
        ] {
            let params = Params::new(n).unwrap();
            assert_eq!(
                (params.faults(), params.primary(), params.secondary()),
                (f, p, s)
            );
            assert_eq!(
                (params.max_blob(), params.encoded_length(0)),
                (max, Ok(min))
            );
            assert!(params.symbol_size(max).is_ok());
            assert!(matches!(
                params.symbol_size(max + 1),
                Err(CodingError::TooLarge { .. })
            ));
            assert!(params.symbol_size(u64::MAX).is_err());
            assert!(3 * params.quorum() > 2 * n && 3 * (params.quorum() - 1) < 2 * n + 1);
        }
        for n in [0, 1, 3, 1001, usize::MAX] {
            assert_eq!(Params::new(n), Err(CodingError::Shards(n)));
        }
    }
}
