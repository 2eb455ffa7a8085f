/// Plays recorded scenarios: each step is a call with what the Rust contract made of it, and everything
/// that can be seen of the package must be the same: the events' bytes, the payouts, the objects' bytes.
///
/// A step is its parts' BCS one after the other, as `xtask/move/conformance.mjs` writes it:
///
/// ```text
/// sender address | now u64 | transaction digest 32 | ids made before u64 | function, text | arguments
/// | what is expected, u8: 0 all that follows, 1 an abort, 2 nothing: another scenario looks at it
/// | events: list of (type, text | place among those of its type u64 | BCS, bytes)
/// | payouts: list of (to address | amount u64)
/// | objects: list of (kind, text | id address | SHA-256 of its BCS, 32)
/// ```
///
/// A difference aborts with `step * 10 + what`, steps counted from 1.
#[test_only]
module atoma::player;

use atoma::db::{Self, AdminCap, AtomaDb};
use atoma::dispute;
use atoma::node::{Self, Node};
use atoma::settlement;
use atoma::stack::{Self, Stack};
use atoma::task::{Self, Task};
use atoma::treasury;
use std::hash;
use std::string::String;
use std::unit_test;
use sui::bcs::{Self, BCS};
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::event;
use sui::test_scenario::{Self as ts, Scenario};
use usdc::usdc::USDC;
use walrus::blob::{Self, Blob};
use walrus::storage_resource;

/// The call had to abort and did not.
const NO_ABORT: u64 = 1;
/// Another number of events.
const EVENT_COUNT: u64 = 2;
/// Another event.
const EVENT: u64 = 3;
/// Another number of payouts.
const PAYOUT_COUNT: u64 = 4;
/// Another payout.
const PAYOUT: u64 = 5;
/// Another object.
const OBJECT: u64 = 6;
/// Bytes of the step are left over: the recorder and the player don't agree.
const LEFT_OVER: u64 = 7;
/// The player knows no such function, event or kind.
const UNKNOWN: u64 = 8;

/// What the recorder's worlds begin with.
const MIN_COLLATERAL: u64 = 1_000;
/// What is expected of a call.
const MUST_ABORT: u8 = 1;
const NO_MATTER: u8 = 2;
const DIGEST_BYTES: u64 = 32;
/// Of the database's bytes: where ids of its own stand, which the recorder's database has made up.
const DB_IDS: vector<u64> = vector[0, 216, 256, 296];
const ID_BYTES: u64 = 32;

/// Plays a scenario from a fresh package of this administrator's on.
public fun play(admin: address, steps: vector<vector<u8>>) {
    let mut s = ts::begin(admin);
    db::init_for_testing(s.ctx());
    s.next_tx(admin);
    let mut db = s.take_shared<AtomaDb>();
    let cap = s.take_from_sender<AdminCap>();
    db.set_param(&cap, b"min_collateral".to_string(), MIN_COLLATERAL);
    ts::return_shared(db);
    s.return_to_sender(cap);
    let mut number = 0;
    steps.do!(|bytes| {
        number = number + 1;
        step(&mut s, bcs::new(bytes), number * 10);
    });
    s.end();
}

fun step(s: &mut Scenario, mut step: BCS, at: u64) {
    let sender = step.peel_address();
    s.next_tx(sender);
    let mut clock = clock::create_for_testing(s.ctx());
    clock.set_for_testing(step.peel_u64());
    let digest = vector::tabulate!(DIGEST_BYTES, |_| step.peel_u8());
    let created = step.peel_u64();
    let function = step.peel_vec_u8();
    let mut call = Call { sender, digest, created, clock, args: step };
    call.run(s, &function, at);
    let Call { clock, args: mut step, .. } = call;
    clock.destroy_for_testing();

    let expected = step.peel_u8();
    assert!(expected != MUST_ABORT, at + NO_ABORT);
    if (expected == NO_MATTER) return;
    let events = step.peel_vec_length();
    assert!(event::num_events() as u64 == events, at + EVENT_COUNT);
    events.do!(|_| {
        let name = step.peel_vec_u8();
        let place = step.peel_u64();
        let expected = step.peel_vec_u8();
        assert!(event_bytes(&name, place, at) == expected, at + EVENT);
    });
    let effects = s.next_tx(sender);
    let payouts = step.peel_vec!(|step| Payout { to: step.peel_address(), amount: step.peel_u64() });
    let (moved, _) = effects.transferred_to_account().into_keys_values();
    // a right that was only shown came back to its owner
    let rights = ts::ids_for_address<AdminCap>(sender);
    assert!(moved.count!(|id| !rights.contains(id)) == payouts.length(), at + PAYOUT_COUNT);
    take_payouts(s, payouts, at);
    step.peel_vec_length().do!(|_| {
        let kind = step.peel_vec_u8();
        let id = step.peel_address().to_id();
        let expected = vector::tabulate!(DIGEST_BYTES, |_| step.peel_u8());
        assert!(hash::sha2_256(object_bytes(s, &kind, id, at)) == expected, at + OBJECT);
    });
    assert!(step.into_remainder_bytes().is_empty(), at + LEFT_OVER);
}

