/// Reputation: it is bought with fees paid, in proportion to the collateral that it gives weight to, and lost
/// all at once by a conviction. Nothing else lowers it, so nobody has a weapon.
///
/// ```text
/// points      = floor(90_000 * fees / collateral)     fees of a hundredth of the collateral: 900 points
/// after more  = floor((reputation * old + 100 * added) / (old + added))
/// ```
module atoma::standing;

use atoma::limits;
use atoma::money;

/// A new node's, and that of collateral added later.
const INITIAL: u64 = 100;
/// Points for fees as large as the collateral.
const POINTS: u128 = 90_000;
/// Points gained in one epoch: a reputation takes 18 days.
const MOST_IN_AN_EPOCH: u64 = 50;
const MAX_U64: u128 = 18_446_744_073_709_551_615;

/// What is made of a node's history: reputation, and how much of it came when.
public struct Standing has copy, drop, store {
    /// From 0 to 1000.
    reputation: u64,
    /// Fees paid that have not yet become a point.
    carried: u64,
    /// The epoch that `gained` is of.
    epoch: u64,
    /// Points gained in it.
    gained: u64,
    /// Claims that were paid.
    paid: u64,
    /// Convictions.
    convicted: u64,
}

public(package) fun initial(): Standing {
    Standing { reputation: INITIAL, carried: 0, epoch: 0, gained: 0, paid: 0, convicted: 0 }
}

public(package) fun reputation(self: &Standing): u64 { self.reputation }

/// A claim was paid, with this fee.
public(package) fun paid(self: &mut Standing, collateral: u64, fee: u64, now: u64) {
    let collateral = collateral.max(1) as u128;
    self.paid = money::saturating_add(self.paid, 1);
    let epoch = limits::epoch(now);
    if (self.epoch != epoch) {
        self.epoch = epoch;
        self.gained = 0;
    };
    let carried = (self.carried as u128) + (fee as u128);
    let points = carried * POINTS / collateral;
    let room = money::saturating_sub(MOST_IN_AN_EPOCH, self.gained)
        .min(money::saturating_sub(limits::max_reputation(), self.reputation));
    self.carried = if (points >= (room as u128)) {
        // what is above the most of a day is not carried into the next
        0
    } else {
        let used = (points * collateral).divide_and_round_up(POINTS);
        (carried - used).min(MAX_U64) as u64
    };
    let gained = points.min(room as u128) as u64;
    self.gained = self.gained + gained;
    self.reputation = self.reputation + gained;
}

/// Collateral is about to be added.
public(package) fun diluted(self: &mut Standing, old: u64, added: u64) {
    let (old, added) = (old as u128, added as u128);
    let sum = (self.reputation as u128) * old + (INITIAL as u128) * added;
    self.reputation = (sum / (old + added).max(1)) as u64;
}

/// Guilt was found.
public(package) fun lost(self: &mut Standing) {
    self.convicted = money::saturating_add(self.convicted, 1);
    self.reputation = 0;
    self.carried = 0;
}
