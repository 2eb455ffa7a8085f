//! How the rows of a step are divided among prompts.

use super::kern::BLOCK;

/// While others decode, prompts get this part of a step, so that the next token of those isn't long
/// in coming; a block at least.
const BESIDE_DECODING: usize = 4;

/// Rows for prompts, when `decoding` rows of `budget` are taken by sequences that generate.
pub(super) fn left_for_prompts(budget: usize, decoding: usize) -> usize {
    let left = budget.saturating_sub(decoding);
    match decoding {
        0 => left,
        _ => left.min((budget / BESIDE_DECODING).max(BLOCK)),
    }
}

/// Divides `rows` among prompts, given by the tokens that each has left, the oldest first.
///
/// The oldest gets half, so that every prompt, however long, is done in twice the time at most once
/// it is the oldest. The other half goes to the shortest, which is done at once.
pub(super) fn divide(rows: usize, left: &[usize]) -> Vec<usize> {
    let mut shares = vec![0; left.len()];
    let mut rest = rows;
    let mut by_length: Vec<usize> = (0..left.len()).collect();
    by_length.sort_by_key(|prompt| left[*prompt]);
    let oldest = by_length
        .iter()
        .min()
        .map(|oldest| (*oldest, rows.div_ceil(2)));
    let others = by_length.iter().map(|prompt| (*prompt, usize::MAX));
    for (prompt, most) in oldest.into_iter().chain(others) {
        let share = (left[prompt] - shares[prompt]).min(most).min(rest);
        shares[prompt] += share;
        rest -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_prompts_pass_long_ones_which_go_on() {
        assert_eq!(divide(128, &[3000]), [128]);
        assert_eq!(divide(128, &[3000, 20]), [108, 20]);
        assert_eq!(divide(128, &[3000, 2000, 500]), [64, 0, 64]);
        assert_eq!(divide(128, &[20, 3000]), [20, 108]);
        assert_eq!(divide(1, &[3000, 20]), [1, 0]);
        assert!(divide(128, &[]).is_empty());
    }

    #[test]
    fn prompts_leave_room_for_those_who_decode() {
        assert_eq!(left_for_prompts(128, 0), 128);
        assert_eq!(left_for_prompts(128, 3), 32);
        assert_eq!(left_for_prompts(512, 1), 128);
        assert_eq!(left_for_prompts(16, 16), 0);
        assert_eq!(left_for_prompts(40, 30), 10);
    }

    proptest! {
        #[test]
        fn no_row_is_lost_or_given_twice(
            rows in 0..300usize, left in prop::collection::vec(1..500usize, 0..20),
        ) {
            let shares = divide(rows, &left);
            prop_assert!(shares.iter().zip(&left).all(|(share, left)| share <= left));
            prop_assert_eq!(shares.iter().sum::<usize>(), rows.min(left.iter().sum()));
            if let (Some(oldest), Some(share)) = (left.first(), shares.first()) {
                prop_assert!(*share >= rows.div_ceil(2).min(*oldest));
            }
        }
    }
}
