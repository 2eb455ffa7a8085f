//! What a conviction takes and who gets it.

use super::Tale;
use crate::world::*;
use atoma_types::chain::AbortCode;

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "a1_twenty_dust_stacks_take_dust_of_a_collateral",
        a1_twenty_dust_stacks_take_dust_of_a_collateral,
    ),
    (
        "a2_who_convicts_itself_takes_nothing_out_and_its_victims_have_all_back",
        a2_who_convicts_itself_takes_nothing_out_and_its_victims_have_all_back,
    ),
    (
        "a6_silence_costs_what_fraud_costs",
        a6_silence_costs_what_fraud_costs,
    ),
    (
        "no_fine_is_recovered_through_washed_leases",
        no_fine_is_recovered_through_washed_leases,
    ),
    (
        "releasing_units_or_settling_less_is_no_plea",
        releasing_units_or_settling_less_is_no_plea,
    ),
    (
        "no_lease_is_larger_than_the_collateral_that_stands_for_it",
        no_lease_is_larger_than_the_collateral_that_stands_for_it,
    ),
    (
        "a_bad_release_can_be_pardoned_and_only_to_the_collateral",
        a_bad_release_can_be_pardoned_and_only_to_the_collateral,
    ),
];

/// A1. Edition 1: a slash was half of the collateral whatever the lease was worth, and half of it the owner's. Twenty
/// stacks of one micro-USDC, demanded while the node was away, took 4,412 of 10,000 USDC.
#[test]
fn a1_twenty_dust_stacks_take_dust_of_a_collateral() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 10_000 * USDC);
    let mut chains: Vec<_> = (0..20).map(|_| w.leased(OPERATOR, task, node, 1)).collect();
    for chain in &mut chains {
        chain.serve(&w, 1);
        w.settle(chain);
        let call = w.demand_call(chain.stack, node, 0);
        w.ok(USER, call);
    }
    w.now += 25 * HOUR;
    let mut owner = 0;
    for chain in &chains {
        let call = w.silence_call(chain.stack, node, 0);
        w.ok(STRANGER, call);
        owner += w.free(chain.stack);
    }
    // the escrow of one micro-USDC and the fee of 0.02 each, and of the collateral ten micro-USDC each
    assert_eq!(owner, 20 * (1 + 20_000));
    assert_eq!(w.collateral(node), 10_000 * USDC - 20 * 10);
}

/// A2. Edition 1: a cheat convicted itself first, on ten tiny stacks of its own: 4,995 of 10,000 USDC were out at once, and
/// its three victims got dust.
#[test]
fn a2_who_convicts_itself_takes_nothing_out_and_its_victims_have_all_back() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 10_000 * USDC);
    let own = w.acquire_call(task, 10, PRICE, 0);
    let own = bought(&w.ok(OPERATOR, own));
    w.grant(OPERATOR, own, node, 10);
    let mut own = Chain::new(own, node, USER, OPERATOR);
    own.serve(&w, 10);
    let mut victims: Vec<_> = (0..3)
        .map(|_| w.leased(OPERATOR, task, node, 100 * USDC))
        .collect();
    for chain in &mut victims {
        chain.serve(&w, 100 * USDC);
        w.settle(chain);
        let call = w.demand_call(chain.stack, node, 5);
        w.ok(USER, call);
    }
    w.settle(&own);
    own.serve(&w, 1);
    let (first, second) = twice_for_one_request(&w, &own);
    let call = w.equivocation_call(own.stack, node, first, second);
    let changes = w.ok(OPERATOR, call);
    assert!(changes.payouts.is_empty());
    // what it freed is what it paid for its own stack
    assert_eq!(w.free(own.stack), 10);
    assert_eq!(w.collateral(node), 10_000 * USDC - 100);

    w.now += 25 * HOUR;
    for chain in &victims {
        let call = w.silence_call(chain.stack, node, 5);
        let changes = w.ok(STRANGER, call);
        let (_, value, fine, _, freed) = convictions(&changes)[0];
        assert_eq!((value, fine), (100 * USDC, 1_000 * USDC));
        assert_eq!(freed, 100 * USDC + 20_000);
    }
    assert_eq!(w.collateral(node), 7_000 * USDC - 100);
}

/// A6. Edition 1: where a record would prove fraud (half of the collateral), silence (a tenth) was cheaper, and once was all.
#[test]
fn a6_silence_costs_what_fraud_costs() {
    let fine_of = |silent: bool| {
        let mut w = World::new();
        let task = w.create_task();
        let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
        let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
        chain.serve(&w, 3 * USDC);
        w.settle(&chain);
        let changes = if silent {
            w.silence(&chain, 7)
        } else {
            let (first, second) = twice_for_one_request(&w, &chain);
            let call = w.equivocation_call(chain.stack, node, first, second);
            w.ok(STRANGER, call)
        };
        assert_eq!(w.node(node).standing.reputation, 0);
        (convictions(&changes)[0].2, w.collateral(node))
    };
    assert_eq!(fine_of(true), (30 * USDC, 970 * USDC));
    assert_eq!(fine_of(false), fine_of(true));
}

