use super::*;
use proptest::prelude::*;

/// Every count up to this one is tried with every place.
const COUNTS: u64 = 260;
const BASE: u64 = 1_000;

fn hash(seq: u64) -> Hash32 {
    Hash32::of(&seq.to_le_bytes())
}

fn tree(count: u64) -> ReceiptTree {
    ReceiptTree::new(BASE, (1..=count).map(|place| hash(BASE + place))).unwrap()
}

#[test]
fn every_receipt_of_every_count_is_shown_at_its_own_place() {
    let mut history = History::after(BASE);
    for count in 1..=COUNTS {
        let tree = tree(count);
        let last = tree.last();
        assert_eq!((last.seq, last.base), (BASE + count, BASE));
        assert_eq!(last.hash, hash(BASE + count));
        assert_eq!(last.history, history.root(), "what was named before it");
        for seq in BASE + 1..=last.seq {
            let proof = tree.prove(seq).unwrap();
            assert_eq!(last.place_of(hash(seq), &proof), Some(seq));
            assert_eq!(proof.path.is_empty(), seq == last.seq || count == 2);
        }
        assert!(tree.prove(BASE).is_none() && tree.prove(last.seq + 1).is_none());
        history.push(last.hash);
        assert_eq!((history.base(), history.seq()), (BASE, last.seq));
    }
    assert!(ReceiptTree::new(BASE, []).is_none());
}

#[test]
fn golden_roots() {
    let mut history = History::after(0);
    assert_eq!(history.root(), Hash32::ZERO);
    let leaf = |seq| leaf_hash(&hash(seq).0);
    history.push(hash(1));
    assert_eq!(history.root(), leaf(1));
    history.push(hash(2));
    history.push(hash(3));
    assert_eq!(history.root().to_string(), ROOT_OF_THREE);
}

/// Over the hashes of three receipts. Recomputed with Python's hashlib.
const ROOT_OF_THREE: &str = "09c99c92153b89e609097bd114c74c717980318342156151c809484041d11b2d";

proptest! {
    #[test]
    fn no_other_receipt_place_count_base_or_path_is_taken(
        count in 1..COUNTS, place in any::<u64>(), other in any::<u64>(), bit in 0usize..256,
    ) {
        let tree = tree(count);
        let last = tree.last();
        let seq = BASE + 1 + place % count;
        let wrong = BASE + 1 + other % count;
        let proof = tree.prove(seq).unwrap();
        prop_assert_eq!(last.place_of(hash(seq), &proof), Some(seq));
        let mut refused = vec![(hash(BASE + count + 1), proof.clone())];
        if wrong != seq {
            refused.push((hash(wrong), proof.clone()));
            refused.push((hash(seq), tree.prove(wrong).unwrap()));
            refused.push((hash(seq), Proof { index: wrong - BASE - 1, ..proof.clone() }));
        }
        for wrong in [count, count + 1, u64::MAX] {
            let index = proof.index;
            if wrong != index {
                refused.push((hash(seq), Proof { index: wrong, ..proof.clone() }));
            }
            refused.push((hash(seq), Proof { count: wrong, ..proof.clone() }));
        }
        let mut longer = proof.clone();
        longer.path.push(Hash32::ZERO);
        refused.push((hash(seq), longer));
        for level in 0..proof.path.len() {
            let mut shorter = proof.clone();
            shorter.path.remove(level);
            refused.push((hash(seq), shorter));
            let mut changed = proof.clone();
            changed.path[level].0[bit / 8] ^= 1 << (bit % 8);
            refused.push((hash(seq), changed));
        }
        for (receipt, proof) in refused {
            prop_assert_eq!(last.place_of(receipt, &proof), None, "{:?}", proof);
        }
        for base in [BASE - 1, BASE + 1, last.seq, last.seq + 1] {
            let moved = LastReceipt { base, ..last };
            prop_assert_eq!(moved.place_of(hash(seq), &proof), None);
        }
    }

    /// A later receipt binds what an earlier one has bound: all of it stands at its place still.
    #[test]
    fn a_longer_history_goes_on_from_a_shorter_one(short in 1..COUNTS, more in 1..COUNTS) {
        let long = tree(short + more);
        let mut history = History::after(BASE);
        (BASE + 1..BASE + short).for_each(|seq| history.push(hash(seq)));
        prop_assert_eq!(history.root(), tree(short).last().history);
        (BASE + short..BASE + short + more).for_each(|seq| history.push(hash(seq)));
        prop_assert_eq!(history.root(), long.last().history);
        for seq in BASE + 1..=BASE + short {
            let proof = long.prove(seq).unwrap();
            prop_assert_eq!(long.last().place_of(hash(seq), &proof), Some(seq));
        }
    }
}
