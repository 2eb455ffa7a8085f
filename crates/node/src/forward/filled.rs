//! How full a node's places and an engine's queue are.

/// So many of so many places are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub taken: usize,
    /// None, where it isn't known how many there are.
    pub of: usize,
}

impl Filled {
    /// Whether more than so many thousandths are taken.
    pub(super) fn is_above(self, permille: u64) -> bool {
        let (taken, of) = (self.taken as u128, self.of as u128);
        of > 0 && taken * 1_000 > of * u128::from(permille)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_is_never_passed_and_nothing_is_above_an_unknown_size() {
        let filled = |taken, of| Filled { taken, of };
        assert!(!filled(10, 10).is_above(1_000));
        assert!(filled(10, 10).is_above(999));
        assert!(!filled(5, 10).is_above(500) && filled(6, 10).is_above(500));
        assert!(filled(1, 10).is_above(0) && !filled(0, 10).is_above(0));
        assert!(!filled(3, 0).is_above(0));
        let most = usize::MAX;
        assert!(!filled(most, most).is_above(u64::MAX));
    }
}
