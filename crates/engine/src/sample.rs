//! From logits to a token, as a function of (logits, output so far, parameters, position).
//!
//! # The choice, exactly
//!
//! 1. Each token in the output so far: `logit -= presence + frequency * occurrences` (f32; the sum
//!    is formed first).
//!    Where the answer's form is given, the logits of tokens that it forbids become -1e30.
//! 2. Temperature below 1e-5, where dividing by it would leave the numbers: the largest logit; ties
//!    go to the smaller id. Nothing below applies.
//! 3. `scaled = logit / temperature` (f32).
//! 4. Filters, on tokens in order of (scaled descending, id ascending), with weights
//!    `w = exp(scaled - max)` by the engine's own f32 polynomial:
//!    top-k keeps the first k; top-p keeps the shortest beginning whose weights sum to at least
//!    `top_p * total`, where the total is over what top-k left, or over all tokens in order of id;
//!    min-p keeps tokens with `w >= min_p`. Sums are sequential, in f64.
//! 5. Among what is left: the largest `scaled + gumbel(seed, position, token)` (f64); ties go to the
//!    smaller id. This draws from the softmax of what is left.
//!
//! # The noise, exactly
//!
//! All on 64 bits, wrapping; `mix` is SplitMix64's finaliser, `position` the index of the token being
//! chosen in prompt and output together:
//!
//! ```text
//! mix(z)  = z ^= z >> 30; z *= 0xBF58476D1CE4E5B9; z ^= z >> 27; z *= 0x94D049BB133111EB; z ^ z >> 31
//! key     = mix(mix(seed + 0x61746F6D612F7631) + position * 0x9E3779B97F4A7C15)
//! bits    = mix(key + (token + 1) * 0x9E3779B97F4A7C15)
//! u       = ((bits >> 11) + 1/2) / 2^53
//! gumbel  = -ln(-ln(u)), f64, by the libm crate
//! ```
//!
//! So the noise needs no state, and whoever knows the seed can check any token alone.

use std::collections::BTreeMap;

use crate::embedded::kern::{Simd, argmax, exp_shifted};
use crate::format::{FORBIDDEN, Mask};
use crate::nucleus::{nucleus, shorten};
use crate::{Sampling, TokenScore, rank};

/// Colder is greedy: noise is at most 37, so it could only part logits closer than 0.0004, and f32
/// overflows from 1e-36 on. Other servers have the same limit.
const GREEDY_BELOW: f32 = 1e-5;
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const SEED_TAG: u64 = 0x6174_6F6D_612F_7631; // "atoma/v1"

/// How often each token occurs in the output so far.
pub(crate) type Counts = BTreeMap<u32, u32>;

/// Occurrences of the tokens so far, if the penalties need them.
pub(crate) fn occurrences(output: &[u32], sampling: &Sampling) -> Counts {
    let mut counts = Counts::new();
    if sampling.frequency_penalty != 0.0 || sampling.presence_penalty != 0.0 {
        for id in output {
            *counts.entry(*id).or_default() += 1;
        }
    }
    counts
}

