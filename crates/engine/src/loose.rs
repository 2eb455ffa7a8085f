//! How far a claimed token falls short of the choice, where whoever chose it computes with other arithmetic.
//!
//! Their logits are close to those at hand and not equal, so they may choose another token. The shortfall is by how many
//! logits the numbers would have to be off for that, at least. The choice is that of [`sample`], with loose edges:
//!
//! 1. Rivals are the tokens that surely pass the filters. Top-p: the tokens before one, and those less than [`EDGE_LOGITS`]
//!    behind it, weigh less than `top_p - mass` of all, where `mass` is [`EDGE_MASS`], or as much more as a temperature below 1
//!    makes of it. Top-k: the logit is [`EDGE_LOGITS`] above the k-th's. Min-p: as much above its bound.
//! 2. The shortfall is `temperature * (scaled + gumbel)` of the best rival less that of the claimed token, 0 at least. Where
//!    sampling is greedy, the difference of the logits.
//! 3. The claimed token is *outside* if a filter surely removes it: by the same slack the other way; or if the answer's form
//!    forbids it.
//!
//! Servers tell only the likeliest tokens. Then what isn't known counts for the claimed one: a shortfall is never larger than
//! it would be if all were known, and no token outside that wouldn't be.

use crate::embedded::kern::Simd;
use crate::format::Mask;
use crate::sample::{self, Counts, Noise, is_greedy, penalty};
use crate::{Sampling, TokenScore};

/// Logits by which a token must be over the edge of top-k or min-p before it counts. Servers with bf16 move them by 0.03 in
/// the mean, and by 0.2 at most of some thousands.
const EDGE_LOGITS: f64 = 0.25;
/// Share of the probability by which a token must be over the edge of top-p before it counts.
const EDGE_MASS: f64 = 0.03;
/// No logit is so low but a forbidden token's.
const REMOVED: f64 = -1e20;

/// Scores a claimed token by all logits at its place, loosely too.
pub(crate) fn score(
    simd: Simd,
    logits: &mut [f32],
    sampling: &Sampling,
    counts: &Counts,
    position: usize,
    mask: Option<&Mask>,
    claimed: u32,
) -> TokenScore {
    let score = sample::score(simd, logits, sampling, counts, position, mask, claimed);
    // what an exact audit asks for is nearly always the choice: it pays for no more
    if score.reference == Some(claimed) {
        return score;
    }
    let fall = Row::whole(logits).fall(sampling, position, claimed);
    TokenScore {
        shortfall: fall.by,
        outside: fall.outside,
        ..score
    }
}

/// What is known of the tokens at one place.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Tokens with their logits as [`sample`] scales them, or with numbers that differ from those by a constant: the largest
    /// first.
    known: Vec<(u32, f64)>,
    /// No token that isn't known has a larger one.
    ceiling: f64,
    /// What those that aren't known weigh together at most, as exponentials.
    rest: f64,
}

/// How far a token falls short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fall {
    /// By so many logits.
    pub(crate) by: f32,
    /// Whether filters or form surely remove it.
    pub(crate) outside: bool,
}

impl Fall {
    /// Of a token that is the choice, or of which nothing can be said.
    pub(crate) const NONE: Self = Self {
        by: 0.0,
        outside: false,
    };
}

impl Row {
    /// Of all logits, as the choice left them: penalised, masked and scaled.
    pub(crate) fn whole(scaled: &[f32]) -> Self {
        let known = (0u32..).zip(scaled.iter().map(|value| f64::from(*value)));
        Self {
            known: sorted(known.collect()),
            ceiling: f64::NEG_INFINITY,
            rest: 0.0,
        }
    }

    /// Of log probabilities that a server tells: of the likeliest tokens, and of the claimed one.
    pub(crate) fn told(
        mut logprobs: Vec<(u32, f32)>,
        claimed: u32,
        sampling: &Sampling,
        counts: &Counts,
    ) -> Self {
        logprobs.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        // the claimed token is told beside the likeliest, if it isn't one of them: then it is the last
        let likeliest = match logprobs.split_last() {
            Some((last, others)) if last.0 == claimed && !others.is_empty() => others,
            _ => &logprobs[..],
        };
        let temperature = match is_greedy(sampling) {
            true => 1.0,
            false => f64::from(sampling.temperature),
        };
        let lowest = likeliest.last().map_or(0.0, |(_, value)| f64::from(*value));
        let mass = likeliest.iter().map(|(_, value)| f64::from(*value).exp());
        let left = (1.0 - mass.sum::<f64>()).max(0.0);
        // of numbers up to a bound, powers above 1 weigh most where as few as can be have all of it
        let rest = match temperature <= 1.0 {
            true => left * (lowest * (1.0 / temperature - 1.0)).exp(),
            false => f64::INFINITY,
        };
        // whom a penalty raises may be anywhere
        let raises = sampling.presence_penalty < 0.0 || sampling.frequency_penalty < 0.0;
        let known = logprobs.iter().map(|(id, value)| {
            let occurred = counts.get(id).copied().unwrap_or_default();
            let penalty = f64::from(penalty(sampling, occurred));
            (*id, (f64::from(*value) - penalty) / temperature)
        });
        Self {
            known: sorted(known.collect()),
            ceiling: if raises {
                f64::INFINITY
            } else {
                lowest / temperature
            },
            rest: if raises { f64::INFINITY } else { rest },
        }
    }

