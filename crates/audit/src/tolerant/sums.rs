//! What the tokens of an answer depart by, one by one and together.

use atoma_engine::TokenScore;
use std::ops::AddAssign;

/// Logits that one token adds to a sum at most. Who falls shorter is gross.
pub const MOST: f32 = 0.5;
/// A token that falls short by more logits is another than the choice. f32 servers never move a number so far.
pub const OTHER: f32 = 1e-3;

/// What is seen of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Logits by which it falls short of the choice.
    pub short: f32,
    /// Whether a filter removes it, however loose its edge.
    pub outside: bool,
    /// How far the log probability that was reported with it is from the one at hand; none where none was.
    pub apart: Option<f32>,
}

/// What was seen of all tokens of an answer, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// How many there were.
    pub tokens: u64,
    /// Those that are others than the choice.
    pub others: u64,
    /// Those that fall short by [`MOST`] or more, or are outside.
    pub gross: u64,
    /// What they fall short by, each by [`MOST`] at most: logits.
    pub short: f64,
    /// How many were reported with a log probability.
    pub reported: u64,
    /// How far those were apart, each by [`MOST`] at most.
    pub apart: f64,
}

impl Seen {
    /// What a scorer sees of a token, and of the log probability that was reported with it.
    #[must_use]
    pub fn of(score: &TokenScore, reported: Option<f32>) -> Self {
        Self {
            short: score.shortfall,
            outside: score.outside,
            apart: reported.map(|reported| (reported - score.logprob).abs()),
        }
    }

    /// What it adds to the sum of shortfalls. What is no number is as far off as can be.
    pub(super) fn bounded_short(&self) -> f32 {
        match self.outside {
            true => MOST,
            false => bounded(self.short),
        }
    }

    pub(super) fn is_other(&self) -> bool {
        self.bounded_short() > OTHER
    }

    pub(super) fn is_gross(&self) -> bool {
        self.bounded_short() >= MOST
    }

    pub(super) fn bounded_apart(&self) -> Option<f32> {
        self.apart.map(bounded)
    }
}

fn bounded(number: f32) -> f32 {
    match number.is_nan() {
        true => MOST,
        false => number.clamp(0.0, MOST),
    }
}

impl Sums {
    /// Adds a token.
    pub fn add(&mut self, seen: &Seen) {
        self.tokens += 1;
        self.others += u64::from(seen.is_other());
        self.gross += u64::from(seen.is_gross());
        self.short += f64::from(seen.bounded_short());
        if let Some(apart) = seen.bounded_apart() {
            self.reported += 1;
            self.apart += f64::from(apart);
        }
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, more: Self) {
        self.tokens += more.tokens;
        self.others += more.others;
        self.gross += more.gross;
        self.short += more.short;
        self.reported += more.reported;
        self.apart += more.apart;
    }
}

impl<'a> FromIterator<&'a Seen> for Sums {
    fn from_iter<I: IntoIterator<Item = &'a Seen>>(tokens: I) -> Self {
        let mut sums = Self::default();
        tokens.into_iter().for_each(|seen| sums.add(seen));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_adds_more_than_its_bound() {
        let strange = [f32::NAN, f32::INFINITY, 1e30, MOST, -1.0, 0.0];
        let tokens = strange.map(|short| Seen {
            short,
            outside: false,
            apart: Some(short),
        });
        let sums: Sums = tokens.iter().collect();
        assert_eq!((sums.tokens, sums.others, sums.gross), (6, 4, 4));
        assert_eq!((sums.short, sums.apart), (2.0, 2.0));
        let outside = Seen {
            outside: true,
            ..Seen::default()
        };
        let outside: Sums = [outside].iter().collect();
        assert_eq!(
            (outside.gross, outside.short, outside.reported),
            (1, 0.5, 0)
        );
    }
}
