//! The common treasury.

use super::Tale;
use crate::world::*;
use atoma_types::chain::AbortCode;

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "b6_names_without_fees_have_no_share",
        b6_names_without_fees_have_no_share,
    ),
    (
        "washing_for_the_treasury_always_loses",
        washing_for_the_treasury_always_loses,
    ),
    (
        "a_large_treasury_gives_back_nine_tenths_of_a_fee_at_most",
        a_large_treasury_gives_back_nine_tenths_of_a_fee_at_most,
    ),
];

/// Claims so much for a node at one micro-USDC a unit, and reports it the day after; the sum stands in the book.
fn work(
    w: &mut World,
    operator: u8,
    task: atoma_types::TaskId,
    node: atoma_types::NodeId,
    units: u64,
) {
    let mut chain = w.leased(operator, task, node, units);
    chain.serve(w, units);
    w.earn(&mut chain);
}

/// The beginning of the next day.
fn next_day(w: &mut World) {
    w.now = (w.now / DAY + 1) * DAY;
}

/// B6. Edition 1: 4,096 names of one unit each filled the treasury's book: 99.94 % of the pool for $0.004. And no program called what
/// pays it.
#[test]
fn b6_names_without_fees_have_no_share() {
    let mut w = World::new();
    let task = w.create_task();
    let honest = w.serve(OPERATOR, task, PRICE, 10_000 * USDC);
    let names: Vec<_> = (1..9)
        .map(|name| w.serve(OPERATOR + name, task, PRICE, 100 * USDC))
        .collect();
    w.edit(atoma_types::chain::LOCALNET_DB, |object| match object {
        atoma_contract::Object::Db(db) => db.communal_treasury.0 = 1_000 * USDC,
        _ => panic!("not the database"),
    });
    w.flow.paid_in += u128::from(1_000 * USDC);
    next_day(&mut w);
    work(&mut w, OPERATOR, task, honest, 100 * USDC);
    next_day(&mut w);
    // all fees of the day before are there; what of it the names did is nothing
    for &name in &names {
        w.refused(STRANGER, report_call(name), AbortCode::NothingToReport);
    }
    w.ok(STRANGER, report_call(honest));
    w.now += DAY / 2;
    w.ok(STRANGER, pay_call(honest));
    // 90 % of a fee of one USDC, though the pool is a hundred
    assert_eq!(w.earnings(honest), 99 * USDC + 900_000);
}

/// An earlier design: pools filled by slashes were farmed by wash trades. Whoever pays fees to have them back gets nine tenths.
#[test]
fn washing_for_the_treasury_always_loses() {
    for pool in [0, 10, 100, 100_000] {
        let mut w = World::new();
        let task = w.create_task();
        let node = w.serve(OPERATOR, task, PRICE, 10_000 * USDC);
        w.edit(atoma_types::chain::LOCALNET_DB, |object| match object {
            atoma_contract::Object::Db(db) => db.communal_treasury.0 = pool * USDC,
            _ => panic!("not the database"),
        });
        w.flow.paid_in += u128::from(pool * USDC);
        next_day(&mut w);
        let paid = 500 * USDC;
        work(&mut w, OPERATOR, task, node, paid);
        next_day(&mut w);
        w.ok(STRANGER, report_call(node));
        w.now += DAY / 2;
        w.ok(STRANGER, pay_call(node));
        assert!(w.earnings(node) < paid, "{pool}");
        w.refused(STRANGER, pay_call(node), AbortCode::NoShare);
    }
}

/// The same by calls alone: a fine of 500 USDC lies in the treasury, and fifty are paid out for fees of one and a quarter.
#[test]
fn a_large_treasury_gives_back_nine_tenths_of_a_fee_at_most() {
    let mut w = World::new();
    let task = w.create_task();
    let silent = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, silent, 50 * USDC);
    chain.serve(&w, 50 * USDC);
    w.settle(&chain);
    w.silence(&chain, 5);
    let node = w.serve(OPERATOR + 1, task, PRICE, 10_000 * USDC);
    w.now += 7 * DAY;
    w.ok(STRANGER, forfeit_call(silent));
    assert_eq!(w.db().communal_treasury.0, 500 * USDC);
    next_day(&mut w);
    work(&mut w, OPERATOR + 1, task, node, 123_456_789);
    // a hundredth, rounded down
    let fee = 1_234_567;
    assert_eq!(w.earnings(node), 123_456_789 - fee);
    next_day(&mut w);
    w.ok(STRANGER, report_call(node));
    w.now += DAY / 2;
    w.ok(STRANGER, pay_call(node));
    assert_eq!(w.earnings(node), 123_456_789 - fee + fee * 900 / 1_000);
}
