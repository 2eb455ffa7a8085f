//! The verdict on sums.

use super::{Honest, Sums};
use std::fmt;

/// How often an honest answer that was drawn at random may seem guilty at most.
pub const CHANCE: f64 = 1e-6;
/// How often it may be worth a second look.
pub const DOUBT: f64 = 1e-3;
/// Each is judged by so many sums.
const SUMS: f64 = 4.0;

/// What is said of an answer of the tolerant class, or of several by one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Honest tokens come to as much.
    Ok,
    /// Honest tokens seldom come to as much, or it was looked at in one way only.
    Unsure(Departure),
    /// Honest tokens don't come to as much, in either way of looking.
    Guilty(Departure),
}

/// Which sum is too large: of several the rarest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Departure {
    /// Too many tokens are others than the choice.
    Others,
    /// Too many are far from it, or outside the filters.
    Gross,
    /// Together they fall too short of it.
    Short,
    /// Log probabilities that were reported are too far from the model's.
    Apart,
}

/// How large sums are by one way of looking.
enum Size {
    Usual,
    Rare(Departure),
    TooLarge(Departure),
}

/// The verdict on what was seen of some tokens in one prefill, and then, if it was too large, by computing them one after the
/// other in the server's own way. Prefill may differ from decoding in ways that nobody has measured on the server at hand: so
/// nobody is guilty by it alone.
#[must_use]
pub fn judge(honest: &Honest, prefill: &Sums, decode: Option<&Sums>) -> Verdict {
    match (size(honest, prefill), decode.map(|sums| size(honest, sums))) {
        (Size::Usual, _) => Verdict::Ok,
        (Size::TooLarge(_), Some(Size::TooLarge(departure))) => Verdict::Guilty(departure),
        (Size::Rare(departure) | Size::TooLarge(departure), _) => Verdict::Unsure(departure),
    }
}

fn size(honest: &Honest, sums: &Sums) -> Size {
    let chances = honest.chances(sums);
    let departures = [
        (chances.others, Departure::Others),
        (chances.gross, Departure::Gross),
        (chances.short, Departure::Short),
        (chances.apart, Departure::Apart),
    ];
    let rarest = departures
        .into_iter()
        .reduce(|rarest, other| match other.0 < rarest.0 {
            true => other,
            false => rarest,
        });
    match rarest {
        Some((chance, departure)) if chance <= (CHANCE / SUMS).ln() => Size::TooLarge(departure),
        Some((chance, departure)) if chance <= (DOUBT / SUMS).ln() => Size::Rare(departure),
        _ => Size::Usual,
    }
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Others => "too many of its tokens are others than the model would have chosen",
            Self::Gross => "too many of its tokens are far from what the model would have chosen",
            Self::Short => "its tokens fall too short of what the model would have chosen",
            Self::Apart => "its log probabilities are too far from the model's",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerant::{MOST, Seen};
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn tokens(many: usize, seen: Seen) -> Vec<Seen> {
        vec![seen; many]
    }

    fn short(short: f32) -> Seen {
        Seen {
            short,
            ..Seen::default()
        }
    }

    fn both(honest: &Honest, tokens: &[Seen]) -> Verdict {
        let sums: Sums = tokens.iter().collect();
        judge(honest, &sums, Some(&sums))
    }

    /// Honest tokens of which one in 50 departs, by 0.1 at most.
    static HONEST: LazyLock<Honest> = LazyLock::new(|| {
        let departing = (0..1_000).map(|i| short(i as f32 * 1e-4));
        Honest::fit(&[departing.collect(), tokens(49_000, short(0.0))].concat())
    });

    #[test]
    fn nobody_is_guilty_by_one_way_of_looking() {
        let honest = &*HONEST;
        let wrong: Sums = tokens(200, short(0.3)).iter().collect();
        let fine: Sums = tokens(200, short(0.0)).iter().collect();
        let unsure = |verdict| matches!(verdict, Verdict::Unsure(_));
        assert!(unsure(judge(honest, &wrong, None)));
        assert!(unsure(judge(honest, &wrong, Some(&fine))));
        assert!(matches!(
            judge(honest, &wrong, Some(&wrong)),
            Verdict::Guilty(_)
        ));
        assert_eq!(judge(honest, &fine, Some(&wrong)), Verdict::Ok);
    }

    #[test]
    fn tolerance_can_be_farmed_neither_by_many_small_departures_nor_by_few_gross_ones() {
        let honest = &*HONEST;
        let with = |many: usize, by: f32| {
            let others = tokens(many, short(by));
            [others, tokens(1_000 - many, short(0.0))].concat()
        };
        // all that an honest node would depart by, in half of all tokens
        let small = both(honest, &with(500, 0.002));
        assert_eq!(small, Verdict::Guilty(Departure::Others));
        let medium = both(honest, &with(30, 0.4));
        assert_eq!(medium, Verdict::Guilty(Departure::Short));
        let gross = both(honest, &with(6, 5.0));
        assert_eq!(gross, Verdict::Guilty(Departure::Gross));
        assert_eq!(both(honest, &with(20, 0.05)), Verdict::Ok);
        let apart = Seen {
            apart: Some(0.2),
            ..Seen::default()
        };
        let reported = Honest::fit(&tokens(
            50_000,
            Seen {
                apart: Some(0.03),
                ..apart
            },
        ));
        let apart = both(&reported, &tokens(200, apart));
        assert_eq!(apart, Verdict::Guilty(Departure::Apart));
    }

    #[test]
    fn one_token_of_whatever_kind_convicts_nobody() {
        // of few honest tokens, too
        for honest in [&*HONEST, &Honest::fit(&tokens(500, short(0.0)))] {
            for strange in [f32::NAN, f32::INFINITY, MOST, 1e9] {
                let seen = Seen {
                    short: strange,
                    outside: true,
                    apart: Some(strange),
                };
                let alone = both(honest, &tokens(1, seen));
                assert!(!matches!(alone, Verdict::Guilty(_)), "{alone:?}");
                let among = [tokens(199, short(0.0)), tokens(1, seen)].concat();
                let among = both(honest, &among);
                assert!(!matches!(among, Verdict::Guilty(_)), "{among:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn whoever_departs_less_is_no_guiltier(
            rest in prop::collection::vec(0f32..0.4, 1..40), calm in 0..400usize, share in 0f32..1.0,
        ) {
            let with = |share: f32| {
                let departing = rest.iter().map(|by| short(by * share)).collect();
                both(&HONEST, &[departing, tokens(calm, short(0.0))].concat())
            };
            let rank = |verdict| match verdict {
                Verdict::Ok => 0,
                Verdict::Unsure(_) => 1,
                Verdict::Guilty(_) => 2,
            };
            prop_assert!(rank(with(share)) <= rank(with(1.0)));
        }

        #[test]
        fn honest_tokens_drawn_again_are_never_guilty(seed in any::<u64>(), many in 1..600usize) {
            let mut state = seed | 1;
            let mut draw = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                match state % 50_000 {
                    place @ 0..1_000 => short(place as f32 * 1e-4),
                    _ => short(0.0),
                }
            };
            let answer: Vec<Seen> = (0..many).map(|_| draw()).collect();
            let verdict = both(&HONEST, &answer);
            prop_assert!(!matches!(verdict, Verdict::Guilty(_)), "{verdict:?}");
        }
    }
}
