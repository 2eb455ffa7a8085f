/// A small world for unit tests: a package, a node, a task, a stack. The objects are in the hands of
/// the test, so that every call can come from whom it likes. Ids are those that `vectors` were signed for.
#[test_only]
module atoma::world;

use atoma::db::{Self, AdminCap, AtomaDb};
use atoma::dispute;
use atoma::node::{Self, Node};
use atoma::settlement;
use atoma::stack::{Self, Stack};
use atoma::task::{Self, Task};
use atoma::vectors;
use std::string::String;
use std::unit_test;
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::random::{Self, Random};
use sui::test_scenario::{Self as ts, Scenario};
use usdc::usdc::USDC;
use walrus::blob::{Self, Blob};
use walrus::storage_resource;

const ADMIN: address = @0xad;
const OPERATOR: address = @0x0b;
const USER: address = @0x05;
const STRANGER: address = @0x99;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 86_400_000;
const START: u64 = 100 * 86_400_000;

const NODE_DIGEST: u8 = 0x11;
const TASK_DIGEST: u8 = 0x22;
const STACK_DIGEST: u8 = 0x33;
/// Digests of all other transactions begin here.
const FIRST_HINT: u64 = 1_000_000;

public struct World {
    s: Scenario,
    transactions: u64,
}

public fun admin(): address { ADMIN }

public fun operator(): address { OPERATOR }

public fun user(): address { USER }

public fun stranger(): address { STRANGER }

public fun hour(): u64 { HOUR }

public fun day(): u64 { DAY }

/// A fresh package whose nodes need 1000 of collateral.
public fun begin(): (World, AtomaDb, AdminCap, Clock) {
    let mut s = ts::begin(ADMIN);
    db::init_for_testing(s.ctx());
    s.next_tx(ADMIN);
    let mut db = s.take_shared<AtomaDb>();
    let cap = s.take_from_sender<AdminCap>();
    db.set_param(&cap, text(b"min_collateral"), 1_000);
    let mut clock = clock::create_for_testing(s.ctx());
    clock.set_for_testing(START);
    (World { s, transactions: FIRST_HINT }, db, cap, clock)
}

public fun text(bytes: vector<u8>): String { bytes.to_string() }

/// A transaction of this sender's.
public fun by(self: &mut World, sender: address): TxContext {
    self.transactions = self.transactions + 1;
    tx_context::new_from_hint(sender, self.transactions, 0, 0, 0)
}

public fun coin(self: &mut World, amount: u64): Coin<USDC> {
    coin::mint_for_testing(amount, &mut self.by(ADMIN))
}

/// What this account was paid since the last question.
public fun paid(self: &mut World, to: address): u64 {
    self.s.next_tx(to);
    let mut sum = 0;
    ts::ids_for_address<Coin<USDC>>(to).do!(|id| {
        let coin = ts::take_from_address_by_id<Coin<USDC>>(&self.s, to, id);
        sum = sum + coin.burn_for_testing();
    });
    sum
}

/// A node with 1000 of collateral.
public fun node(self: &mut World, db: &mut AtomaDb): Node {
    let collateral = self.coin(1_000);
    let ctx = &mut made_by(OPERATOR, NODE_DIGEST);
    node::register(db, collateral, text(b"http://192.0.2.1"), vectors::response_key(), vector[], ctx);
    self.s.next_tx(OPERATOR);
    self.s.take_shared()
}

/// A second node.
public fun other_node(self: &mut World, db: &mut AtomaDb): Node {
    let collateral = self.coin(1_000);
    let ctx = &mut self.by(OPERATOR);
    node::register(db, collateral, text(b"http://192.0.2.2"), vectors::response_key(), vector[], ctx);
    self.s.next_tx(OPERATOR);
    self.s.take_shared()
}

/// A task of the administrator's at this security level.
public fun task_of(self: &mut World, db: &mut AtomaDb, level: u8): Task {
    let ctx = &mut made_by(ADMIN, TASK_DIGEST);
    create(db, 0, b"tiny", level, 10_000_000, vector[1_000, 100, 1_000, 0, 0], 32, 0, 0, 0, 0, ctx);
    self.s.next_tx(ADMIN);
    self.s.take_shared()
}

public fun task(self: &mut World, db: &mut AtomaDb): Task { self.task_of(db, 0) }

/// A task, the model's hash of so many bytes.
public fun create(
    db: &mut AtomaDb,
    role: u8,
    name: vector<u8>,
    level: u8,
    ceiling: u64,
    weights: vector<u64>,
    hash_length: u64,
    numerics: u8,
    rule: u8,
    min_reputation: u64,
    allowed: u64,
    ctx: &mut TxContext,
) {
    let allow_list = if (allowed == 0) option::none()
    else option::some(vector::tabulate!(allowed, |_| object::id_from_address(@0x1)));
    let model = vector::tabulate!(hash_length, |_| 7);
    task::create(
        db,
        role,
        name.to_string(),
        level,
        ceiling,
        weights,
        model,
        numerics,
        rule,
        min_reputation,
        0,
        allow_list,
        ctx,
    );
}

/// The task that was just created.
public fun last_task(self: &mut World): Task {
    self.s.next_tx(ADMIN);
    self.s.take_shared()
}