/// A call under way: its arguments are read one by one.
public struct Call {
    sender: address,
    digest: vector<u8>,
    created: u64,
    clock: Clock,
    args: BCS,
}

fun id(self: &mut Call): ID { self.args.peel_address().to_id() }

fun text(self: &mut Call): String { self.args.peel_vec_u8().to_string() }

fun bytes(self: &mut Call): vector<u8> { self.args.peel_vec_u8() }

fun number(self: &mut Call): u64 { self.args.peel_u64() }

fun byte(self: &mut Call): u8 { self.args.peel_u8() }

fun payment(self: &mut Call, s: &mut Scenario): Coin<USDC> {
    coin::mint_for_testing(self.args.peel_u64(), s.ctx())
}

/// The recorded transaction's context, so that new ids are the recorded ones. To be called last
/// before the call: it changes the VM's own.
fun ctx(self: &Call): TxContext {
    tx_context::new(self.sender, self.digest, 0, 0, self.created)
}

/// A blob as it was when the call was recorded.
fun blob(self: &mut Call, s: &mut Scenario): Blob {
    let args = &mut self.args;
    let blob_id = args.peel_u256();
    let size = args.peel_u64();
    let certified = args.peel_option!(|args| args.peel_u32());
    let end_epoch = args.peel_u32();
    let deletable = args.peel_bool();
    let storage = storage_resource::new_for_testing(0, end_epoch, size, s.ctx());
    blob::new_for_testing(blob_id, size, certified, storage, deletable, s.ctx())
}

fun run(self: &mut Call, s: &mut Scenario, function: &vector<u8>, at: u64) {
    if (function == b"db::set_param") self.set_param(s)
    else if (function == b"node::register") self.register(s)
    else if (function == b"node::set_url") self.set_url(s)
    else if (function == b"node::add_collateral") self.add_collateral(s)
    else if (function == b"node::begin_unbonding") self.begin_unbonding(s)
    else if (function == b"node::withdraw_collateral") self.withdraw_collateral(s)
    else if (function == b"task::create") self.create(s)
    else if (function == b"task::deprecate") self.deprecate(s)
    else if (function == b"task::subscribe") self.subscribe(s)
    else if (function == b"task::unsubscribe") self.unsubscribe(s)
    else if (function == b"task::sync") self.sync(s)
    else if (function == b"stack::acquire") self.acquire(s)
    else if (function == b"stack::lease") self.lease(s)
    else if (function == b"stack::top_up") self.top_up(s)
    else if (function == b"stack::extend") self.extend(s)
    else if (function == b"stack::revoke_ungranted") self.revoke_ungranted(s)
    else if (function == b"stack::begin_close") self.begin_close(s)
    else if (function == b"stack::close_after_expiry") self.close_after_expiry(s)
    else if (function == b"settlement::settle") self.settle(s)
    else if (function == b"settlement::claim") self.claim(s)
    else if (function == b"settlement::expire_lease") self.expire_lease(s)
    else if (function == b"dispute::missing_response") self.missing_response(s)
    else if (function == b"dispute::answer") self.answer(s)
    else if (function == b"dispute::resolve") self.resolve(s)
    else if (function == b"dispute::equivocation") self.equivocation(s)
    else if (function == b"dispute::over_claim") self.over_claim(s)
    else if (function == b"dispute::forged_request") self.forged_request(s)
    else if (function == b"treasury::collect_fees") self.collect_fees(s)
    else if (function == b"treasury::report_units") self.report_units(s)
    else if (function == b"treasury::pay") self.pay(s)
    else abort at + UNKNOWN
}

