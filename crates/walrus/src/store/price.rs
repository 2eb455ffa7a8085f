//! What storing costs, in FROST (a billionth of a WAL).

/// Bytes of a unit of storage.
const UNIT: u64 = 1 << 20;

/// Prices per MiB of encoded length, as storage nodes vote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// Per unit and epoch.
    pub storage: u64,
    /// Per unit, once, for writing.
    pub write: u64,
}

impl Default for Prices {
    /// A sample of Mainnet's.
    fn default() -> Self {
        Self {
            storage: 100_000,
            write: 20_000,
        }
    }
}

impl Prices {
    /// Units of an encoded length.
    #[must_use]
    pub fn units(encoded_length: u64) -> u64 {
        encoded_length.div_ceil(UNIT)
    }

    /// The price of keeping that much for some epochs more, without writing it.
    #[must_use]
    pub fn extension(self, encoded_length: u64, epochs: u32) -> u64 {
        Self::units(encoded_length)
            .saturating_mul(self.storage)
            .saturating_mul(u64::from(epochs))
    }

    /// The price of storing a new blob.
    #[must_use]
    pub fn new_blob(self, encoded_length: u64, epochs: u32) -> u64 {
        let write = Self::units(encoded_length).saturating_mul(self.write);
        self.extension(encoded_length, epochs).saturating_add(write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_blob_on_mainnet_is_63_units() {
        assert_eq!(Prices::units(66_034_000), 63);
        assert_eq!(Prices::default().new_blob(66_034_000, 2), 63 * 220_000);
    }
}
