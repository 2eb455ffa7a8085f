//! Receipts that contradict each other, and those that don't.

use super::*;

#[test]
pub(super) fn two_receipts_with_one_seq() {
    // while the lease is open
    let mut scene = Scene::served();
    let (one, other) = (
        scene.receipt(1),
        scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5)),
    );
    let changes = scene.equivocate(one.clone(), other.clone()).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 0);
    assert!(scene.world.stack(scene.stack).closed);

    // while it is being settled
    let mut scene = Scene::settled();
    let changes = scene.equivocate(other, one).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 0);

    // after it was paid: what was paid is paid, the collateral stays liable
    let mut scene = Scene::settled();
    scene.claim();
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.previous.0[0] ^= 1);
    let changes = scene.equivocate(one.clone(), other.clone()).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, 0, 0);
    assert!(matches!(
        scene.world.lease_of(scene.stack, scene.node).state,
        LeaseState::Closed {
            paid_units: ComputeUnits(600),
            ..
        }
    ));
    assert_eq!(
        scene.equivocate(one, other).err(),
        Some(AbortCode::AlreadyConvicted)
    );
}

#[test]
pub(super) fn broken_chains_and_double_charges() {
    type Change = fn(&mut Receipt);
    let changes: [(u64, u64, Change); 6] = [
        // the sum falls
        (1, 3, |receipt| receipt.cumulative_units = ComputeUnits(50)),
        // the sum grows by less than the receipt's own units
        (1, 3, |receipt| receipt.units = ComputeUnits(501)),
        // the sum grows by more
        (1, 2, |receipt| receipt.cumulative_units = ComputeUnits(301)),
        // another receipt came before
        (1, 2, |receipt| receipt.previous.0[5] ^= 1),
        (2, 3, |receipt| receipt.previous.0[31] ^= 1),
        // sums near the end of numbers don't wrap
        (1, 3, |receipt| {
            receipt.units = ComputeUnits(u64::MAX);
            receipt.cumulative_units = ComputeUnits(u64::MAX);
        }),
    ];
    for (index, (one, other, change)) in changes.into_iter().enumerate() {
        let mut scene = Scene::settled();
        let one = scene.receipt(one);
        let other = scene.other_receipt(other, change);
        let changes = scene.equivocate(one, other);
        assert!(changes.is_ok(), "case {index}: {changes:?}");
        scene.assert_fraud(&changes.unwrap(), Charge::Equivocation, ESCROW, 0);
    }
    // one order charged twice
    let mut scene = Scene::settled();
    let first: Receipt = bcs::from_bytes(&scene.receipt(1).0).unwrap();
    let again = scene.other_receipt(3, |receipt| receipt.request_hash = first.request_hash);
    let one = scene.receipt(1);
    scene.equivocate(one, again).unwrap();
}

#[test]
pub(super) fn honest_receipts_agree() {
    for settled in [false, true] {
        let mut scene = Scene::served();
        if settled {
            scene.settle();
        }
        for one in 1..=3 {
            for other in 1..=3 {
                let (first, second) = (scene.receipt(one), scene.receipt(other));
                assert_eq!(
                    scene.equivocate(first, second).err(),
                    Some(AbortCode::ReceiptsAgree)
                );
            }
        }
        // receipts that others made up prove nothing
        let mut fake: Receipt = bcs::from_bytes(&scene.receipt(1).0).unwrap();
        fake.units = ComputeUnits(9);
        let one = scene.receipt(1);
        assert_eq!(
            scene.equivocate(one, sign(fake, USER)).err(),
            Some(AbortCode::ReceiptBadSignature)
        );
    }
}
