//! Every code is met: each check of the package refuses something that would else be done.

use crate::world::*;
use atoma_types::chain::{AbortCode, Call};
use std::collections::BTreeSet;

/// Calls that must be refused so, each in a world of its own.
pub(super) struct Scene {
    pub(super) w: World,
    pub(super) cases: Vec<(AbortCode, u8, Call)>,
}

impl Scene {
    pub(super) fn new(w: World) -> Self {
        Self {
            w,
            cases: Vec::new(),
        }
    }

    pub(super) fn case(&mut self, code: AbortCode, sender: u8, call: impl Into<Call>) {
        self.cases.push((code, sender, call.into()));
    }

    /// A case in the same scene with something changed before.
    pub(super) fn after(
        mut self,
        change: impl FnOnce(&mut World),
        cases: impl FnOnce(&mut Self),
    ) -> Self {
        self.play();
        change(&mut self.w);
        cases(&mut self);
        self
    }

    pub(super) fn play(&mut self) {
        for (code, sender, call) in std::mem::take(&mut self.cases) {
            let mut w = self.w.clone();
            match w.run(sender, call.clone()) {
                Ok(_) => panic!("{code} expected of {call:?}"),
                Err(other) => assert_eq!(other, code, "{call:?}"),
            }
            met(code);
        }
    }
}

thread_local! {
    static MET: std::cell::RefCell<BTreeSet<AbortCode>> = const { std::cell::RefCell::new(BTreeSet::new()) };
}

/// Notes that a code was met.
pub(super) fn met(code: AbortCode) {
    MET.with_borrow_mut(|met| met.insert(code));
}

/// Codes of the development Walrus begin here; they have tests of their own.
const FIRST_OF_WALRUS: u64 = 800;
/// Sums too large for any purchase are cut off before, by `escrow_overflow` and limits; what would overflow then is refused all the same.
const UNREACHED: &[AbortCode] = &[
    AbortCode::AmountOverflow,
    // the package's own alone: no later version of it is modelled
    AbortCode::NoticeNotOver,
    // arguments of another length are refused when the call is read: `refused_before`
    AbortCode::SealingKeyInvalid,
    AbortCode::ReleaseDigestInvalid,
    AbortCode::RoleUnknown,
    AbortCode::SecurityLevelUnknown,
    AbortCode::ModelHashInvalid,
    AbortCode::NumericsUnknown,
    AbortCode::RuleUnknown,
    AbortCode::ManifestInvalid,
    AbortCode::DigestInvalid,
];

#[test]
fn each_check_refuses_something() {
    super::market::scenes();
    super::leases::scenes();
    super::tickets::scenes();
    super::audits::scenes();
    let met = MET.with_borrow(Clone::clone);
    let missing: Vec<_> = AbortCode::ALL
        .iter()
        .filter(|code| code.code() < FIRST_OF_WALRUS)
        .filter(|code| !met.contains(code) && !UNREACHED.contains(code))
        .collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}
