//! The shortest beginning of all tokens, in order of (logit descending, id ascending), whose weights
//! reach a goal; found without putting large vocabularies in order.
//!
//! The rule says at which token the *sequential* f64 sum reaches the goal, and rounding depends on the
//! order. Sums in any order are within `n` roundings of the exact one, so where one of them is further
//! than that from the goal, it tells on which side the sequential sum is. A histogram by depth below the
//! largest logit finds the few tokens among which the goal is reached; halving those, always summing
//! the likelier half, finds the last token. Where a sum is too close to tell, which is rare, all is put
//! in order and summed as the rule says.

use crate::rank;

/// Steps of depth.
const DEPTHS: usize = 4096;
/// Where the last step begins, unless all logits are nearer to the largest: at weights of e^-32.
const DEEPEST: f32 = 32.0;
/// 2^23: a number that is added to it is rounded to an integer, which its lowest bits are.
const INTEGERS: f32 = 8_388_608.0;
/// Up to so many tokens, order is found as fast as the place of one.
const FEW: usize = 64;

/// The last token of the nucleus, as an [`rank::pair`]: those up to it are in. `max` is the largest of
/// `scaled`, whose exponentials below it are `weights`.
pub(crate) fn nucleus(scaled: &[f32], max: f32, weights: &[f32], goal: f64) -> u64 {
    select(scaled, max, weights, goal).unwrap_or_else(|| {
        let mut kept = rank::sorted(scaled, 0..scaled.len() as u32);
        shorten(&mut kept, |id| f64::from(weights[*id as usize]), goal);
        kept.last().map_or(0, |last| rank::pair(scaled, *last))
    })
}

/// Cuts tokens in order behind the first of them whose weights reach `goal`.
pub(crate) fn shorten(kept: &mut Vec<u32>, weight: impl Fn(&u32) -> f64, goal: f64) {
    let mut sum = 0.0;
    let end = kept.iter().position(|id| {
        sum += weight(id);
        sum >= goal
    });
    kept.truncate(end.map_or(kept.len(), |end| end + 1));
}

/// Whether a sequential sum has reached the goal, by a sum of the same terms in another order.
#[derive(Clone, Copy)]
struct Goal {
    goal: f64,
    /// More than two sums in different order can differ by.
    doubt: f64,
}

impl Goal {
    fn new(goal: f64, terms: usize) -> Self {
        let roundings = (terms + DEPTHS) as f64;
        let doubt = 4.0 * roundings * f64::EPSILON * goal;
        Self { goal, doubt }
    }

    /// None where it can't be told.
    fn is_reached(self, sum: f64) -> Option<bool> {
        ((sum - self.goal).abs() > self.doubt).then_some(sum >= self.goal)
    }
}

/// The last token, unless rounding must be known to tell it.
fn select(scaled: &[f32], max: f32, weights: &[f32], goal: f64) -> Option<u64> {
    let per_unit = DEPTHS as f32 / (max - least(scaled, max)).clamp(1e-30, DEEPEST);
    let depth = |logit: &f32| {
        let steps = ((max - logit) * per_unit).min((DEPTHS - 1) as f32);
        (steps + INTEGERS).to_bits() as usize % DEPTHS
    };
    let mut masses = [0.0f64; DEPTHS];
    for (logit, weight) in scaled.iter().zip(weights) {
        masses[depth(logit)] += f64::from(*weight);
    }
    let mut above = 0.0;
    let deepest = masses.iter().position(|mass| {
        let reached = above + mass >= goal;
        if !reached {
            above += mass;
        }
        reached
    });
    let goal = Goal::new(goal, scaled.len());
    let Some(deepest) = deepest else {
        // All of them, if even so the goal isn't reached.
        return (!goal.is_reached(above)?).then_some(u64::MAX);
    };
    if goal.is_reached(above)? || !goal.is_reached(above + masses[deepest])? {
        return None;
    }
    let ids = (0u32..).zip(scaled);
    let near = ids.filter(|(_, logit)| depth(logit) == deepest);
    let mut near: Vec<u64> = near.map(|(id, _)| rank::pair(scaled, id)).collect();
    last(&mut near, weights, above, goal)
}