/// The noise of one position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64, position: usize) -> Self {
        let position = (position as u64).wrapping_mul(GOLDEN);
        Self(mix(mix(seed.wrapping_add(SEED_TAG)).wrapping_add(position)))
    }

    fn bits(self, token: u32) -> u64 {
        mix(self
            .0
            .wrapping_add((u64::from(token) + 1).wrapping_mul(GOLDEN)))
    }

    /// Standard Gumbel noise of a token.
    pub(crate) fn gumbel(self, token: u32) -> f64 {
        const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
        let u = ((self.bits(token) >> 11) as f64 + 0.5) * UNIT;
        -libm::log(-libm::log(u))
    }

    /// An upper bound that costs no logarithm: with `z` leading ones, `1 - u >= 2^-(z + 1)`, and
    /// `-ln(u) >= 1 - u`, so the noise is at most `(z + 1) * ln 2`.
    fn bound(self, token: u32) -> f64 {
        const ABOVE_LN_2: f64 = std::f64::consts::LN_2 * 1.000_001;
        f64::from(self.bits(token).leading_ones().min(53) + 1) * ABOVE_LN_2
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Chooses a token. Leaves `logits` penalised and scaled.
pub(crate) fn choose(
    simd: Simd,
    logits: &mut [f32],
    sampling: &Sampling,
    counts: &Counts,
    position: usize,
    mask: Option<&Mask>,
) -> u32 {
    penalise(logits, sampling, counts);
    if let Some(mask) = mask {
        mask.apply(logits);
    }
    if is_greedy(sampling) {
        return argmax(simd, logits).0 as u32;
    }
    for logit in &mut *logits {
        *logit /= sampling.temperature;
    }
    let noise = Noise::new(sampling.seed, position);
    let (likeliest, max) = argmax(simd, logits);
    let mut race = Race::new(logits, noise, likeliest as u32);
    hold(&mut race, simd, logits, max, sampling);
    race.winner
}

pub(crate) fn is_greedy(sampling: &Sampling) -> bool {
    sampling.temperature < GREEDY_BELOW
}

/// Scores a claimed token against the choice that [`choose`] makes, and says nothing of loose edges. Leaves `logits` as that
/// does.
pub(crate) fn score(
    simd: Simd,
    logits: &mut [f32],
    sampling: &Sampling,
    counts: &Counts,
    position: usize,
    mask: Option<&Mask>,
    claimed: u32,
) -> TokenScore {
    let own = logits[claimed as usize];
    let rank = logits.iter().filter(|logit| **logit > own).count() as u32;
    let logprob = log_probability(simd, logits, claimed);
    let reference = choose(simd, logits, sampling, counts, position, mask);
    let forbidden = reference != claimed && !admits(simd, logits, sampling, claimed);
    let noise = Noise::new(sampling.seed, position);
    let value = |id: u32| {
        let noise = if is_greedy(sampling) {
            0.0
        } else {
            noise.gumbel(id)
        };
        f64::from(logits[id as usize]) + noise
    };
    // A token that a filter removed may have the larger value: it is forbidden, and departs by no margin.
    let margin = (value(reference) - value(claimed)).max(0.0) as f32;
    TokenScore {
        id: claimed,
        logprob,
        rank,
        reference: Some(reference),
        margin,
        forbidden,
        shortfall: 0.0,
        outside: false,
    }
}

/// Whether form and filters leave a token, by logits that [`choose`] has seen.
fn admits(simd: Simd, scaled: &[f32], sampling: &Sampling, id: u32) -> bool {
    let (greedy, own) = (is_greedy(sampling), scaled[id as usize]);
    let floor = if greedy { 1.0 } else { sampling.temperature };
    if own <= FORBIDDEN / floor {
        return false;
    }
    let (_, max) = argmax(simd, scaled);
    let mut wanted = Wanted { id, is_in: false };
    if !greedy {
        hold(&mut wanted, simd, scaled, max, sampling);
    }
    greedy || wanted.is_in
}

/// Log probability of one token by the plain softmax.
pub(crate) fn log_probability(simd: Simd, logits: &[f32], id: u32) -> f32 {
    (f64::from(logits[id as usize]) - log_sum(simd, logits)) as f32
}

/// The likeliest tokens with their log probabilities.
pub(crate) fn top(simd: Simd, logits: &[f32], count: usize) -> Vec<(u32, f32)> {
    if count == 0 {
        return Vec::new();
    }
    let total = log_sum(simd, logits);
    rank::first(logits, count)
        .into_iter()
        .map(|id| (id, (f64::from(logits[id as usize]) - total) as f32))
        .collect()
}

/// `ln sum exp`.
fn log_sum(simd: Simd, logits: &[f32]) -> f64 {
    let (_, max) = argmax(simd, logits);
    let mut weights = logits.to_vec();
    exp_shifted(simd, &mut weights, max);
    let total: f64 = weights.iter().map(|w| f64::from(*w)).sum();
    f64::from(max) + libm::log(total)
}

fn penalise(logits: &mut [f32], sampling: &Sampling, counts: &Counts) {
    if sampling.frequency_penalty == 0.0 && sampling.presence_penalty == 0.0 {
        return;
    }
    for (id, count) in counts {
        logits[*id as usize] -= penalty(sampling, *count);
    }
}

/// What is taken from the logit of a token that has occurred so often.
pub(crate) fn penalty(sampling: &Sampling, occurred: u32) -> f32 {
    match occurred {
        0 => 0.0,
        count => sampling.presence_penalty + sampling.frequency_penalty * count as f32,
    }
}

/// What the tokens that the filters leave go to.
trait Enter {
    /// Whether a token is let in at all is asked last, where it matters.
    fn enter(&mut self, id: u32, is_in: impl Fn(u32) -> bool);
}

/// A token that is looked for among those that the filters leave.
struct Wanted {
    id: u32,
    is_in: bool,
}

impl Enter for Wanted {
    fn enter(&mut self, id: u32, is_in: impl Fn(u32) -> bool) {
        if id == self.id {
            self.is_in = is_in(id);
        }
    }
}

/// A search for the largest noisy value that computes few logarithms.
struct Race<'a> {
    logits: &'a [f32],
    noise: Noise,
    winner: u32,
    value: f64,
}

impl<'a> Race<'a> {
    fn new(logits: &'a [f32], noise: Noise, first: u32) -> Self {
        let value = f64::from(logits[first as usize]) + noise.gumbel(first);
        Self {
            logits,
            noise,
            winner: first,
            value,
        }
    }
}

impl Enter for Race<'_> {
    #[inline]
    fn enter(&mut self, id: u32, is_in: impl Fn(u32) -> bool) {
        let logit = f64::from(self.logits[id as usize]);
        if logit + self.noise.bound(id) < self.value || !is_in(id) {
            return;
        }
        let value = logit + self.noise.gumbel(id);
        if value > self.value || (value == self.value && id < self.winner) {
            (self.winner, self.value) = (id, value);
        }
    }
}

/// Lets those tokens in that the filters leave.
fn hold(race: &mut impl Enter, simd: Simd, scaled: &[f32], max: f32, sampling: &Sampling) {
    let all = 0..scaled.len() as u32;
    let (top_k, top_p) = (sampling.top_k as usize, f64::from(sampling.top_p));
    let is_short = 0 < top_k && top_k < scaled.len();
    if !is_short && top_p >= 1.0 && sampling.min_p == 0.0 {
        all.for_each(|id| race.enter(id, |_| true));
        return;
    }
    let mut weights = scaled.to_vec();
    exp_shifted(simd, &mut weights, max);
    let weight = |id: &u32| f64::from(weights[*id as usize]);
    let is_likely = |id: u32| weights[id as usize] >= sampling.min_p;
    if is_short {
        let mut kept = rank::first(scaled, top_k);
        if top_p < 1.0 {
            let goal = top_p * kept.iter().map(weight).sum::<f64>();
            shorten(&mut kept, weight, goal);
        }
        kept.into_iter().for_each(|id| race.enter(id, is_likely));
        return;
    }
    let last = if top_p < 1.0 {
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        nucleus(scaled, max, &weights, top_p * total)
    } else {
        u64::MAX
    };
    let is_in = |id: u32| rank::pair(scaled, id) <= last && is_likely(id);
    all.for_each(|id| race.enter(id, is_in));
}

#[cfg(test)]
#[path = "sample_test.rs"]
mod tests;
