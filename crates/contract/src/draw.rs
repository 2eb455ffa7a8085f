//! The weighted draw of nodes, without replacement.
//!
//! ```text
//! weight(node)  = min(collateral, collateral_cap) * reputation * (capacity - leased)
//! number(i)     = le256(BLAKE2b-256("atoma/draw/v1" ‖ seed ‖ u64 le i)) mod total
//! ```
//!
//! Draw `i` (from 0) takes the first node, in the order of the task's subscriptions, whose cumulative
//! weight is above `number(i)`; its weight then counts zero. Collateral and capacity count at most
//! 2^50 each and reputation below 2^10, so 256 weights sum to less than 2^118, and reducing a 256-bit
//! number leaves a bias below 2^-138: nobody can ever measure it. (128 bits would leave 2^-10.)

use crate::limits::{MAX_REPUTATION, MAX_SUBSCRIPTIONS, MAX_UNITS};
use atoma_types::{
    ComputeUnits, Price,
    chain::{Subscription, SubscriptionState, Task},
    hash::Hash32,
};

const DOMAIN: &[u8] = b"atoma/draw/v1";

/// Collateral counts at most this, whatever the parameter says.
const MAX_CAP: u64 = 1 << 50;

// `number` shifts a remainder by a byte, and sums must not wrap
const _: () = assert!(
    (MAX_CAP as u128) * (MAX_REPUTATION as u128) * (MAX_UNITS as u128)
        < (1 << 120) / (MAX_SUBSCRIPTIONS as u128)
);

/// A node's weight in a draw.
#[must_use]
pub fn weight(subscription: &Subscription, collateral_cap: u64) -> u128 {
    let collateral = subscription.collateral.0.min(collateral_cap).min(MAX_CAP);
    let reputation = subscription.reputation.min(MAX_REPUTATION);
    let free = free_capacity(subscription).0.min(MAX_UNITS);
    u128::from(collateral) * u128::from(reputation) * u128::from(free)
}

/// Units that a node would still take.
#[must_use]
pub fn free_capacity(subscription: &Subscription) -> ComputeUnits {
    subscription.capacity.saturating_sub(subscription.leased)
}

/// Whether a node can be given at least `units` at no more than `max_price`.
///
/// Confidential tasks need a live attestation; none can be registered yet, so nobody fits them.
#[must_use]
pub fn eligible(
    task: &Task,
    subscription: &Subscription,
    max_price: Price,
    units: ComputeUnits,
) -> bool {
    !task.security_level.confidential()
        && subscription.state == SubscriptionState::Active
        && subscription.price <= max_price
        && subscription.collateral >= task.min_collateral
        && subscription.reputation >= task.min_reputation
        && free_capacity(subscription) >= units
}

/// Draws `count` distinct places among `weights`; `None` if fewer have any weight.
#[must_use]
pub fn draw(seed: &[u8; 32], mut weights: Vec<u128>, count: usize) -> Option<Vec<usize>> {
    let mut total: u128 = weights.iter().sum();
    let mut drawn = Vec::with_capacity(count);
    for i in 0..count as u64 {
        if total == 0 {
            return None;
        }
        let mut left = number(seed, i, total);
        // `left` is below the total, so the walk ends before the weights do
        let place = weights.iter().position(|&weight| {
            let here = left < weight;
            left = left.saturating_sub(weight);
            here
        })?;
        total -= std::mem::take(&mut weights[place]);
        drawn.push(place);
    }
    Some(drawn)
}

/// The digest as a little-endian 256-bit number, reduced.
fn number(seed: &[u8; 32], i: u64, total: u128) -> u128 {
    let digest = Hash32::of_parts(&[DOMAIN, seed, &i.to_le_bytes()]);
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
        let all = draw(&[1; 32], vec![1, u128::MAX >> 10, 3], 3).map(|mut all| {
            all.sort_unstable();
            all
        });
        assert_eq!(all, Some(vec![0, 1, 2]));
    }
}
