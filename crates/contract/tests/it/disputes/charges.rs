//! Charges that are too high, and those that are allowed.

use super::*;

#[test]
pub(super) fn a_charge_above_tariff_order_or_claim() {
    // above what the usage costs
    let mut scene = Scene::settled();
    let dear = scene.other_receipt(2, |receipt| receipt.usage.output -= 1);
    let changes = scene.over_claim(dear, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // above what the order allows
    let mut scene = Scene::served();
    let dear = scene.other_receipt(2, |receipt| {
        receipt.usage.output += 1;
        receipt.units = ComputeUnits(201);
    });
    assert_eq!(
        scene.over_claim(dear.clone(), NOTHING).err(),
        Some(AbortCode::ChargeAllowed)
    );
    let order = scene.header(2);
    let changes = scene.over_claim(dear, order).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // a first receipt that begins with a sum
    let mut scene = Scene::served();
    let dear = scene.other_receipt(1, |receipt| receipt.cumulative_units = ComputeUnits(101));
    let changes = scene.over_claim(dear, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // the node goes on after its settlement with less than it claimed
    let mut scene = Scene::settled();
    let later = scene.other_receipt(3, |receipt| {
        receipt.seq = 4;
        receipt.units = ComputeUnits(1);
        receipt.cumulative_units = ComputeUnits(599);
    });
    let changes = scene.over_claim(later, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);
}

#[test]
pub(super) fn honest_charges_are_allowed() {
    for settled in [false, true] {
        let mut scene = Scene::served();
        if settled {
            scene.settle();
        }
        for seq in 1..=3 {
            for header in [NOTHING, scene.header(seq)] {
                let receipt = scene.receipt(seq);
                assert_eq!(
                    scene.over_claim(receipt, header).err(),
                    Some(AbortCode::ChargeAllowed)
                );
            }
        }
        // a charge below the tariff, and usage past counting, harm nobody
        for output in [201, u64::MAX] {
            let cheap = scene.other_receipt(2, |receipt| {
                receipt.usage.output = output;
                receipt.usage.input = output;
            });
            assert_eq!(
                scene.over_claim(cheap, NOTHING).err(),
                Some(AbortCode::ChargeAllowed)
            );
        }
    }
}