/// The least of the values, of which `max` is one; in lanes, for speed.
fn least(values: &[f32], max: f32) -> f32 {
    let mut lanes = [max; 32];
    let (body, tail) = values.as_chunks::<32>();
    for chunk in body {
        for (least, value) in lanes.iter_mut().zip(chunk) {
            *least = if value < least { *value } else { *least };
        }
    }
    lanes.iter().chain(tail).copied().fold(max, f32::min)
}

/// The last token of the nucleus among `near`. Those above `near` weigh `above`; all together reach the
/// goal.
fn last(near: &mut [u64], weights: &[f32], above: f64, goal: Goal) -> Option<u64> {
    let weigh = |pairs: &[u64]| -> f64 {
        let weight = |pair: &u64| f64::from(weights[rank::id(*pair) as usize]);
        pairs.iter().map(weight).sum()
    };
    let (mut from, mut until, mut sum) = (0, near.len(), above);
    while until - from > FEW {
        let half = (until - from) / 2;
        near[from..until].select_nth_unstable(half);
        let likelier = weigh(&near[from..=from + half]);
        if goal.is_reached(sum + likelier)? {
            until = from + half + 1;
        } else {
            (from, sum) = (from + half + 1, sum + likelier);
        }
    }
    near[from..until].sort_unstable();
    for place in from..until {
        sum += weigh(&near[place..=place]);
        if goal.is_reached(sum)? {
            return Some(near[place]);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the rule says.
    fn by_order(scaled: &[f32], weights: &[f32], goal: f64) -> Vec<u32> {
        let mut kept: Vec<u32> = (0..scaled.len() as u32).collect();
        let by_logit = |a: &u32, b: &u32| scaled[*b as usize].total_cmp(&scaled[*a as usize]);
        kept.sort_by(|a, b| by_logit(a, b).then(a.cmp(b)));
        shorten(&mut kept, |id| f64::from(weights[*id as usize]), goal);
        kept.sort_unstable();
        kept
    }

    /// Whether the nucleus was found without putting all in order.
    fn check(scaled: &[f32], top_p: f64) -> bool {
        let max = scaled.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exp = |logit: &f32| libm::expf((logit - max).max(-87.0));
        let weights: Vec<f32> = scaled.iter().map(exp).collect();
        let goal = top_p * weights.iter().map(|w| f64::from(*w)).sum::<f64>();
        let last = nucleus(scaled, max, &weights, goal);
        let ids = 0..scaled.len() as u32;
        let seen: Vec<u32> = ids.filter(|id| rank::pair(scaled, *id) <= last).collect();
        assert_eq!(seen, by_order(scaled, &weights, goal), "{top_p}");
        select(scaled, max, &weights, goal).is_some()
    }

    #[test]
    fn a_nucleus_of_any_length_is_the_shortest_beginning() {
        let flat: Vec<f32> = (0..5000).map(|i| (i % 13) as f32 * 1e-3).collect();
        let steep: Vec<f32> = (0..5000)
            .map(|i| (i * 7919 % 5000) as f32 * -0.01)
            .collect();
        let masked: Vec<f32> = (0..5000)
            .map(|i| if i % 7 == 0 { 1.0 } else { -1e30 })
            .collect();
        for row in [flat, steep, masked] {
            for top_p in [1e-9, 0.1, 0.5, 0.9, 0.999, 0.999_999, 1.1] {
                assert!(check(&row, top_p), "{top_p} takes the short way");
            }
        }
    }

    #[test]
    fn sums_that_meet_the_goal_exactly_are_settled_by_the_rule() {
        let equal = [0.5f32; 1000];
        for tokens in [1, 2, 500, 999, 1000] {
            assert!(!check(&equal, f64::from(tokens) / 1000.0));
        }
        assert!(check(&equal, 0.4995));
        assert!(!check(&[0.0, -1.0, f32::NEG_INFINITY], 1.0));
    }

    proptest! {
        #[test]
        fn every_distribution_gives_the_nucleus_of_the_rule(
            logits in prop::collection::vec(-40f32..10.0, 1..300),
            repeats in 1..30usize, flatness in 0..4i32, top_p in 0f64..1.0,
        ) {
            let scale = 10f32.powi(-flatness * 2);
            let row: Vec<f32> = logits.iter().cycle().take(logits.len() * repeats).map(|l| l * scale).collect();
            check(&row, top_p);
            check(&row, 1.0 - top_p * 1e-6);
        }
    }
}
