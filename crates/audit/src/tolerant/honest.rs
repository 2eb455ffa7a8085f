//! What honest tokens of a class are like.

use super::{
    sums::{Seen, Sums},
    tail::{Tail, ln_chance_of_count, rate},
};

/// How far honest tokens of a class depart, and how often: fitted from such tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Honest {
    /// Others than the choice, of one token.
    pub others: f64,
    /// Gross ones, of one token.
    pub gross: f64,
    /// What they fall short by.
    pub short: Tail,
    /// How far reported log probabilities are apart.
    pub apart: Tail,
}

/// How rarely honest tokens come to what was seen: bounds on the probability, as logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// To so many others.
    pub others: f64,
    /// To so many gross ones.
    pub gross: f64,
    /// To such a sum of shortfalls.
    pub short: f64,
    /// To log probabilities so far apart.
    pub apart: f64,
}

impl Honest {
    /// Fits honest tokens.
    #[must_use]
    pub fn fit(tokens: &[Seen]) -> Self {
        let count = |is: fn(&Seen) -> bool| tokens.iter().filter(|seen| is(seen)).count();
        let short: Vec<f32> = tokens.iter().map(Seen::bounded_short).collect();
        let apart: Vec<f32> = tokens.iter().filter_map(Seen::bounded_apart).collect();
        Self {
            others: rate(count(Seen::is_other), tokens.len()),
            gross: rate(count(Seen::is_gross), tokens.len()),
            short: Tail::fit(&short),
            apart: Tail::fit(&apart),
        }
    }

    /// How rarely honest tokens of this class come to such sums.
    #[must_use]
    pub fn chances(&self, sums: &Sums) -> Chances {
        Chances {
            others: ln_chance_of_count(sums.tokens, self.others, sums.others),
            gross: ln_chance_of_count(sums.tokens, self.gross, sums.gross),
            short: self.short.ln_chance(sums.tokens, sums.short),
            apart: self.apart.ln_chance(sums.reported, sums.apart),
        }
    }
}
