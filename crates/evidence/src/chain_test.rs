use super::*;
use crate::receipt::tests::{key, receipt};
use atoma_types::history::History;
use proptest::prelude::*;

/// An honest lease's receipts.
fn lease(costs: &[u64]) -> Vec<Signed<Receipt>> {
    claimed(costs, &[])
}

/// The same, where the node has heard of claims up to these.
fn claimed(costs: &[u64], moves: &[usize]) -> Vec<Signed<Receipt>> {
    let mut previous = Hash32::ZERO;
    let mut sum = 0;
    let mut receipts = Vec::new();
    let mut history = History::default();
    for (place, &cost) in costs.iter().enumerate() {
        sum += cost;
        let next = Receipt {
            seq: place as u64 + 1,
            request_hash: Hash32::of(&place.to_le_bytes()),
            units: ComputeUnits(cost),
            cumulative_units: ComputeUnits(sum),
            previous,
            base: history.base(),
            history: history.root(),
            ..receipt()
        };
        receipts.push(Signed::new(next, &key()));
        previous = receipts[place].hash();
        history.push(previous);
        if moves.contains(&receipts.len()) {
            history = History::after(receipts.len() as u64);
        }
    }
    receipts
}

fn changed(receipt: &Signed<Receipt>, change: impl FnOnce(&mut Receipt)) -> Signed<Receipt> {
    let mut message = receipt.message().clone();
    change(&mut message);
    Signed::new(message, &key())
}

#[test]
fn two_receipts_for_one_request_prove_fraud_wherever_they_stand() {
    let receipts = lease(&[5, 6, 7]);
    let copy = changed(&receipts[2], |r| {
        r.request_hash = receipts[0].message().request_hash;
    });
    let mut chain = Chain::default();
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
    let twice = ReceiptError::Twice {
        first: receipts[0].hash(),
        second: copy.hash(),
    };
    assert_eq!(chain.add(&copy), Err(twice));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[2]), Ok(Joined::New));
    assert_eq!(chain.lacks(), None);
}

#[test]
fn two_receipts_for_one_place_prove_fraud() {
    let receipts = lease(&[5, 6, 7]);
    let other = changed(&receipts[1], |r| r.response_hash = Hash32::ZERO);
    let mut chain = Chain::default();
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::Again));
    assert_eq!(
        chain.add(&other),
        Err(ReceiptError::Equivocation {
            seq: 2,
            first: receipts[1].hash(),
            second: other.hash(),
        })
    );
}

#[test]
fn neighbours_must_link_and_add_up() {
    let receipts = lease(&[5, 6, 7, 8]);
    let knowing = |known: &[usize]| {
        let mut chain = Chain::default();
        for &place in known {
            chain.add(&receipts[place]).unwrap();
        }
        chain
    };
    let cut = changed(&receipts[1], |r| r.previous = Hash32([1; 32]));
    assert_eq!(knowing(&[0]).add(&cut), Err(ReceiptError::Link { seq: 2 }));
    assert_eq!(knowing(&[2]).add(&cut), Err(ReceiptError::Link { seq: 3 }));
    let sum = changed(&receipts[1], |r| r.cumulative_units = ComputeUnits(12));
    assert_eq!(knowing(&[0]).add(&sum), Err(ReceiptError::Sum { seq: 2 }));
    let high = changed(&receipts[1], |r| r.cumulative_units = ComputeUnits(19));
    assert_eq!(knowing(&[3]).add(&high), Err(ReceiptError::Sum { seq: 4 }));
    let zero = changed(&receipts[0], |r| r.seq = 0);
    assert_eq!(knowing(&[]).add(&zero), Err(ReceiptError::Place));
    let rootless = changed(&receipts[1], |r| r.previous = Hash32::ZERO);
    assert_eq!(knowing(&[]).add(&rootless), Err(ReceiptError::Place));
    let inflated = changed(&receipts[0], |r| r.cumulative_units = ComputeUnits(6));
    assert_eq!(knowing(&[]).add(&inflated), Err(ReceiptError::Place));
}

#[test]
fn memory_is_bounded_and_late_receipts_still_fit() {
    let receipts = lease(&vec![1; MAX_LINKS + 10]);
    let mut chain = Chain::default();
    for receipt in receipts.iter().skip(1) {
        chain.add(receipt).unwrap();
    }
    assert!(chain.links.len() <= MAX_LINKS);
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
}