fun set_param(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    self.id();
    let cap = s.take_from_sender<AdminCap>();
    let name = self.text();
    db.set_param(&cap, name, self.number());
    s.return_to_sender(cap);
    ts::return_shared(db);
}

fun register(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let payment = self.payment(s);
    let (url, key, sealing) = (self.text(), self.bytes(), self.bytes());
    node::register(&mut db, payment, url, key, sealing, &mut self.ctx());
    ts::return_shared(db);
}

fun set_url(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let url = self.text();
    node.set_url(url, &self.ctx());
    ts::return_shared(node);
}

fun add_collateral(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let payment = self.payment(s);
    node.add_collateral(payment, &self.ctx());
    ts::return_shared(node);
}

fun begin_unbonding(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    node::begin_unbonding(&db, &mut node, &self.clock, &self.ctx());
    ts::return_shared(node);
    ts::return_shared(db);
}

fun withdraw_collateral(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    node.withdraw_collateral(&self.clock, &mut self.ctx());
    ts::return_shared(node);
}

fun create(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let (role, model_name, security_level) = (self.byte(), self.text(), self.byte());
    let (price_ceiling, weights, model) = (
        self.number(),
        self.args.peel_vec_u64(),
        self.bytes(),
    );
    let (numerics, rule) = (self.byte(), self.byte());
    let (min_reputation, min_collateral) = (self.number(), self.number());
    let allow_list = self.args.peel_option!(|args| {
        args.peel_vec!(|args| args.peel_address().to_id())
    });
    task::create(
        &mut db,
        role,
        model_name,
        security_level,
        price_ceiling,
        weights,
        model,
        numerics,
        rule,
        min_reputation,
        min_collateral,
        allow_list,
        &mut self.ctx(),
    );
    ts::return_shared(db);
}

fun deprecate(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    task::deprecate(&mut db, &mut task, &self.ctx());
    ts::return_shared(task);
    ts::return_shared(db);
}

fun subscribe(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let (price, capacity) = (self.number(), self.number());
    task::subscribe(&db, &mut task, &mut node, price, capacity, &self.ctx());
    ts::return_shared(node);
    ts::return_shared(task);
    ts::return_shared(db);
}

fun unsubscribe(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    task.unsubscribe(&mut node, &self.ctx());
    ts::return_shared(node);
    ts::return_shared(task);
}

fun sync(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    task.sync(&mut node, &self.clock);
    ts::return_shared(node);
    ts::return_shared(task);
}

fun acquire(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let payment = self.payment(s);
    let (units, max_price) = (self.number(), self.number());
    let (selection, nodes) = (self.byte(), self.byte());
    let (key, lifetime_ms, seed) = (self.bytes(), self.number(), self.bytes());
    stack::acquire_for_testing(
        &db,
        &mut task,
        payment,
        units,
        max_price,
        selection,
        nodes,
        key,
        lifetime_ms,
        seed,
        &self.clock,
        &mut self.ctx(),
    );
    ts::return_shared(task);
    ts::return_shared(db);
}

