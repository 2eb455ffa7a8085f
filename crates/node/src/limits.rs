//! Limits of the rules that a node keeps to by itself. They are the contract's; a test holds them to it.

/// A settlement carries a header of each lane, so no more are opened than the rules take.
pub(crate) const MAX_LANES: usize = 60;

/// Tickets that a lease may have open, of which the last is kept for its end.
pub(crate) const MAX_TICKETS: usize = 2;

/// An epoch of the treasury.
pub(crate) const EPOCH_MS: u64 = 24 * 3_600 * 1_000;

#[cfg(test)]
mod tests {
    use atoma_contract::limits;
    use atoma_walrus::{coding, store};

    #[test]
    fn the_copies_of_the_contract_s_limits_say_what_it_says() {
        assert_eq!(super::MAX_LANES, limits::MAX_LANES);
        assert_eq!(super::MAX_TICKETS, limits::MAX_TICKETS);
        assert_eq!(super::EPOCH_MS, limits::EPOCH_MS);
    }

    #[test]
    fn the_development_walrus_of_the_contract_has_the_limits_of_ours() {
        assert_eq!(store::MAX_EPOCHS_AHEAD, limits::MAX_EPOCHS_AHEAD);
        let shards = (coding::MIN_SHARDS, coding::MAX_SHARDS);
        assert_eq!(shards, (limits::MIN_SHARDS, limits::MAX_SHARDS));
    }
}
