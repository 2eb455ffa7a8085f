//! The draw is as its weights say. Seeds are fixed, so these tests always see the same draws; the
//! thresholds are what a right draw exceeds once in a thousand choices of seeds.

use crate::world::*;
use atoma_contract::{
    Changes, Env,
    draw::{draw, weight},
};
use atoma_types::{
    NodeId, TaskId, TimestampMs,
    chain::{Call, Event, Selection},
    hash::Hash32,
};
use std::collections::BTreeMap;
use sui_sdk_types::Digest;

const DRAWS: u64 = 20_000;

/// Five nodes that differ in collateral, reputation and free capacity; one is above the cap.
fn market() -> (World, TaskId, Vec<NodeId>, Vec<f64>) {
    let mut world = World::new();
    world.set_param("collateral_cap", 5_000);
    let task = world.create_task();
    let mut nodes = Vec::new();
    let offers = [
        (1_000, 500, 1_000),
        (2_000, 1_000, 1_000),
        (5_000, 300, 700),
        (9_000_000, 100, 2_000),
        (1_500, 900, 500),
    ];
    for (operator, (collateral, reputation, capacity)) in (OPERATOR..).zip(offers) {
        world.set_param("reputation_initial", reputation);
        let node = world.register(operator, collateral);
        world.ok(operator, subscribe_call(task, node, 1_000_000, capacity));
        nodes.push(node);
    }
    let weights = world.task(task).subscriptions.iter();
    let weights = weights.map(|s| weight(s, 5_000) as f64).collect();
    (world, task, nodes, weights)
}

/// What acquiring with the `i`-th seed would do.
fn attempt(world: &World, call: &Call, i: u64) -> Changes {
    let mut txn = world.state.begin(Env {
        sender: address(USER),
        now: TimestampMs(world.now),
        network: NETWORK,
        transaction: Digest::new([1; 32]),
        created: 0,
        seed: Hash32::of(&i.to_le_bytes()).0,
    });
    txn.call(call).unwrap();
    txn.finish()
}

fn candidates(changes: &Changes) -> Vec<NodeId> {
    match changes.events.first() {
        Some(Event::StackAcquired(event)) => event.candidates.clone(),
        other => panic!("{other:?}"),
    }
}

fn chi_square(observed: impl Iterator<Item = (u64, f64)>) -> f64 {
    observed
        .map(|(seen, expected)| (seen as f64 - expected).powi(2) / expected)
        .sum()
}

#[test]
fn weights_are_what_the_rules_say() {
    let (.., weights) = market();
    let expected = [
        1_000u64 * 500 * 1_000,
        2_000 * 1_000 * 1_000,
        5_000 * 300 * 700,
        5_000 * 100 * 2_000,
        1_500 * 900 * 500,
    ];
    assert_eq!(weights, expected.map(|weight| weight as f64));
}

#[test]
fn a_single_draw_follows_the_weights() {
    let (world, task, nodes, weights) = market();
    let total: f64 = weights.iter().sum();
    let call = world
        .acquire_call(task, 1, 1_500_000, Selection::Single)
        .into();
    let mut seen: BTreeMap<NodeId, u64> = BTreeMap::new();
    for i in 0..DRAWS {
        let changes = attempt(&world, &call, i);
        *seen.entry(candidates(&changes)[0]).or_default() += 1;
    }
    let cells = nodes
        .iter()
        .zip(&weights)
        .map(|(node, weight)| (seen[node], DRAWS as f64 * weight / total));
    let chi_square = chi_square(cells);
    // four degrees of freedom: 99.9 % of right draws stay below
    assert!(chi_square < 18.47, "{chi_square}");
}

#[test]
fn a_limited_draw_follows_the_weights_without_replacement() {
    let (world, task, nodes, weights) = market();
    let total: f64 = weights.iter().sum();
    let selection = Selection::Limited { nodes: 2 };
    let call = world.acquire_call(task, 1, 1_500_000, selection).into();
    let mut pairs: BTreeMap<(NodeId, NodeId), u64> = BTreeMap::new();
    for i in 0..DRAWS {
        let drawn = candidates(&attempt(&world, &call, i));
        assert_ne!(drawn[0], drawn[1]);
        *pairs.entry((drawn[0], drawn[1])).or_default() += 1;
    }
    // the order of a pair is the order of the draws: p(a, b) = w_a / W * w_b / (W - w_a)
    let expected =
        |a: usize, b: usize| DRAWS as f64 * weights[a] / total * weights[b] / (total - weights[a]);
    let ordered = || (0..5).flat_map(|a| (0..5).filter(move |&b| b != a).map(move |b| (a, b)));
    let cells = ordered().map(|(a, b)| {
        let seen = pairs.get(&(nodes[a], nodes[b])).copied().unwrap_or(0);
        (seen, expected(a, b))
    });
    let chi_square = chi_square(cells);
    // 20 cells, 19 degrees of freedom
    assert!(chi_square < 43.82, "{chi_square}");
    // how often each is among the two, within four standard deviations
    for (place, node) in nodes.iter().enumerate() {
        let among = |&&(a, b): &&(usize, usize)| a == place || b == place;
        let all: Vec<_> = ordered().collect();
        let rate: f64 = all.iter().filter(among).map(|&(a, b)| expected(a, b)).sum();
        let seen: u64 = pairs
            .iter()
            .filter(|((a, b), _)| a == node || b == node)
            .map(|(_, count)| count)
            .sum();
        let sigma = (rate * (1.0 - rate / DRAWS as f64)).sqrt();
        assert!(
            (seen as f64 - rate).abs() < 4.0 * sigma,
            "{place}: {seen} of {rate}"
        );
    }
}

#[test]
fn extreme_weights_do_not_overflow() {
    let heaviest = (1u128 << 50) * 1_000 * (1 << 50);
    for i in 0..1_000u64 {
        let seed = Hash32::of(&i.to_le_bytes()).0;
        let drawn = draw(&seed, vec![heaviest; 256], 16).unwrap();
        let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!(distinct.len(), 16);
    }
}

#[test]
fn who_does_not_fit_is_never_drawn() {
    let (mut world, task, nodes, _) = market();
    // full, too dear, leaving
    world.ok(OPERATOR, subscribe_call(task, nodes[0], 1_000_000, 5));
    world.ok(
        OPERATOR + 1,
        subscribe_call(task, nodes[1], 1_500_001, 1_000),
    );
    world.ok(OPERATOR + 2, unsubscribe_call(task, nodes[2]));
    let call = world
        .acquire_call(task, 6, 1_500_000, Selection::Single)
        .into();
    for i in 0..500 {
        let drawn = candidates(&attempt(&world, &call, i))[0];
        assert!(drawn == nodes[3] || drawn == nodes[4]);
    }
}