/// A node that offers 10 000 units at a price of 1.
public fun serving(self: &mut World, db: &mut AtomaDb): (Task, Node) {
    let mut node = self.node(db);
    let mut task = self.task(db);
    task::subscribe(db, &mut task, &mut node, 1_000_000, 10_000, &self.by(OPERATOR));
    (task, node)
}

/// A stack of the user's: 1000 units at a price of 1.5 at most, for a day.
public fun stack(
    self: &mut World,
    db: &AtomaDb,
    task: &mut Task,
    selection: u8,
    clock: &Clock,
): Stack {
    let nodes = if (selection == 1) 1 else 0;
    let payment = self.coin(1_500);
    let ctx = &mut made_by(USER, STACK_DIGEST);
    acquire(db, task, payment, 1_000, 1_500_000, selection, nodes, DAY, clock, ctx);
    self.s.next_tx(USER);
    self.s.take_shared()
}

public fun acquire(
    db: &AtomaDb,
    task: &mut Task,
    payment: Coin<USDC>,
    units: u64,
    max_price: u64,
    selection: u8,
    nodes: u8,
    lifetime_ms: u64,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    stack::acquire_for_testing(
        db,
        task,
        payment,
        units,
        max_price,
        selection,
        nodes,
        vectors::request_key(),
        lifetime_ms,
        vectors::request_key(),
        clock,
        ctx,
    );
}

/// The node takes the grant of 100 units.
public fun lease(
    self: &mut World,
    db: &AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &Node,
    clock: &Clock,
) {
    let ctx = &self.by(OPERATOR);
    let (grant, signature) = (vectors::grant(), vectors::grant_signature());
    stack::lease(db, stack, task, node, grant, signature, clock, ctx);
}

/// The node settles both records, 100 units.
public fun settle(
    self: &mut World,
    db: &AtomaDb,
    stack: &mut Stack,
    node: &Node,
    root: vector<u8>,
    clock: &Clock,
) {
    settle_as(db, stack, node, 100, root, clock, &self.by(OPERATOR));
}

public fun settle_as(
    db: &AtomaDb,
    stack: &mut Stack,
    node: &Node,
    units: u64,
    root: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    settlement::settle(
        db,
        stack,
        node,
        units,
        vector[vectors::second_header()],
        vector[vectors::second_header_signature()],
        vectors::second_receipt(),
        vectors::second_receipt_signature(),
        root,
        2,
        vector[],
        clock,
        ctx,
    );
}

/// The node settles a lease that it never used.
public fun settle_nothing(
    db: &AtomaDb,
    stack: &mut Stack,
    node: &Node,
    clock: &Clock,
    ctx: &TxContext,
) {
    let zero = vector::tabulate!(32, |_| 0);
    settlement::settle(
        db,
        stack,
        node,
        0,
        vector[],
        vector[],
        vector[],
        vector[],
        zero,
        0,
        vector[],
        clock,
        ctx,
    );
}

/// The user demands a record, without a receipt.
public fun demand(self: &mut World, stack: &mut Stack, node: &Node, seq: u64, clock: &Clock) {
    let bond = self.coin(1_000_000);
    let ctx = &self.by(USER);
    dispute::missing_response(stack, node, bond, seq, vector[], vector[], clock, ctx);
}

/// A task, a node with a lease of 100 units on a stack, and the stack, settled with this root.
public fun settled(
    self: &mut World,
    db: &mut AtomaDb,
    root: vector<u8>,
    clock: &Clock,
): (Task, Node, Stack) {
    let (mut task, node) = self.serving(db);
    let mut stack = self.stack(db, &mut task, 2, clock);
    self.lease(db, &mut stack, &mut task, &node, clock);
    self.settle(db, &mut stack, &node, root, clock);
    (task, node, stack)
}

/// A blob that is stored until an epoch begins.
public fun blob(self: &mut World, certified: bool, end_epoch: u32, deletable: bool): Blob {
    let ctx = &mut self.by(OPERATOR);
    let storage = storage_resource::new_for_testing(0, end_epoch, 10_000, ctx);
    let certified = if (certified) option::some(1) else option::none();
    blob::new_for_testing(5, 5_000, certified, storage, deletable, ctx)
}

/// The ledger's beacon in its first round.
public fun beacon(self: &mut World): Random {
    self.s.next_tx(@0x0);
    random::create_for_testing(self.s.ctx());
    self.s.next_tx(@0x0);
    let mut beacon = self.s.take_shared<Random>();
    beacon.update_randomness_state_for_testing(0, vectors::request_key(), self.s.ctx());
    beacon
}

public fun end(self: World, db: AtomaDb, cap: AdminCap, clock: Clock) {
    unit_test::destroy(self);
    unit_test::destroy(db);
    unit_test::destroy(cap);
    unit_test::destroy(clock);
}

public fun end_all(
    self: World,
    db: AtomaDb,
    cap: AdminCap,
    clock: Clock,
    task: Task,
    node: Node,
    stack: Stack,
) {
    self.end(db, cap, clock);
    unit_test::destroy(task);
    unit_test::destroy(node);
    unit_test::destroy(stack);
}

fun made_by(sender: address, digest: u8): TxContext {
    tx_context::new(sender, vector::tabulate!(32, |_| digest), 0, 0, 0)
}
