use super::*;
use crate::sample::{choose, occurrences};
use proptest::prelude::*;

fn simd() -> Simd {
    Simd::new(None).unwrap()
}

fn look(logits: &[f32], sampling: &Sampling, position: usize, claimed: u32) -> TokenScore {
    let (mut logits, counts) = (logits.to_vec(), Counts::new());
    score(
        simd(),
        &mut logits,
        sampling,
        &counts,
        position,
        None,
        claimed,
    )
}

fn drawn(logits: &[f32], sampling: &Sampling, position: usize) -> u32 {
    let counts = Counts::new();
    choose(
        simd(),
        &mut logits.to_vec(),
        sampling,
        &counts,
        position,
        None,
    )
}

/// What a server tells of a row: its likeliest tokens, and the claimed one.
fn told(logits: &[f32], most: usize, claimed: u32) -> Vec<(u32, f32)> {
    let mut top = sample::top(simd(), logits, most);
    if top.iter().all(|(id, _)| *id != claimed) {
        let own = sample::log_probability(simd(), logits, claimed);
        top.push((claimed, own));
    }
    top
}

fn any_sampling() -> impl Strategy<Value = Sampling> {
    let temperature = prop_oneof![Just(0.0f32), 0.2f32..2.0];
    let top_p = prop_oneof![Just(1.0f32), 0.1f32..1.0];
    let top_k = prop_oneof![Just(0u32), 1u32..60];
    let min_p = prop_oneof![Just(0.0f32), 0.01f32..0.4];
    let drawn = (temperature, top_p, top_k, min_p, any::<u64>());
    drawn.prop_map(|(temperature, top_p, top_k, min_p, seed)| Sampling {
        temperature,
        top_p,
        top_k,
        min_p,
        seed,
        ..Sampling::GREEDY
    })
}

/// Logits as a model's: a few likely tokens and a long tail.
fn any_row() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-6f32..9.0, 40..200)
}

proptest! {
    #[test]
    fn the_choice_of_numbers_that_are_off_by_a_bit_falls_short_by_twice_that_at_most(
        row in any_row(), sampling in any_sampling(), position in 0..5_000usize,
        off in prop::collection::vec(-0.05f32..0.05, 200),
    ) {
        let theirs: Vec<f32> = row.iter().zip(&off).map(|(logit, off)| logit + off).collect();
        let claimed = drawn(&theirs, &sampling, position);
        let score = look(&row, &sampling, position, claimed);
        prop_assert!(score.shortfall <= 0.1 + 1e-4, "{score:?}");
        prop_assert!(!score.outside, "{score:?}");
    }

    #[test]
    fn whoever_tells_only_the_likeliest_tokens_makes_nobody_fall_shorter(
        row in any_row(), sampling in any_sampling(), position in 0..5_000usize,
        most in 1..40usize, claimed in 0..40u32, penalty in prop_oneof![Just(0f32), -1f32..1.0],
        before in prop::collection::vec(0..40u32, 0..20),
    ) {
        let sampling = Sampling { frequency_penalty: penalty, ..sampling };
        let counts = occurrences(&before, &sampling);
        let mut logits = row.clone();
        let whole = score(simd(), &mut logits, &sampling, &counts, position, None, claimed);
        let row = Row::told(told(&row, most, claimed), claimed, &sampling, &counts);
        let fall = row.fall(&sampling, position, claimed);
        prop_assert!(fall.by <= whole.shortfall + 1e-3, "{fall:?} {whole:?}");
        prop_assert!(!fall.outside || whole.outside, "{fall:?} {whole:?}");
    }

    #[test]
    fn the_choice_itself_falls_short_by_nothing(
        row in any_row(), sampling in any_sampling(), position in 0..5_000usize, most in 1..40usize,
    ) {
        let claimed = drawn(&row, &sampling, position);
        let whole = Row::told(told(&row, most, claimed), claimed, &sampling, &Counts::new());
        let fall = whole.fall(&sampling, position, claimed);
        prop_assert!(fall.by <= 1e-4 && !fall.outside, "{fall:?}");
    }
}

#[test]
fn what_a_filter_surely_removes_is_outside_and_what_is_at_its_edge_is_not() {
    let sampling = Sampling {
        temperature: 1.0,
        top_k: 2,
        ..Sampling::GREEDY
    };
    let row = [5.0, 4.0, 3.9, 1.0];
    let outside = |claimed| look(&row, &sampling, 7, claimed).outside;
    assert_eq!([0, 1, 2, 3].map(outside), [false, false, false, true]);
    let nucleus = Sampling {
        temperature: 1.0,
        top_p: 0.5,
        ..Sampling::GREEDY
    };
    // they weigh 0.64, 0.24, 0.09 and 0.03: all but the first stand beyond the edge, and far
    let row = [3.0, 2.0, 1.0, 0.0];
    let outside = |claimed| look(&row, &nucleus, 7, claimed).outside;
    assert_eq!([0, 1, 2, 3].map(outside), [false, true, true, true]);
    let at_edge = Sampling {
        top_p: 0.63,
        ..nucleus
    };
    assert!(!look(&row, &at_edge, 7, 1).outside);
}

#[test]
fn of_two_tokens_that_are_nearly_alike_neither_is_outside_nor_a_rival() {
    // each weighs half, and the nucleus is whichever is the first
    let row = [3.0, 3.01, -9.0];
    let sampling = Sampling {
        temperature: 0.2,
        top_p: 0.1,
        ..Sampling::GREEDY
    };
    for position in 0..20 {
        let score = look(&row, &sampling, position, 0);
        assert!(!score.outside && score.shortfall == 0.0, "{score:?}");
    }
}

#[test]
fn a_greedy_answer_falls_short_by_its_logits() {
    let row = [1.0, 3.5, 3.0];
    let short = |claimed| look(&row, &Sampling::GREEDY, 0, claimed).shortfall;
    assert_eq!([0, 1, 2].map(short), [2.5, 0.0, 0.5]);
}
