//! The weighted draw of nodes, without replacement.
//!
//! ```text
//! weight(node)  = matured collateral * reputation
//! number(i)     = le256(BLAKE2b-256("atoma/draw/v1" ‖ seed ‖ u64 le i)) mod total
//! ```
//!
//! Draw `i` (from 0) takes the first node, in the order of the task's subscriptions, whose cumulative
//! weight is above `number(i)`; its weight then counts zero. Weights are linear in money at stake, whatever a
//! node says of itself, so no split of a wallet raises their sum. Collateral counts below 2^50 and
//! reputation below 2^10, so 256 weights sum to less than 2^68, and reducing a 256-bit number leaves a bias
//! below 2^-188.

use crate::limits::MAX_REPUTATION;
use atoma_types::{
    Address, MicroUsdc, Price, TimestampMs,
    chain::{Subscription, SubscriptionState, Task},
    hash::Hash32,
};

const DOMAIN: &[u8] = b"atoma/draw/v1";

/// Collateral counts at most this: a thousand million USDC.
const MAX_COLLATERAL: u64 = 1 << 50;

/// A node's weight in a draw.
#[must_use]
pub fn weight(subscription: &Subscription) -> u128 {
    let collateral = subscription.matured.0.min(MAX_COLLATERAL);
    let reputation = subscription.reputation.min(MAX_REPUTATION);
    u128::from(collateral) * u128::from(reputation)
}

/// Whether, as far as the task knows, a node would serve at no more than `max_price`. The lease asks the node.
#[must_use]
pub fn eligible(
    task: &Task,
    subscription: &Subscription,
    max_price: Price,
    now: TimestampMs,
) -> bool {
    let attested = subscription.attested_until_ms >= now;
    (attested || !task.security_level.confidential())
        && subscription.state == SubscriptionState::Active
        && subscription.price <= max_price
        && subscription.matured >= task.min_collateral
        && subscription.reputation >= task.min_reputation
}

/// Whether a node can be drawn to examine for a stack that was bought at such a time: it had promised to by then, has what it
/// could be fined, some weight, and an owner that isn't one of these. Whatever it was drawn for before: were there room for so
/// many only, whoever filled it would go unexamined.
#[must_use]
pub fn attests(
    subscription: &Subscription,
    bought_at: TimestampMs,
    fine: MicroUsdc,
    but: &[Address],
) -> bool {
    let promise = subscription.attester.is_some_and(|attester| {
        attester.active && attester.since_ms <= bought_at && attester.stake >= fine
    });
    promise
        && subscription.state == SubscriptionState::Active
        && weight(subscription) > 0
        && !but.contains(&subscription.owner)
}

/// Draws `count` distinct places among `weights`; `None` if fewer have any weight. It looks at each weight in
/// each draw, whichever it takes: the same work for every outcome.
#[must_use]
pub fn draw(seed: &[u8; 32], mut weights: Vec<u128>, count: usize) -> Option<Vec<usize>> {
    let some = weights.iter().filter(|&&weight| weight > 0).count();
    if some < count {
        return None;
    }
    let mut total: u128 = weights.iter().sum();
    let mut drawn = Vec::with_capacity(count);
    for i in 0..count as u64 {
        let number = number(seed, i, total);
        let (mut sum, mut place) = (0, 0);
        for &weight in &weights {
            sum += weight;
            place += usize::from(sum <= number);
        }
        total -= std::mem::take(weights.get_mut(place)?);
        drawn.push(place);
    }
    Some(drawn)
}

/// The digest as a little-endian 256-bit number, reduced.
fn number(seed: &[u8; 32], i: u64, total: u128) -> u128 {
    reduce(Hash32::of_parts(&[DOMAIN, seed, &i.to_le_bytes()]), total)
}

/// A digest as a little-endian 256-bit number, reduced by a number below 2^120.
pub(crate) fn reduce(digest: Hash32, total: u128) -> u128 {
    let bytes = digest.0.iter().rev();
    bytes.fold(0, |rest, &byte| ((rest << 8) | u128::from(byte)) % total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_draw() {
        // recomputed independently with Python's hashlib.blake2b(digest_size=32)
        assert_eq!(number(&[7; 32], 0, 1_000_003), 107643);
        assert_eq!(
            number(&[7; 32], 1, (1 << 118) - 1),
            218467550224269066155015605161586728
        );
    }

    #[test]
    fn the_weightless_are_never_drawn() {
        assert_eq!(draw(&[1; 32], vec![0, 5, 0], 1), Some(vec![1]));
        assert_eq!(draw(&[1; 32], vec![0, 5, 0], 2), None);
        assert_eq!(draw(&[1; 32], vec![], 1), None);
        assert_eq!(draw(&[1; 32], vec![], 0), Some(vec![]));
        let all = draw(&[1; 32], vec![1, 1 << 67, 3], 3).map(|mut all| {
            all.sort_unstable();
            all
        });
        assert_eq!(all, Some(vec![0, 1, 2]));
    }
}