#[test]
fn what_a_receipt_names_of_others_is_neither_shown_nor_used() {
    let receipts = lease(&[5, 6, 7]);
    let high = changed(&receipts[2], |r| {
        r.previous = Hash32([7; 32]);
        (r.base, r.history) = (2, Hash32::ZERO);
        r.cumulative_units = ComputeUnits(1 << 62);
    });
    let mut chain = Chain::default();
    assert_eq!(chain.add(&high), Ok(Joined::New));
    let sums = |chain: &Chain| (chain.shown().0, chain.used().0);
    assert_eq!(sums(&chain), (7, 7));
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::Again));
    assert_eq!(sums(&chain), (12, 12));
    // a claim uses up, and earns nothing
    chain.claimed(2, ComputeUnits(100));
    assert_eq!(sums(&chain), (12, 107));
    // what turns out to be false is taken out again
    let third = changed(&receipts[2], |r| r.history = Hash32([66; 32]));
    let mut chain = Chain::default();
    assert_eq!(chain.add(&third), Ok(Joined::New));
    assert_eq!(sums(&chain), (7, 7));
    let later = Err(ReceiptError::History { seq: 3 });
    let first = chain.add(&receipts[0]);
    assert_eq!(chain.add(&receipts[1]).and(first), later);
    assert_eq!(sums(&chain), (11, 11));
}

#[test]
fn each_receipt_is_counted_once_however_many_there_are() {
    let receipts = lease(&vec![1; MAX_LINKS + 10]);
    let (first, rest) = receipts.split_at(10);
    let mut chain = Chain::default();
    for _ in 0..2 {
        for receipt in receipts.iter().chain(first) {
            chain.add(receipt).unwrap();
        }
    }
    let all = ComputeUnits(receipts.len() as u64);
    assert_eq!((chain.shown(), chain.used()), (all, all));
    // the next program reads the last of them
    let mut chain = Chain::default();
    for receipt in rest {
        chain.add(receipt).unwrap();
    }
    chain.kept(all);
    chain.add(&first[9]).unwrap();
    assert_eq!(chain.shown(), all);
}