fun lease(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let node = take<Node>(s, self.id());
    let (grant, signature) = (self.bytes(), self.bytes());
    stack::lease(
        &db,
        &mut stack,
        &mut task,
        &node,
        grant,
        signature,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(node);
    ts::return_shared(task);
    ts::return_shared(stack);
    ts::return_shared(db);
}

fun top_up(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let payment = self.payment(s);
    let units = self.number();
    stack.top_up(&mut task, payment, units, &self.clock, &self.ctx());
    ts::return_shared(task);
    ts::return_shared(stack);
}

fun extend(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let by_ms = self.number();
    stack::extend(&db, &mut stack, by_ms, &self.clock, &self.ctx());
    ts::return_shared(stack);
    ts::return_shared(db);
}

fun revoke_ungranted(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    stack.revoke_ungranted(&mut self.ctx());
    ts::return_shared(stack);
}

fun begin_close(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    stack.begin_close(&self.clock, &mut self.ctx());
    ts::return_shared(stack);
}

fun close_after_expiry(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    stack.close_after_expiry(&self.clock, &mut self.ctx());
    ts::return_shared(stack);
}

fun settle(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let node = take<Node>(s, self.id());
    let claimed_units = self.number();
    let (headers, signatures) = (self.args.peel_vec_vec_u8(), self.args.peel_vec_vec_u8());
    let (receipt, signature, root) = (self.bytes(), self.bytes(), self.bytes());
    let (count, manifest) = (self.number(), self.bytes());
    settlement::settle(
        &db,
        &mut stack,
        &node,
        claimed_units,
        headers,
        signatures,
        receipt,
        signature,
        root,
        count,
        manifest,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(node);
    ts::return_shared(stack);
    ts::return_shared(db);
}

fun claim(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    settlement::claim(&db, &mut stack, &mut task, &mut node, &self.clock, &mut self.ctx());
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun expire_lease(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    settlement::expire_lease(&db, &mut stack, &mut task, &mut node, &self.clock, &mut self.ctx());
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun missing_response(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let node = take<Node>(s, self.id());
    let bond = self.payment(s);
    let (seq, receipt, signature) = (self.number(), self.bytes(), self.bytes());
    dispute::missing_response(
        &mut stack,
        &node,
        bond,
        seq,
        receipt,
        signature,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(node);
    ts::return_shared(stack);
}

fun answer(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let node = take<Node>(s, self.id());
    let blob = self.blob(s);
    let (record, proof) = (self.bytes(), self.bytes());
    dispute::answer(
        &db,
        &mut stack,
        &node,
        &blob,
        record,
        proof,
        &self.clock,
        &mut self.ctx(),
    );
    unit_test::destroy(blob);
    ts::return_shared(node);
    ts::return_shared(stack);
    ts::return_shared(db);
}

fun resolve(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    let seq = self.number();
    dispute::resolve(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        seq,
        &self.clock,
        &mut self.ctx(),
    );
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun equivocation(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    let (first, first_signature) = (self.bytes(), self.bytes());
    let (second, second_signature) = (self.bytes(), self.bytes());
    dispute::equivocation(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        first,
        first_signature,
        second,
        second_signature,
        &self.clock,
        &mut self.ctx(),
    );
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun over_claim(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    let (receipt, receipt_signature) = (self.bytes(), self.bytes());
    let (header, header_signature) = (self.bytes(), self.bytes());
    dispute::over_claim(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        receipt,
        receipt_signature,
        header,
        header_signature,
        &self.clock,
        &mut self.ctx(),
    );
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun forged_request(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let (mut stack, mut task, mut node) = self.parties(s);
    let (record, proof) = (self.bytes(), self.bytes());
    dispute::forged_request(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        record,
        proof,
        &self.clock,
        &mut self.ctx(),
    );
    give_back(stack, task, node);
    ts::return_shared(db);
}

fun collect_fees(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    treasury::collect_fees(&mut db, &mut task);
    ts::return_shared(task);
    ts::return_shared(db);
}

fun report_units(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    treasury::report_units(&mut db, &mut node, &self.clock);
    ts::return_shared(node);
    ts::return_shared(db);
}

fun pay(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let node = take<Node>(s, self.id());
    treasury::pay(&mut db, &node, &self.clock, &mut self.ctx());
    ts::return_shared(node);
    ts::return_shared(db);
}

// === objects ===

/// The only database: the recorded id is another.
fun db(self: &mut Call): ID {
    self.id();
    ts::most_recent_id_shared<AtomaDb>().destroy_some()
}

fun take<T: key>(s: &Scenario, id: ID): T { ts::take_shared_by_id(s, id) }

fun parties(self: &mut Call, s: &mut Scenario): (Stack, Task, Node) {
    let stack = take<Stack>(s, self.id());
    let task = take<Task>(s, self.id());
    (stack, task, take<Node>(s, self.id()))
}

fun give_back(stack: Stack, task: Task, node: Node) {
    ts::return_shared(node);
    ts::return_shared(task);
    ts::return_shared(stack);
}

// === what is compared ===

/// Money that an account must have got.
public struct Payout has copy, drop {
    to: address,
    amount: u64,
}

/// Takes the coins of all who were paid: they must be just these.
fun take_payouts(s: &Scenario, mut payouts: vector<Payout>, at: u64) {
    while (!payouts.is_empty()) {
        let to = payouts[0].to;
        ts::ids_for_address<Coin<USDC>>(to).do!(|id| {
            let coin = ts::take_from_address_by_id<Coin<USDC>>(s, to, id);
            let amount = coin.burn_for_testing();
            let place = payouts.find_index!(|payout| payout == Payout { to, amount });
            assert!(place.is_some(), at + PAYOUT);
            payouts.swap_remove(place.destroy_some());
        });
        assert!(payouts.all!(|payout| payout.to != to), at + PAYOUT);
    }
}

fun event_bytes(name: &vector<u8>, place: u64, at: u64): vector<u8> {
    if (name == b"db::ParamSet") nth<db::ParamSet>(place)
    else if (name == b"node::NodeRegistered") nth<node::NodeRegistered>(place)
    else if (name == b"node::NodeMoved") nth<node::NodeMoved>(place)
    else if (name == b"node::CollateralAdded") nth<node::CollateralAdded>(place)
    else if (name == b"node::NodeStatusChanged") nth<node::NodeStatusChanged>(place)
    else if (name == b"node::NodeLeft") nth<node::NodeLeft>(place)
    else if (name == b"task::TaskCreated") nth<task::TaskCreated>(place)
    else if (name == b"task::TaskDeprecated") nth<task::TaskDeprecated>(place)
    else if (name == b"task::Subscribed") nth<task::Subscribed>(place)
    else if (name == b"task::Unsubscribed") nth<task::Unsubscribed>(place)
    else if (name == b"stack::StackAcquired") nth<stack::StackAcquired>(place)
    else if (name == b"stack::Leased") nth<stack::Leased>(place)
    else if (name == b"stack::ToppedUp") nth<stack::ToppedUp>(place)
    else if (name == b"stack::ExpiryChanged") nth<stack::ExpiryChanged>(place)
    else if (name == b"stack::UngrantedRevoked") nth<stack::UngrantedRevoked>(place)
    else if (name == b"stack::StackClosed") nth<stack::StackClosed>(place)
    else if (name == b"settlement::SettlementOpened") nth<settlement::SettlementOpened>(place)
    else if (name == b"settlement::Claimed") nth<settlement::Claimed>(place)
    else if (name == b"settlement::LeaseExpired") nth<settlement::LeaseExpired>(place)
    else if (name == b"dispute::DisputeOpened") nth<dispute::DisputeOpened>(place)
    else if (name == b"dispute::DisputeAnswered") nth<dispute::DisputeAnswered>(place)
    else if (name == b"dispute::NodeConvicted") nth<dispute::NodeConvicted>(place)
    else if (name == b"treasury::FeesCollected") nth<treasury::FeesCollected>(place)
    else if (name == b"treasury::UnitsReported") nth<treasury::UnitsReported>(place)
    else if (name == b"treasury::TreasuryPaid") nth<treasury::TreasuryPaid>(place)
    else abort at + UNKNOWN
}

/// BCS of an event among those of its type; nothing if there are fewer.
fun nth<T: copy + drop>(place: u64): vector<u8> {
    let events = event::events_by_type<T>();
    if (place < events.length()) std::bcs::to_bytes(&events[place]) else vector[]
}

fun object_bytes(s: &Scenario, kind: &vector<u8>, id: ID, at: u64): vector<u8> {
    if (kind == b"node::Node") bytes_of<Node>(s, id)
    else if (kind == b"task::Task") bytes_of<Task>(s, id)
    else if (kind == b"stack::Stack") bytes_of<Stack>(s, id)
    else if (kind == b"db::AtomaDb") {
        let mut bytes = bytes_of<AtomaDb>(s, ts::most_recent_id_shared<AtomaDb>().destroy_some());
        DB_IDS.do!(|from| ID_BYTES.do!(|i| *&mut bytes[from + i] = 0));
        bytes
    } else abort at + UNKNOWN
}

fun bytes_of<T: key>(s: &Scenario, id: ID): vector<u8> {
    let object = take<T>(s, id);
    let bytes = std::bcs::to_bytes(&object);
    ts::return_shared(object);
    bytes
}
