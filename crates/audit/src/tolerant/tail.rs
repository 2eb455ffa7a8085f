//! How rarely honest tokens make a sum so large: bounds, fitted from tokens.
//!
//! A millionth can't be counted: three million answers would be needed to see it. But an answer is a sum of tokens, and of
//! those tens of thousands are soon seen. For independent numbers `x` between 0 and a bound, Chernoff's bound says
//!
//! ```text
//! P(sum of n >= s)  <=  exp(n * growth(slope) - slope * s)     for each slope > 0
//! growth(slope)      =  ln E[exp(slope * x)]
//! ```
//!
//! so a few slopes with their growth are all that must be kept. What is fitted is worse than what was seen: see [`INFLATE`]
//! and [`UNSEEN`].

use super::sums::MOST;
use std::borrow::Cow;

/// Honest tokens are taken to depart so much oftener than those that were seen: other prompts, other servers, and tokens of
/// one answer that aren't independent.
pub(super) const INFLATE: f64 = 1.5;
/// So many tokens more than were seen are taken to depart by all that one can.
pub(super) const UNSEEN: f64 = 1.0;
/// For sums near and far from what honest tokens come to.
const SLOPES: [f64; 14] = [
    0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0,
];

/// A bound on what honest tokens come to together.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail(Cow<'static, [(f64, f64)]>);

impl Tail {
    /// Of slopes, each with its growth, as [`fit`](Self::fit) made them.
    #[must_use]
    pub const fn of(slopes: &'static [(f64, f64)]) -> Self {
        Self(Cow::Borrowed(slopes))
    }

    /// Fits honest tokens' numbers, each of 0 to [`MOST`].
    #[must_use]
    pub fn fit(numbers: &[f32]) -> Self {
        let many = numbers.len().max(1) as f64;
        let fitted = SLOPES.iter().map(|slope| {
            let more = |number: f64| libm::expm1(slope * number);
            let seen: f64 = numbers.iter().map(|number| more(f64::from(*number))).sum();
            let unseen = UNSEEN * more(f64::from(MOST));
            (*slope, libm::log1p((INFLATE * seen + unseen) / many))
        });
        Self(fitted.collect())
    }

    /// The slopes with their growth.
    #[must_use]
    pub fn slopes(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// The logarithm of a bound on the probability that so many honest tokens come to this sum or a larger one.
    #[must_use]
    pub fn ln_chance(&self, tokens: u64, sum: f64) -> f64 {
        let tokens = tokens as f64;
        let bounds = self.0.iter();
        let bounds = bounds.map(|(slope, growth)| tokens * growth - slope * sum);
        bounds.fold(0.0, f64::min)
    }

    /// The sum that so many honest tokens reach with a probability of `chance` at most.
    #[must_use]
    pub fn line(&self, tokens: u64, chance: f64) -> f64 {
        let tokens = tokens as f64;
        let lines = self.0.iter();
        let lines = lines.map(|(slope, growth)| (tokens * growth - chance.ln()) / slope);
        lines.fold(f64::INFINITY, f64::min)
    }
}

/// The rate that is taken for honest, where so many of all tokens were seen.
pub(super) fn rate(seen: usize, of: usize) -> f64 {
    ((INFLATE * seen as f64 + UNSEEN) / of.max(1) as f64).min(1.0)
}

/// The logarithm of the probability that `count` or more of so many tokens are what each is at this rate: Poisson's, which is
/// never smaller than the binomial's where it is small.
pub(super) fn ln_chance_of_count(tokens: u64, rate: f64, count: u64) -> f64 {
    let mean = tokens as f64 * rate;
    let many = count as f64;
    if many <= mean || mean <= 0.0 && count == 0 {
        return 0.0;
    }
    if mean <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let first = many * mean.ln() - mean - libm::lgamma(many + 1.0);
    // each further term is smaller by more than mean / (count + 1)
    let (mut term, mut sum, mut next) = (1.0, 1.0, many + 1.0);
    while term > 1e-17 * sum {
        term *= mean / next;
        sum += term;
        next += 1.0;
    }
    (first + sum.ln()).min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_as_rare_as_poisson_says() {
        // as R's ppois(count - 1, mean, lower.tail = FALSE) gives them
        for (mean, count, chance) in [
            (4.0, 4, 1.0),
            (4.0, 15, 1.993_2e-5),
            (0.001, 1, 9.995_0e-4),
            (0.001, 2, 4.996_7e-7),
            (100.0, 160, 2.050_7e-8),
        ] {
            let found = ln_chance_of_count(1_000, mean / 1_000.0, count).exp();
            assert!(
                (found / chance - 1.0).abs() < 1e-4,
                "{mean} {count} {found}"
            );
        }
        assert_eq!(ln_chance_of_count(10, 0.0, 1), f64::NEG_INFINITY);
    }

    #[test]
    fn few_tokens_never_reach_a_line_and_many_reach_it_by_twice_the_mean() {
        let numbers: Vec<f32> = (0..50_000)
            .map(|i| if i % 50 == 0 { 0.1 } else { 0.0 })
            .collect();
        let tail = Tail::fit(&numbers);
        assert!(tail.line(1, 1e-6) > f64::from(MOST));
        let line = tail.line(1_000_000, 1e-6) / 1e6;
        assert!((0.002 * 1.5..0.002 * 2.0).contains(&line), "{line}");
        assert!((tail.ln_chance(200, tail.line(200, 1e-6)) - 1e-6f64.ln()).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_bound_is_above_what_honest_tokens_come_to(
            seed in any::<u64>(), every in 5..60u64, size in 0.01f32..0.3,
        ) {
            let mut state = seed | 1;
            let mut draw = move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                match state % every {
                    0 => size * ((state >> 32) as f32 / u32::MAX as f32),
                    _ => 0.0,
                }
            };
            let seen: Vec<f32> = (0..20_000).map(|_| draw()).collect();
            let tail = Tail::fit(&seen);
            let line = tail.line(200, 1e-3);
            let over = (0..2_000).filter(|_| (0..200).map(|_| f64::from(draw())).sum::<f64>() >= line);
            prop_assert!(over.count() <= 8);
        }
    }
}
