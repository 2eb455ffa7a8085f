//! Tokens by rank: logit descending, id ascending, the same everywhere.

/// Up to here a comparing sort is as fast as three passes over the digits.
const FEW: usize = 4096;
/// Bits of a digit, the values that it has, and digits of a key.
const DIGIT: u32 = 11;
const VALUES: usize = 1 << DIGIT;
const DIGITS: usize = 3;

/// A key that is smaller for larger values, by the total order of floats.
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    let ascending = if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    };
    !ascending
}

/// A token with its value: pairs in ascending order are tokens by rank.
pub(crate) fn pair(values: &[f32], id: u32) -> u64 {
    u64::from(key(values[id as usize])) << 32 | u64::from(id)
}

/// The token of a pair.
pub(crate) fn id(pair: u64) -> u32 {
    pair as u32
}

fn ids(pairs: Vec<u64>) -> Vec<u32> {
    pairs.into_iter().map(id).collect()
}

/// The first `count` of all tokens.
pub(crate) fn first(values: &[f32], count: usize) -> Vec<u32> {
    let mut pairs: Vec<u64> = (0..values.len() as u32)
        .map(|id| pair(values, id))
        .collect();
    if count < pairs.len() {
        pairs.select_nth_unstable(count);
        pairs.truncate(count);
    }
    pairs.sort_unstable();
    ids(pairs)
}

/// These tokens, given in ascending order of id.
pub(crate) fn sorted(values: &[f32], tokens: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut pairs: Vec<u64> = tokens.map(|id| pair(values, id)).collect();
    if pairs.len() <= FEW {
        pairs.sort_unstable();
        return ids(pairs);
    }
    // By digits, the last first; each pass keeps the order of equals, so ids stay ascending.
    let digit_of =
        |pair: u64, digit: usize| (pair >> (32 + digit as u32 * DIGIT)) as usize % VALUES;
    let mut counts = [[0usize; VALUES]; DIGITS];
    for pair in &pairs {
        for (digit, counts) in counts.iter_mut().enumerate() {
            counts[digit_of(*pair, digit)] += 1;
        }
    }
    let mut other = vec![0; pairs.len()];
    for (digit, places) in counts.iter_mut().enumerate() {
        // One that all have in common sorts nothing.
        if places[digit_of(pairs[0], digit)] == pairs.len() {
            continue;
        }
        let mut next = 0;
        for place in &mut *places {
            next += std::mem::replace(place, next);
        }
        for pair in &pairs {
            let place = &mut places[digit_of(*pair, digit)];
            other[*place] = *pair;
            *place += 1;
        }
        std::mem::swap(&mut pairs, &mut other);
    }
    ids(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_sorts_give_the_ranks_of_the_definition(
            seed in prop::collection::vec(any::<f32>(), 1..60), repeats in 1..200usize,
        ) {
            let values: Vec<f32> = seed.iter().copied().cycle().take(seed.len() * repeats).collect();
            let mut expected: Vec<u32> = (0..values.len() as u32).collect();
            expected.sort_by(|a, b| {
                let by_value = values[*b as usize].total_cmp(&values[*a as usize]);
                by_value.then(a.cmp(b))
            });
            prop_assert_eq!(&sorted(&values, 0..values.len() as u32), &expected);
            let few = values.len() / 3;
            prop_assert_eq!(&first(&values, few)[..], &expected[..few]);
        }
    }
}
