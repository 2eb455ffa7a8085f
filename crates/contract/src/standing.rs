//! Reputation: it is bought with fees paid, in proportion to the collateral that it gives weight to, and
//! lost all at once by a conviction. Nothing else lowers it, so nobody has a weapon.
//!
//! ```text
//! points      = floor(90_000 * fees / collateral)     fees of a hundredth of the collateral: 900 points
//! after more  = floor((reputation * old + 100 * added) / (old + added))
//! ```
//!
//! Collateral that is added stands like a new node's, so weight `collateral * reputation` is the same for
//! one wallet and for its parts, in whatever order it comes in.

use crate::{db, limits::MAX_REPUTATION};
use atoma_types::{
    MicroUsdc, TimestampMs,
    chain::{Node, Standing},
};

/// A new node's, and that of collateral added later.
const INITIAL: u64 = 100;
/// Points for fees as large as the collateral.
const POINTS: u128 = 90_000;
/// Points gained in one epoch: a reputation takes 18 days.
const MOST_IN_AN_EPOCH: u64 = 50;

/// The standing with which a node begins.
pub(crate) fn initial() -> Standing {
    Standing {
        reputation: INITIAL,
        ..Standing::default()
    }
}

/// A claim was paid, with this fee.
pub(crate) fn paid(node: &mut Node, fee: MicroUsdc, now: TimestampMs) {
    let collateral = u128::from(node.collateral.0.max(1));
    let standing = &mut node.standing;
    standing.paid = standing.paid.saturating_add(1);
    let epoch = db::epoch(now);
    if standing.epoch != epoch {
        (standing.epoch, standing.gained) = (epoch, 0);
    }
    let carried = u128::from(standing.carried.0) + u128::from(fee.0);
    let points = carried * POINTS / collateral;
    let room = MOST_IN_AN_EPOCH
        .saturating_sub(standing.gained)
        .min(MAX_REPUTATION.saturating_sub(standing.reputation));
    if points >= u128::from(room) {
        // what is above the most of a day is not carried into the next
        standing.carried = MicroUsdc::ZERO;
    } else {
        let rest = carried - (points * collateral).div_ceil(POINTS);
        standing.carried = MicroUsdc(u64::try_from(rest).unwrap_or(u64::MAX));
    }
    let gained = u64::try_from(points).unwrap_or(u64::MAX).min(room);
    standing.gained += gained;
    standing.reputation += gained;
}

/// Collateral is about to be added.
pub(crate) fn diluted(node: &mut Node, added: MicroUsdc) {
    let (old, added) = (u128::from(node.collateral.0), u128::from(added.0));
    let sum = u128::from(node.standing.reputation) * old + u128::from(INITIAL) * added;
    let mean = sum / (old + added).max(1);
    node.standing.reputation = u64::try_from(mean).unwrap_or(MAX_REPUTATION);
}

/// What a conviction leaves of a standing: no reputation, and one more conviction.
pub(crate) fn lost(standing: &mut Standing) {
    standing.convicted = standing.convicted.saturating_add(1);
    standing.reputation = 0;
    standing.carried = MicroUsdc::ZERO;
}
