/// The weighted draw of nodes, without replacement.
///
/// ```text
/// weight(node)  = matured collateral * reputation
/// number(i)     = le256(BLAKE2b-256("atoma/draw/v1" | seed | u64 le i)) mod total
/// ```
///
/// Draw `i` takes the first node, in the order of the subscriptions, whose cumulative weight is above
/// `number(i)`; its weight then counts zero. Weights of 256 nodes sum to less than 2^68, so the bias of the
/// reduction is below 2^-188.
///
/// It looks at each weight in each draw and never branches on the seed: the same gas for every outcome, so
/// nobody can let a draw die of its budget where the outcome isn't liked.
module atoma::draw;

use atoma::bytes32::Bytes32;
use atoma::limits;
use std::bcs;
use sui::hash::blake2b256;

/// Fewer nodes fit than should be drawn.
const ETooFewEligible: u64 = 412;

const DOMAIN: vector<u8> = b"atoma/draw/v1";
const HIT: vector<u8> = b"atoma/hit/v1";
const UNIT: vector<u8> = b"atoma/unit/v1";
/// Collateral counts at most this: a thousand million USDC.
const MAX_COLLATERAL: u64 = 1 << 50;
/// Above the sum of all weights.
const ABOVE_ALL: u128 = 1 << 100;
const ABOVE_ALL_BITS: u8 = 100;
const PERMILLE: u64 = 1_000;

/// A node's weight in a draw.
public(package) fun weight(matured: u64, reputation: u64): u128 {
    let collateral = matured.min(MAX_COLLATERAL) as u128;
    collateral * (reputation.min(limits::max_reputation()) as u128)
}

/// Whether so many have any weight.
public(package) fun suffice(weights: &vector<u128>, count: u64): bool { able(weights) >= count }

/// How many could be drawn.
public(package) fun able(weights: &vector<u128>): u64 { weights.count!(|weight| *weight > 0) }

public(package) fun assert_suffice(weights: &vector<u128>, count: u64) {
    assert!(suffice(weights, count), ETooFewEligible);
}

/// Draws `count` distinct places among `weights`, of which so many are above zero.
public(package) fun draw(seed: &Bytes32, mut weights: vector<u128>, count: u64): vector<u64> {
    let mut total = 0u128;
    weights.do_ref!(|weight| total = total + *weight);
    vector::tabulate!(count, |i| {
        let number = number(seed, i, total);
        let mut sum = 0u128;
        let mut place = 0u128;
        weights.do_ref!(|weight| {
            sum = sum + *weight;
            // one more while the sum is not above the number
            place = place + ((ABOVE_ALL + number - sum) >> ABOVE_ALL_BITS);
        });
        let place = place as u64;
        total = total - weights[place];
        *&mut weights[place] = 0;
        place
    })
}

/// Whether a ticket is examined. The same for every value: were it more for larger tickets, small ones would be
/// made.
public(package) fun is_hit(seed: &Bytes32, sample_permille: u64): bool {
    let digest = digest(HIT, seed, vector[]);
    sui::bcs::new(digest).peel_u64() % PERMILLE < sample_permille
}

/// One of the units `[from, to)`, of which there are some.
public(package) fun unit(seed: &Bytes32, from: u64, to: u64): u64 {
    let offset = sui::bcs::new(digest(UNIT, seed, vector[])).peel_u256() % ((to - from) as u256);
    from + (offset as u64)
}

/// The digest as a little-endian 256-bit number, reduced.
fun number(seed: &Bytes32, i: u64, total: u128): u128 {
    let digest = sui::bcs::new(digest(DOMAIN, seed, bcs::to_bytes(&i))).peel_u256();
    (digest % (total as u256)) as u128
}

fun digest(domain: vector<u8>, seed: &Bytes32, more: vector<u8>): vector<u8> {
    let mut bytes = domain;
    bytes.append(seed.to_bytes());
    bytes.append(more);
    blake2b256(&bytes)
}

#[test]
fun golden_numbers() {
    // the same numbers stand in the tests of the Rust contract
    let seed = atoma::bytes32::read(vector::tabulate!(32, |_| 7u8)).destroy_some();
    assert!(number(&seed, 0, 1_000_003) == 107643);
    assert!(number(&seed, 1, (1 << 118) - 1) == 218467550224269066155015605161586728);
}

#[test]
fun the_weightless_are_never_drawn() {
    let seed = atoma::bytes32::read(vector::tabulate!(32, |_| 1u8)).destroy_some();
    assert!(draw(&seed, vector[0, 5, 0], 1) == vector[1]);
    assert!(!suffice(&vector[0, 5, 0], 2));
    assert!(draw(&seed, vector[], 0).is_empty());
    let all = draw(&seed, vector[1, 1 << 67, 3], 3);
    assert!(all.contains(&0) && all.contains(&1) && all.contains(&2));
}
