/// A small world for unit tests: a package, two nodes, a task, a stack, all of one party's. The objects are in the hands
/// of the test. What the rules do is tried by the recorded scenarios; unit tests are for what those can't reach.
#[test_only]
module atoma::world;

use atoma::db::{Self, AdminCap, AtomaDb};
use atoma::node::{Self, Node};
use atoma::stack::{Self, Stack};
use atoma::task::{Self, Task};
use atoma::vectors;
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::random::{Self, Random};
use sui::test_scenario::{Self as ts, Scenario};
use usdc::usdc::USDC;

const PARTY: address = @0xad;
const START: u64 = 100 * 86_400_000;
const DAY: u64 = 86_400_000;
/// A task whose tickets are examined.
const SAMPLING: u8 = 1;

public fun party(): address { PARTY }

/// A fresh package with nothing in it.
public fun begin(): (Scenario, AtomaDb, AdminCap, Clock) {
    let mut s = ts::begin(PARTY);
    db::init_for_testing(s.ctx());
    s.next_tx(PARTY);
    let mut clock = clock::create_for_testing(s.ctx());
    clock.set_for_testing(START);
    let (db, cap) = (s.take_shared(), s.take_from_sender());
    (s, db, cap, clock)
}

/// Two nodes of 100 USDC, the first of them subscribed to the task; and a stack of 1000 units for it.
public fun all(): (Scenario, AtomaDb, AdminCap, Clock, Task, Node, Node, Stack) {
    let (mut s, mut db, cap, clock) = begin();
    let mut node = s.node(&mut db, &clock);
    let other = s.node(&mut db, &clock);
    let mut task = s.task(&mut db, 0);
    task::subscribe(&db, &mut task, &mut node, 1_000_000, &clock, s.ctx());
    let stack = s.stack(&db, &task, &clock);
    (s, db, cap, clock, task, node, other, stack)
}

use fun coin as Scenario.coin;
use fun node as Scenario.node;
use fun task as Scenario.task;
use fun stack as Scenario.stack;

public fun coin(s: &mut Scenario, amount: u64): Coin<USDC> { coin::mint_for_testing(amount, s.ctx()) }

public fun node(s: &mut Scenario, db: &mut AtomaDb, clock: &Clock): Node {
    let collateral = s.coin(100_000_000);
    let url = b"http://192.0.2.1".to_string();
    node::register(db, collateral, url, vectors::response_key(), vector[], clock, s.ctx());
    s.next_tx(PARTY);
    s.take_shared()
}

public fun task(s: &mut Scenario, db: &mut AtomaDb, level: u8): Task {
    let model = vector::tabulate!(32, |_| 7);
    let weights = vector[1_000, 100, 1_000, 0, 0];
    let name = b"tiny".to_string();
    let none = option::none();
    task::create(db, 0, name, level, 10_000_000, weights, model, 0, 0, 0, 0, none, s.ctx());
    s.next_tx(PARTY);
    s.take_shared()
}

public fun sampling_task(s: &mut Scenario, db: &mut AtomaDb): Task {
    let mut task = s.task(db, SAMPLING);
    let pool = s.coin(2_000_000);
    task.fund(pool);
    task
}

public fun stack(s: &mut Scenario, db: &AtomaDb, task: &Task, clock: &Clock): Stack {
    let payment = s.coin(1_000);
    let (key, seed) = (vectors::request_key(), vectors::request_key());
    stack::acquire_for_testing(db, task, payment, 1_000, 1_000_000, 0, key, DAY, seed, clock, s.ctx());
    s.next_tx(PARTY);
    s.take_shared()
}

/// The ledger's beacon in its first round.
public fun beacon(s: &mut Scenario): Random {
    s.next_tx(@0x0);
    random::create_for_testing(s.ctx());
    s.next_tx(@0x0);
    let mut beacon = s.take_shared<Random>();
    beacon.update_randomness_state_for_testing(0, vectors::request_key(), s.ctx());
    s.next_tx(PARTY);
    beacon
}
