use super::*;

fn simd() -> Simd {
    Simd::new(None).unwrap()
}

fn sampling(temperature: f32, seed: u64) -> Sampling {
    Sampling {
        temperature,
        seed,
        ..Sampling::GREEDY
    }
}

fn pick(logits: &[f32], sampling: &Sampling, position: usize) -> u32 {
    choose(
        simd(),
        &mut logits.to_vec(),
        sampling,
        &Counts::new(),
        position,
        None,
    )
}

/// Logits of a small vocabulary with a long tail.
fn logits(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| ((i * 7919 % 101) as f32 - 50.0) / 10.0)
        .collect()
}

#[test]
fn golden_noise() {
    // Part of the protocol: whoever changes these changes every sampled answer.
    let of = |seed, position, token| Noise::new(seed, position).gumbel(token);
    let vectors = [
        of(0, 0, 0),
        of(0, 0, 1),
        of(0, 1, 0),
        of(1, 0, 0),
        of(u64::MAX, 4095, 151_935),
    ];
    assert_eq!(vectors.map(f64::to_bits), GOLDEN_NOISE, "{vectors:?}");
    let row = logits(1000);
    let chosen: Vec<u32> = (0..12).map(|p| pick(&row, &sampling(1.0, 42), p)).collect();
    assert_eq!(chosen, GOLDEN_CHOICES);
}

// Computed apart, from the formulas in the module's head, by a few lines of Python.
const GOLDEN_NOISE: [u64; 5] = [
    0x3ff0afaeadfbf99c,
    0x4000d62740dcb4dd,
    0x4012804630804623,
    0x3ff7453f70e4514a,
    0x3ffbfac343545f67,
];
const GOLDEN_CHOICES: [u32; 12] = [228, 605, 330, 458, 266, 187, 549, 788, 426, 677, 997, 261];

#[test]
fn the_bound_holds_and_pruning_changes_nothing() {
    for position in 0..200 {
        let noise = Noise::new(9, position);
        let row = logits(500);
        let mut best = (0, f64::NEG_INFINITY);
        for id in 0..500u32 {
            assert!(noise.gumbel(id) <= noise.bound(id));
            let value = f64::from(row[id as usize]) + noise.gumbel(id);
            if value > best.1 {
                best = (id, value);
            }
        }
        assert_eq!(pick(&row, &sampling(1.0, 9), position), best.0);
    }
}

#[test]
fn draws_follow_the_softmax() {
    let row = [0.0f32, 1.0, 2.0, -1.0];
    let total: f64 = row.iter().map(|l| f64::from(*l).exp()).sum();
    let draws = 40_000;
    let mut counts = [0f64; 4];
    (0..draws).for_each(|p| counts[pick(&row, &sampling(1.0, 5), p) as usize] += 1.0);
    let chi_square: f64 = (0..4)
        .map(|i| {
            let expected = f64::from(row[i]).exp() / total * draws as f64;
            (counts[i] - expected).powi(2) / expected
        })
        .sum();
    assert!(
        chi_square < 16.27,
        "chi-square {chi_square} with 3 degrees of freedom"
    );
}

#[test]
fn filters_keep_what_they_say() {
    let row: Vec<f32> = [0.5f32, 0.25, 0.125, 0.125]
        .iter()
        .map(|p| p.ln())
        .collect();
    let seen = |sampling: Sampling| {
        let mut seen: Vec<u32> = (0..400).map(|p| pick(&row, &sampling, p)).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    };
    let base = sampling(1.0, 3);
    assert_eq!(seen(base), [0, 1, 2, 3]);
    assert_eq!(seen(Sampling { top_k: 3, ..base }), [0, 1, 2]);
    assert_eq!(seen(Sampling { top_p: 0.7, ..base }), [0, 1]);
    assert_eq!(
        seen(Sampling {
            top_p: 1e-9,
            ..base
        }),
        [0]
    );
    assert_eq!(seen(Sampling { min_p: 0.4, ..base }), [0, 1]);
    assert_eq!(
        seen(Sampling {
            top_k: 2,
            top_p: 0.6,
            ..base
        }),
        [0]
    );
    assert_eq!(seen(sampling(0.0, 3)), [0]);
}

#[test]
fn temperatures_too_small_to_divide_by_are_greedy() {
    let row = [1.0f32, 3.0, 2.0, -100.0];
    for temperature in [1e-45, 1e-39, f32::MIN_POSITIVE, 1e-20, 9e-6] {
        assert_eq!(pick(&row, &sampling(temperature, 3), 7), 1, "{temperature}");
    }
}

#[test]
fn ties_go_to_the_smaller_id_and_penalties_move_the_choice() {
    let row = [1.0f32, 3.0, 3.0, 2.5];
    assert_eq!(pick(&row, &Sampling::GREEDY, 0), 1);
    let penalised = Sampling {
        presence_penalty: 0.2,
        frequency_penalty: 0.4,
        ..Sampling::GREEDY
    };
    let counts = Counts::from([(1, 1), (2, 1)]);
    assert_eq!(
        choose(simd(), &mut row.to_vec(), &penalised, &counts, 0, None),
        3
    );
}

#[test]
fn scores_tell_honest_tokens_from_others() {
    let row = logits(300);
    let sampling = sampling(0.8, 77);
    let score = |claimed| {
        score(
            simd(),
            &mut row.clone(),
            &sampling,
            &Counts::new(),
            5,
            None,
            claimed,
        )
    };
    let honest = pick(&row, &sampling, 5);
    assert_eq!(
        (score(honest).margin, score(honest).reference),
        (0.0, Some(honest))
    );
    let other = (honest + 1) % 300;
    assert!(score(other).margin > 0.0);
    let best = top(simd(), &row, 3);
    assert_eq!(
        (score(best[0].0).rank, score(best[0].0).logprob),
        (0, best[0].1)
    );
    let sum: f64 = (0..300)
        .map(|id| f64::from(log_probability(simd(), &row, id)).exp())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5);
}

#[test]
fn a_token_that_a_filter_removes_is_said_to_be_forbidden() {
    let row: Vec<f32> = [0.5f32, 0.3, 0.15, 0.05].iter().map(|p| p.ln()).collect();
    let forbidden = |sampling: Sampling| {
        let of = |claimed| {
            let (counts, row) = (Counts::new(), &mut row.clone());
            score(simd(), row, &sampling, &counts, 5, None, claimed).forbidden
        };
        [0, 1, 2, 3].map(of)
    };
    let base = sampling(1.0, 3);
    assert_eq!(forbidden(base), [false; 4]);
    let [t, f] = [true, false];
    assert_eq!(forbidden(Sampling { top_k: 3, ..base }), [f, f, f, t]);
    assert_eq!(forbidden(Sampling { top_p: 0.7, ..base }), [f, f, t, t]);
    assert_eq!(forbidden(Sampling { min_p: 0.4, ..base }), [f, f, t, t]);
    let short = Sampling {
        top_k: 2,
        top_p: 0.6,
        ..base
    };
    assert_eq!(forbidden(short), [f, t, t, t]);
    assert_eq!(
        forbidden(sampling(0.0, 3)),
        [false; 4],
        "greedy has no filters"
    );
}