proptest! {
    #[test]
    fn any_order_and_any_gaps_are_fine(
        costs in prop::collection::vec(0..100u64, 1..30),
        order in Just((0..30usize).collect::<Vec<_>>()).prop_shuffle(),
        known in prop::collection::vec(any::<bool>(), 30),
        moves in prop::collection::vec(1..30usize, 0..3),
    ) {
        let receipts = claimed(&costs, &moves);
        let mut chain = Chain::default();
        for place in order.into_iter().filter(|&place| place < costs.len() && known[place]) {
            prop_assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
        }
    }

    #[test]
    fn any_changed_sum_is_noticed_once_its_neighbours_are_known(
        costs in prop::collection::vec(1..100u64, 3..10),
        place in any::<prop::sample::Index>(),
        delta in 1..50u64,
        order in Just((0..10usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut receipts = lease(&costs);
        let place = place.index(costs.len());
        receipts[place] = changed(&receipts[place], |r| r.cumulative_units.0 += delta);
        let mut chain = Chain::default();
        let refused = order
            .into_iter()
            .filter(|&at| at < costs.len())
            .filter(|&at| chain.add(&receipts[at]).is_err())
            .count();
        prop_assert!(refused > 0);
    }
}

#[test]
fn a_false_history_is_noticed_though_a_receipt_is_missing() {
    let receipts = claimed(&[1; 12], &[8]);
    let false_one = |place: usize| changed(&receipts[place], |r| r.history.0[0] ^= 1);
    // the third never came: the fourth names it
    let mut chain = Chain::default();
    for place in [0, 1, 3] {
        chain.add(&receipts[place]).unwrap();
    }
    assert_eq!(
        chain.add(&false_one(4)),
        Err(ReceiptError::History { seq: 5 })
    );
    assert_eq!(chain.add(&receipts[4]), Ok(Joined::New));
    // nor does it matter in which order they come
    let mut chain = Chain::default();
    for place in [4, 5, 1, 0] {
        chain.add(&receipts[place]).unwrap();
    }
    assert_eq!(
        chain.add(&false_one(3)),
        Err(ReceiptError::Link { seq: 5 }),
        "its hash is another, too"
    );
    // a claim begins another history, which needs nothing before it
    let mut chain = Chain::default();
    chain.add(&receipts[8]).unwrap();
    assert_eq!(
        chain.add(&false_one(9)),
        Err(ReceiptError::History { seq: 10 })
    );
    let back = changed(&receipts[9], |r| r.base = 7);
    assert_eq!(chain.add(&back), Err(ReceiptError::History { seq: 10 }));
    assert_eq!(chain.add(&receipts[9]), Ok(Joined::New));
}

#[test]
fn a_false_history_comes_out_once_those_before_it_are_known() {
    let mut receipts = lease(&[1; 4]);
    receipts.push(changed(&receipts[3], |r| {
        r.seq = 5;
        r.cumulative_units = ComputeUnits(5);
        r.previous = receipts[3].hash();
    }));
    let mut chain = Chain::default();
    assert_eq!(chain.add(&receipts[4]), Ok(Joined::New), "nothing is known");
    assert_eq!(chain.add(&receipts[0]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(
        chain.add(&receipts[2]),
        Err(ReceiptError::History { seq: 5 }),
        "the fourth is the fifth's previous one"
    );
    assert_eq!(chain.last_seq(), 3, "it was taken out");
}

#[test]
fn what_a_first_receipt_names_is_nothing() {
    let receipts = claimed(&[1; 3], &[2]);
    let named = changed(&receipts[0], |r| r.history = Hash32([1; 32]));
    assert_eq!(Chain::default().add(&named), Err(ReceiptError::Place));
    let own = changed(&receipts[1], |r| r.base = 2);
    assert_eq!(Chain::default().add(&own), Err(ReceiptError::Place));
    assert_eq!(Chain::default().add(&receipts[2]), Ok(Joined::New));
}

#[test]
fn a_history_of_more_receipts_than_are_kept_is_computed_from_their_hashes() {
    let receipts = lease(&[1; 9]);
    let mut chain = Chain::default();
    let hashes = (1..).zip(receipts[..6].iter().map(Signed::hash));
    chain.know(0, hashes);
    let false_one = changed(&receipts[7], |r| r.history.0[0] ^= 1);
    assert_eq!(chain.add(&false_one), Err(ReceiptError::History { seq: 8 }));
    assert_eq!(chain.add(&receipts[7]), Ok(Joined::New));
    assert_eq!(chain.add(&receipts[8]), Ok(Joined::New));
}

/// What a chain lacks first: that number, those that would prove it.
fn lacking(chain: &mut Chain) -> Option<(u64, u64, u64)> {
    let seq = chain.lacks()?;
    assert!(chain.lacks_still(seq));
    let wanted = chain.lacking().unwrap().unwrap();
    Some((seq, wanted.after, wanted.before))
}

#[test]
fn two_empty_numbers_open_no_history_for_what_follows_is_unproven_until_they_come() {
    let receipts = lease(&[5, 0, 0, 6, 7, 8, 9]);
    let false_one = changed(&receipts[6], |r| r.history = Hash32([66; 32]));
    let with_a_gap = || {
        let mut chain = Chain::default();
        for place in [0, 3, 4, 5] {
            assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
        }
        chain
    };
    // any history at all would do, and is believed by nobody
    let mut chain = with_a_gap();
    assert_eq!(lacking(&mut chain), Some((2, 1, 4)));
    assert_eq!(chain.add(&false_one), Ok(Joined::New));
    assert_eq!(
        chain.add(&receipts[1]),
        Err(ReceiptError::History { seq: 7 }),
        "the fourth names the third"
    );
    assert_eq!(chain.add(&receipts[2]), Ok(Joined::New));
    assert_eq!(chain.lacks(), None, "the false one was taken out");
    // the node fills the gap, and all is proven
    let mut chain = with_a_gap();
    assert_eq!(chain.add(&receipts[6]), Ok(Joined::New));
    for place in [2, 1] {
        assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
    }
    assert_eq!(chain.lacks(), None);
    assert_eq!(chain.lacking(), Ok(None));
    // or the ledger has what is missing, which can't be claimed any more
    let mut chain = with_a_gap();
    chain.claimed(5, ComputeUnits(5));
    assert_eq!(chain.lacks(), Some(6), "its history is still unknown");
    chain.claimed(6, ComputeUnits(6));
    assert_eq!(chain.lacks(), None);
    assert!(!chain.lacks_still(2));
}

#[test]
fn one_number_that_never_came_is_lacking_though_all_that_follows_is_proven() {
    let receipts = lease(&[1; 5]);
    let mut chain = Chain::default();
    for place in [0, 2, 3, 4] {
        assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
    }
    assert_eq!(lacking(&mut chain), Some((2, 1, 3)));
    assert_eq!(chain.add(&receipts[1]), Ok(Joined::New));
    assert_eq!(chain.lacks(), None);
}

#[test]
fn a_late_receipt_of_a_base_that_four_others_followed_is_held_against_its_own_history() {
    let mut receipts = lease(&[1; 8]);
    let next = |receipts: &[Signed<Receipt>], base: u64| {
        let mut history = History::after(base);
        receipts[base as usize..]
            .iter()
            .for_each(|r| history.push(r.hash()));
        let before = receipts.last().unwrap();
        let seq = before.message().seq + 1;
        changed(before, |r| {
            r.seq = seq;
            r.request_hash = Hash32::of(&(seq - 1).to_le_bytes());
            r.cumulative_units = ComputeUnits(seq);
            r.previous = before.hash();
            r.base = base;
            r.history = history.root();
        })
    };
    let honest = next(&receipts, 0);
    for false_ninth in [false, true] {
        receipts.truncate(8);
        receipts.push(match false_ninth {
            true => changed(&honest, |r| r.history = Hash32([66; 32])),
            false => honest.clone(),
        });
        for base in 5..9 {
            receipts.push(next(&receipts, base));
        }
        let mut chain = Chain::default();
        for receipt in receipts[..8].iter().chain(&receipts[9..]) {
            assert_eq!(chain.add(receipt), Ok(Joined::New));
        }
        let expected = match false_ninth {
            true => Err(ReceiptError::History { seq: 9 }),
            false => Ok(Joined::New),
        };
        assert_eq!(chain.add(&receipts[8]), expected);
        assert_eq!(chain.lacks(), false_ninth.then_some(9));
    }
}

#[test]
fn a_late_receipt_whose_base_is_out_of_sight_is_unproven() {
    let receipts = claimed(&[1; 12], &[6, 7, 8, 9, 10]);
    let mut chain = Chain::default();
    // the first four never came; the sixth comes late
    for place in [4, 6, 7, 8, 9, 10, 11] {
        assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
    }
    assert_eq!(chain.add(&receipts[5]), Ok(Joined::New));
    assert_eq!(lacking(&mut chain), Some((1, 0, 5)));
    for receipt in &receipts[..4] {
        assert_eq!(chain.add(receipt), Ok(Joined::New));
    }
    assert_eq!(chain.lacks(), None);
}

#[test]
fn a_long_lease_is_proven_by_its_pages_in_order() {
    let receipts = lease(&vec![1; MAX_LINKS + 300]);
    let mut chain = Chain::default();
    assert_eq!(chain.add(receipts.last().unwrap()), Ok(Joined::New));
    for page in receipts.chunks(256) {
        let wanted = chain.lacking().unwrap();
        assert_eq!(wanted.unwrap().after, page[0].message().seq - 1);
        for receipt in page {
            chain.add(receipt).unwrap();
        }
    }
    assert_eq!(chain.lacks(), None);
    assert!(chain.links.len() <= MAX_LINKS);
}

proptest! {
    #[test]
    fn a_chain_of_which_all_has_come_lacks_nothing_whatever_the_order(
        costs in prop::collection::vec(0..100u64, 1..30),
        order in Just((0..30usize).collect::<Vec<_>>()).prop_shuffle(),
        moves in prop::collection::vec(1..30usize, 0..8),
    ) {
        let receipts = claimed(&costs, &moves);
        let mut chain = Chain::default();
        for place in order.into_iter().filter(|&place| place < costs.len()) {
            prop_assert_eq!(chain.add(&receipts[place]), Ok(Joined::New));
        }
        // what was dropped may have to be begun anew, one base after the other
        prop_assert_eq!(chain.lacking(), Ok(None));
        prop_assert_eq!(chain.lacks(), None);
    }
}