/// An earlier design: a pot of slashes compensated victims, and 90 washed leases recovered 9,000 of a slashed 10,000 USDC.
#[test]
fn no_fine_is_recovered_through_washed_leases() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chains: Vec<_> = (0..9)
        .map(|_| w.leased(OPERATOR, task, node, USDC))
        .collect();
    for chain in &mut chains {
        chain.serve(&w, USDC);
        w.settle(chain);
    }
    let mut freed = 0;
    for chain in &chains {
        let (first, second) = twice_for_one_request(&w, chain);
        let call = w.equivocation_call(chain.stack, node, first, second);
        w.ok(STRANGER, call);
        freed += w.free(chain.stack);
    }
    // the owner has just what it paid, the fines wait, and then are the treasury's
    assert_eq!(freed, 9 * USDC);
    assert_eq!(w.collateral(node), 1_000 * USDC - 90 * USDC);
    assert_eq!(w.node(node).pending.fines.0, 90 * USDC);
    assert_eq!(w.earnings(node), 0);
    w.now += 7 * DAY + 1;
    w.ok(STRANGER, forfeit_call(node));
    assert_eq!(w.db().communal_treasury.0, 90 * USDC);
}

/// An earlier design: what a conviction took was less than what the claim would have paid, so silence was the rational plea.
#[test]
fn releasing_units_or_settling_less_is_no_plea() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 50 * USDC);
    chain.serve(&w, 2 * USDC);
    w.settle(&chain);
    let call = w.demand_call(chain.stack, node, 0);
    w.ok(USER, call);
    // a node that knows that it will lose gives back all it can
    w.ok(OPERATOR, release_call(chain.stack, node, 2 * USDC));
    let lower = release_call(chain.stack, node, 2 * USDC - 1);
    w.refused(OPERATOR, lower, AbortCode::ReleaseInvalid);
    w.now += 25 * HOUR;
    let call = w.silence_call(chain.stack, node, 0);
    let changes = w.ok(STRANGER, call);
    assert_eq!(convictions(&changes)[0].2, 20 * USDC);
}

/// An earlier design: caps in thousandths. A node of 100 USDC held a lease of 16.5 million; large leases were undeterred.
#[test]
fn no_lease_is_larger_than_the_collateral_that_stands_for_it() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let stack = w.buy(task, 16_500_000 * USDC);
    let call = w.lease_call(stack, node, 10 * USDC + 1);
    w.refused(OPERATOR, call, AbortCode::CollateralBusy);
    w.grant(OPERATOR, stack, node, 10 * USDC);
    assert_eq!(w.node(node).at_stake.0, 100 * USDC);
    let other = w.buy(task, 1);
    let call = w.lease_call(other, node, 1);
    w.refused(OPERATOR, call, AbortCode::CollateralBusy);
}

/// An earlier design: one bad release slashed everybody at once, for good.
#[test]
fn a_bad_release_can_be_pardoned_and_only_to_the_collateral() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 50 * USDC);
    chain.serve(&w, 20 * USDC);
    w.settle(&chain);
    w.silence(&chain, 1);
    assert_eq!(w.collateral(node), 800 * USDC);
    let call = w.pardon_call(node, 200 * USDC + 1);
    w.refused(ADMIN, call, AbortCode::NothingPending);
    let call = w.pardon_call(node, 150 * USDC);
    w.refused(OPERATOR, call.clone(), AbortCode::NotAdmin);
    let changes = w.ok(ADMIN, call);
    assert!(changes.payouts.is_empty());
    assert_eq!((w.collateral(node), w.earnings(node)), (950 * USDC, 0));
    w.refused(STRANGER, forfeit_call(node), AbortCode::PardonNotOver);
    w.now += 7 * DAY + 1;
    let call = w.pardon_call(node, 1);
    w.refused(ADMIN, call, AbortCode::PardonOver);
    w.ok(STRANGER, forfeit_call(node));
    assert_eq!(w.db().communal_treasury.0, 50 * USDC);
}

/// A message and its signature.
type Bytes = (Vec<u8>, Vec<u8>);

/// Two receipts of a lease for the same request.
pub(super) fn twice_for_one_request(w: &World, chain: &Chain) -> (Bytes, Bytes) {
    let first = chain.last_receipt();
    let hash = chain.last.as_ref().unwrap().1.message().request_hash;
    let mut again = chain.clone();
    again.serve_with(w, 1, |_, receipt| receipt.request_hash = hash);
    (first, again.last_receipt())
}