    /// How far the claimed token falls short of what this row's tokens and the noise at its position lead to.
    pub(crate) fn fall(&self, sampling: &Sampling, position: usize, claimed: u32) -> Fall {
        let Some(place) = self.known.iter().position(|(id, _)| *id == claimed) else {
            return Fall::NONE;
        };
        let own = self.known[place].1;
        let removed = own < REMOVED;
        if is_greedy(sampling) {
            return Fall {
                by: (self.known[0].1 - own) as f32,
                outside: removed,
            };
        }
        let noise = Noise::new(sampling.seed, position);
        let (rivals, outside_from) = self.edges(sampling);
        let values = self.known[..rivals]
            .iter()
            .map(|(id, scaled)| scaled + noise.gumbel(*id));
        let best = values.fold(f64::NEG_INFINITY, f64::max);
        let short = (best - own - noise.gumbel(claimed)).max(0.0);
        Fall {
            by: (short * f64::from(sampling.temperature)) as f32,
            outside: removed || place >= outside_from,
        }
    }

    /// How many tokens surely pass the filters, and from which place on they surely don't.
    fn edges(&self, sampling: &Sampling) -> (usize, usize) {
        let (known, temperature) = (&self.known, f64::from(sampling.temperature));
        let (min_p, top_p) = (f64::from(sampling.min_p), f64::from(sampling.top_p));
        if sampling.top_k == 0 && top_p >= 1.0 && min_p == 0.0 {
            return (known.len(), usize::MAX);
        }
        let slack = EDGE_LOGITS / temperature;
        let down_to = |least: f64| known.partition_point(|(_, scaled)| *scaled >= least);
        // beyond the ceiling others may stand between
        let (mut sure, mut outside) = (down_to(self.ceiling), usize::MAX);
        let kept = match sampling.top_k as usize {
            0 => known.len(),
            top_k => {
                let last = known.get(top_k - 1);
                let edge = last.map_or(f64::NEG_INFINITY, |(_, scaled)| *scaled);
                sure = sure.min(down_to(edge.max(self.ceiling) + slack));
                outside = outside.min(down_to(edge - slack));
                top_k.min(known.len())
            }
        };
        let largest = known.first().map_or(0.0, |(_, scaled)| *scaled);
        if min_p > 0.0 {
            let bound = min_p.ln();
            sure = sure.min(down_to(largest.max(self.ceiling) + bound + slack));
            outside = outside.min(down_to(largest + bound - slack));
        }
        if top_p < 1.0 {
            let mass = EDGE_MASS / temperature.min(1.0);
            sure = sure.min(down_to(self.ceiling + slack)).min(kept);
            // what the first so many weigh
            let mut weights = vec![0.0];
            for (_, scaled) in &known[..kept] {
                weights.push(weights[weights.len() - 1] + (scaled - largest).exp());
            }
            let weight_down_to = |least: f64| weights[down_to(least).min(kept)];
            let least = weight_down_to(self.ceiling);
            let most = weights[kept] + self.rest * (-largest).exp();
            let (inner, outer) = ((top_p - mass) * least, (top_p + mass) * most);
            // close numbers may stand in another order: whoever is as near may be before it, or not
            let passes = |place: usize| {
                let (own, scaled) = (weights[place + 1] - weights[place], known[place].1);
                weight_down_to(scaled - slack) - own < inner
            };
            let is_out = |place: usize| weight_down_to(known[place].1 + slack) >= outer;
            sure = partition(sure, passes);
            outside = outside.min(partition(known.len(), |place| !is_out(place)));
        }
        (sure, outside)
    }
}

/// The first place that a condition doesn't hold for, where it holds for all before that and for none after it.
fn partition(places: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut until) = (0, places);
    while from < until {
        let middle = from + (until - from) / 2;
        match holds(middle) {
            true => from = middle + 1,
            false => until = middle,
        }
    }
    from
}

fn sorted(mut known: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    known.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    known
}

#[cfg(test)]
#[path = "loose_test.rs"]
mod tests;
