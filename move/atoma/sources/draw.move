/// The weighted draw of nodes, without replacement.
///
/// ```text
/// weight(node)  = min(collateral, collateral_cap) * reputation * free capacity
/// number(i)     = le256(BLAKE2b-256("atoma/draw/v1" | seed | u64 le i)) mod total
/// ```
///
/// Draw `i` takes the first node whose cumulative weight is above `number(i)`; its weight then counts
/// zero. Weights of 256 nodes sum to less than 2^118, so the bias of the reduction is below 2^-138.
///
/// Cost: everything is read from the task itself, no object and no dynamic field per node. A draw of
/// one among 256 walks the list three times (who fits, sum, place), each further one once more: at most
/// 18 walks and 16 hashes, all within one object.
module atoma::draw;

use atoma::limits;
use std::bcs;
use sui::hash::blake2b256;

/// Fewer nodes fit than should be drawn.
const ETooFewEligible: u64 = 412;

const DOMAIN: vector<u8> = b"atoma/draw/v1";
/// Collateral counts at most this, whatever the parameter says.
const MAX_CAP: u64 = 1 << 50;

/// A node's weight in a draw.
public(package) fun weight(collateral: u64, cap: u64, reputation: u64, free: u64): u128 {
    let collateral = collateral.min(cap).min(MAX_CAP) as u128;
    let reputation = reputation.min(limits::max_reputation()) as u128;
    collateral * reputation * (free.min(limits::max_units()) as u128)
}

/// Draws `count` distinct places among `weights`.
public(package) fun draw(seed: &vector<u8>, mut weights: vector<u128>, count: u64): vector<u64> {
    let mut total = 0u128;
    weights.do_ref!(|weight| total = total + *weight);
    vector::tabulate!(count, |i| {
        assert!(total > 0, ETooFewEligible);
        let place = place(&weights, number(seed, i, total));
        total = total - weights[place];
        *&mut weights[place] = 0;
        place
    })
}

/// The first place whose cumulative weight is above a number, which is below the sum of all.
fun place(weights: &vector<u128>, number: u128): u64 {
    let mut left = number;
    let mut place = 0;
    while (left >= weights[place]) {
        left = left - weights[place];
        place = place + 1;
    };
    place
}

/// The digest as a little-endian 256-bit number, reduced.
fun number(seed: &vector<u8>, i: u64, total: u128): u128 {
    let mut bytes = DOMAIN;
    bytes.append(*seed);
    bytes.append(bcs::to_bytes(&i));
    let digest = sui::bcs::new(blake2b256(&bytes)).peel_u256();
    (digest % (total as u256)) as u128
}

#[test]
fun golden_numbers() {
    // the same numbers stand in the tests of the Rust contract
    let seed = vector::tabulate!(32, |_| 7u8);
    assert!(number(&seed, 0, 1_000_003) == 107643);
    assert!(number(&seed, 1, (1 << 118) - 1) == 218467550224269066155015605161586728);
}

#[test]
fun the_weightless_are_never_drawn() {
    let seed = vector::tabulate!(32, |_| 1u8);
    assert!(draw(&seed, vector[0, 5, 0], 1) == vector[1]);
    let all = draw(&seed, vector[1, 1 << 100, 3], 3);
    assert!(all.contains(&0) && all.contains(&1) && all.contains(&2));
}

#[test, expected_failure(abort_code = ETooFewEligible)]
fun no_more_are_drawn_than_weigh() {
    draw(&vector::tabulate!(32, |_| 1u8), vector[0, 5, 0], 2);
}
