//! Nobody gains by rounding.
//!
//! Exactly: with `exact = units * price / 1e6` as a rational number,
//! * an owner pays for a lease `cost = floor(exact)`, never more than exact, less than one
//!   micro-USDC below it, and gets back all else: `paid in = sum(cost) + refunds`;
//! * `fee = floor(cost * permille / 1000)`, so a node with its fee never gets more than exact, and
//!   the treasury never more than its exact part of the cost;
//! * a share of the treasury is at most its exact part of the pool, in whatever order shares are
//!   paid.

use crate::world::*;
use atoma_contract::Changes;
use atoma_types::{
    NodeId, Price, SecurityLevel, StackId,
    chain::{Event, Selection},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MILLION: u128 = 1_000_000;

/// Money of one stack, by its events.
#[derive(Debug, Default)]
struct Account {
    paid_in: u128,
    spent: u128,
    refunded: u128,
}

/// Keeps books beside the contract, from its events alone.
#[derive(Debug, Default)]
pub(crate) struct Books {
    accounts: BTreeMap<StackId, Account>,
    prices: BTreeMap<(StackId, NodeId), Price>,
    reports: BTreeMap<(u64, NodeId), u128>,
}

impl Books {
    /// Enters a transaction that `world` has just committed.
    pub(crate) fn enter(&mut self, world: &World, changes: &Changes) {
        for event in &changes.events {
            match event {
                Event::StackAcquired(event) => {
                    self.account(event.stack).paid_in += u128::from(event.escrow.0);
                }
                Event::ToppedUp(event) => {
                    self.account(event.stack).paid_in += u128::from(event.paid.0);
                }
                Event::Leased(event) => {
                    self.prices.insert((event.stack, event.node), event.price);
                }
                Event::UngrantedRevoked(event) => {
                    self.account(event.stack).refunded += u128::from(event.refunded.0);
                }
                Event::LeaseExpired(event) => {
                    self.account(event.stack).refunded += u128::from(event.refunded.0);
                }
                Event::Claimed(event) => {
                    let price = u128::from(self.prices[&(event.stack, event.node)].0);
                    let exact_millions = u128::from(event.units.0) * price;
                    let (paid, fee) = (u128::from(event.paid.0), u128::from(event.fee.0));
                    let cost = paid + fee;
                    assert!(
                        cost * MILLION <= exact_millions,
                        "never above the exact price"
                    );
                    assert!(
                        exact_millions < (cost + 1) * MILLION,
                        "nor a micro below it"
                    );
                    let permille = u128::from(world.stack(event.stack).fee_permille);
                    assert!(fee * 1_000 <= cost * permille && cost * permille < (fee + 1) * 1_000);
                    let account = self.account(event.stack);
                    account.spent += cost;
                    account.refunded += u128::from(event.refunded.0);
                }
                Event::NodeConvicted(event) => {
                    self.account(event.stack).refunded += u128::from(event.refunded.0);
                }
                Event::StackClosed(event) => {
                    let account = self.account(event.stack);
                    assert_eq!(account.paid_in, account.spent + account.refunded);
                }
                Event::UnitsReported(event) => {
                    let units = u128::from(event.units.0);
                    let before = self.reports.insert((event.epoch, event.node), units);
                    assert_eq!(before, None, "reported twice");
                }
                Event::TreasuryPaid(event) => {
                    let units = self.reports[&(event.epoch, event.node)];
                    let book = &world.db().book;
                    let pool = u128::from(book.pool.unwrap().0);
                    let amount = u128::from(event.amount.0);
                    assert!(amount * u128::from(book.units.0) <= pool * units);
                }
                _ => {}
            }
        }
    }

    fn account(&mut self, stack: StackId) -> &mut Account {
        self.accounts.entry(stack).or_default()
    }
}

proptest! {
    #![proptest_config(crate::random::config())]

    /// Three nodes with odd prices share one stack in odd parts.
    #[test]
    fn odd_parts_at_odd_prices(
        prices in [1..9_999_999u64, 1..9_999_999, 1..9_999_999],
        units in [(1..1_000_000u64, 0..=1_000u64), (1..1_000_000, 0..=1_000), (1..1_000_000, 0..=1_000)],
        fee in 0..=200u64,
        surcharge in 0..=500u64,
    ) {
        let mut world = World::new();
        let mut books = Books::default();
        world.set_param("protocol_fee_permille", fee);
        world.set_param("sampling_surcharge_permille", surcharge);
        let mut new = new_task();
        new.security = SecurityLevel::SamplingConsensus;
        let task = world.create_task_from(new);
        let total = units.iter().map(|(units, _)| units).sum();
        let nodes: Vec<_> = (OPERATOR..)
            .zip(prices)
            .map(|(operator, price)| (operator, world.serve(operator, task, price, 1 << 40)))
            .collect();
        let call = world.acquire_call(task, total, 10_000_000, Selection::Any);
        let changes = world.ok(USER, call);
        books.enter(&world, &changes);
        let stack = bought(&changes);
        for (&(operator, node), &(units, _)) in nodes.iter().zip(&units) {
            let call = world.lease_call(stack, node, units);
            let changes = world.ok(operator, call);
            books.enter(&world, &changes);
        }
        for (&(operator, node), &(units, used_permille)) in nodes.iter().zip(&units) {
            let changes = world.earn(operator, stack, node, units * used_permille / 1_000);
            books.enter(&world, &changes);
        }
        prop_assert!(world.stack(stack).closed);
    }
}
