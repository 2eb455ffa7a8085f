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
/// | objects: list of (kind, text | id address | BLAKE2b-256 of its BCS, 32)
/// ```
///
/// A difference aborts with `step * 10 + what`, steps counted from 1.
#[test_only]
module atoma::player;

use atoma::audit;
use atoma::db::{Self, AdminCap, AtomaDb};
use atoma::dispute;
use atoma::node::{Self, Node};
use atoma::settlement;
use atoma::stack::{Self, Stack};
use atoma::task::{Self, Task};
use atoma::treasury;
use std::string::String;
use sui::bcs::{Self, BCS};
use sui::clock::{Self, Clock};
use sui::coin::{Self, Coin};
use sui::event;
use sui::hash;
use sui::test_scenario::{Self as ts, Scenario};
use usdc::usdc::USDC;

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

/// What is expected of a call.
const MUST_ABORT: u8 = 1;
const NO_MATTER: u8 = 2;
const DIGEST_BYTES: u64 = 32;
/// Of the database's bytes: where ids of its own stand, which the recorder's database has made up.
const DB_IDS: vector<u64> = vector[0, 273, 313, 353];
const ID_BYTES: u64 = 32;

/// Plays a scenario from a fresh package of this administrator's on.
public fun play(admin: address, steps: vector<vector<u8>>) {
    let mut s = ts::begin(admin);
    db::init_for_testing(s.ctx());
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
        assert!(hash::blake2b256(&object_bytes(s, &kind, id, at)) == expected, at + OBJECT);
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

fun run(self: &mut Call, s: &mut Scenario, function: &vector<u8>, at: u64) {
    if (function == b"db::set_param") self.db_set_param(s)
    else if (function == b"db::set_development") self.db_set_development(s)
    else if (function == b"node::register") self.node_register(s)
    else if (function == b"node::set_url") self.node_set_url(s)
    else if (function == b"node::set_keys") self.node_set_keys(s)
    else if (function == b"node::attest") self.node_attest(s)
    else if (function == b"node::add_collateral") self.node_add_collateral(s)
    else if (function == b"node::begin_unbonding") self.node_begin_unbonding(s)
    else if (function == b"node::leave") self.node_leave(s)
    else if (function == b"node::withdraw") self.node_withdraw(s)
    else if (function == b"node::pardon") self.node_pardon(s)
    else if (function == b"node::forfeit") self.node_forfeit(s)
    else if (function == b"task::create") self.task_create(s)
    else if (function == b"task::deprecate") self.task_deprecate(s)
    else if (function == b"task::fund") self.task_fund(s)
    else if (function == b"task::release") self.task_release(s)
    else if (function == b"task::withdraw_release") self.task_withdraw_release(s)
    else if (function == b"task::subscribe") self.task_subscribe(s)
    else if (function == b"task::evict") self.task_evict(s)
    else if (function == b"task::unsubscribe") self.task_unsubscribe(s)
    else if (function == b"task::sync") self.task_sync(s)
    else if (function == b"task::attest") self.task_attest(s)
    else if (function == b"task::resign") self.task_resign(s)
    else if (function == b"task::collect") self.task_collect(s)
    else if (function == b"stack::acquire") self.stack_acquire(s)
    else if (function == b"stack::lease") self.stack_lease(s)
    else if (function == b"stack::release") self.stack_release(s)
    else if (function == b"stack::top_up") self.stack_top_up(s)
    else if (function == b"stack::extend") self.stack_extend(s)
    else if (function == b"stack::set_watcher") self.stack_set_watcher(s)
    else if (function == b"stack::revoke") self.stack_revoke(s)
    else if (function == b"stack::begin_close") self.stack_begin_close(s)
    else if (function == b"stack::withdraw") self.stack_withdraw(s)
    else if (function == b"settlement::settle") self.settlement_settle(s)
    else if (function == b"settlement::claim") self.settlement_claim(s)
    else if (function == b"settlement::expire") self.settlement_expire(s)
    else if (function == b"dispute::demand") self.dispute_demand(s)
    else if (function == b"dispute::answer") self.dispute_answer(s)
    else if (function == b"dispute::silence") self.dispute_silence(s)
    else if (function == b"dispute::equivocation") self.dispute_equivocation(s)
    else if (function == b"audit::draw") self.audit_draw(s)
    else if (function == b"audit::examine") self.audit_examine(s)
    else if (function == b"audit::disclose") self.audit_disclose(s)
    else if (function == b"audit::verdict") self.audit_verdict(s)
    else if (function == b"audit::challenge") self.audit_challenge(s)
    else if (function == b"audit::jury") self.audit_jury(s)
    else if (function == b"audit::disclose_jury") self.audit_disclose_jury(s)
    else if (function == b"audit::commit") self.audit_commit(s)
    else if (function == b"audit::reveal") self.audit_reveal(s)
    else if (function == b"audit::decide") self.audit_decide(s)
    else if (function == b"audit::undisclosed") self.audit_undisclosed(s)
    else if (function == b"treasury::collect_fees") self.treasury_collect_fees(s)
    else if (function == b"treasury::report") self.treasury_report(s)
    else if (function == b"treasury::pay") self.treasury_pay(s)
    else abort at + UNKNOWN
}

fun db_set_param(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    self.id();
    let cap = s.take_from_sender<AdminCap>();
    let name = self.text();
    let value = self.number();
    db::set_param(&mut db, &cap, name, value);
    ts::return_shared(db);
    s.return_to_sender(cap);
}

fun db_set_development(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    self.id();
    let cap = s.take_from_sender<AdminCap>();
    db::set_development(&mut db, &cap);
    ts::return_shared(db);
    s.return_to_sender(cap);
}

fun node_register(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let collateral = self.payment(s);
    let url = self.text();
    let response_key = self.bytes();
    let sealing_key = self.bytes();
    node::register(
        &mut db,
        collateral,
        url,
        response_key,
        sealing_key,
        &self.clock,
        &mut self.ctx(),
    );
    ts::return_shared(db);
}

fun node_set_url(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let url = self.text();
    node::set_url(&mut node, url, &self.ctx());
    ts::return_shared(node);
}

fun node_set_keys(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let response_key = self.bytes();
    let sealing_key = self.bytes();
    node::set_keys(&mut node, response_key, sealing_key, &self.ctx());
    ts::return_shared(node);
}

fun node_attest(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let kind = self.byte();
    let release = self.bytes();
    let evidence = self.args.peel_u256();
    let expires_at_ms = self.number();
    node::attest(&mut node, kind, release, evidence, expires_at_ms, &self.ctx());
    ts::return_shared(node);
}

fun node_add_collateral(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    let collateral = self.payment(s);
    node::add_collateral(&db, &mut node, collateral, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(node);
}

fun node_begin_unbonding(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    node::begin_unbonding(&mut node, &self.clock, &self.ctx());
    ts::return_shared(node);
}

fun node_leave(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    node::leave(&mut node, &self.clock, &self.ctx());
    ts::return_shared(node);
}

fun node_withdraw(self: &mut Call, s: &mut Scenario) {
    let mut node = take<Node>(s, self.id());
    let to = self.args.peel_address();
    node::withdraw(&mut node, to, &mut self.ctx());
    ts::return_shared(node);
}

fun node_pardon(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    self.id();
    let cap = s.take_from_sender<AdminCap>();
    let mut node = take<Node>(s, self.id());
    let amount = self.number();
    node::pardon(&db, &cap, &mut node, amount, &self.clock);
    ts::return_shared(db);
    s.return_to_sender(cap);
    ts::return_shared(node);
}

fun node_forfeit(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    node::forfeit(&mut db, &mut node, &self.clock);
    ts::return_shared(db);
    ts::return_shared(node);
}

fun task_create(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let role = self.byte();
    let model_name = self.text();
    let security_level = self.byte();
    let price_ceiling = self.number();
    let weights = self.args.peel_vec_u64();
    let model = self.bytes();
    let numerics = self.byte();
    let rule = self.byte();
    let min_reputation = self.number();
    let min_collateral = self.number();
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

fun task_deprecate(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    task::deprecate(&mut db, &mut task, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(task);
}

fun task_fund(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let payment = self.payment(s);
    task::fund(&mut task, payment);
    ts::return_shared(task);
}

fun task_release(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let release = self.bytes();
    task::release(&db, &mut task, release, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(task);
}

fun task_withdraw_release(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let release = self.bytes();
    task::withdraw_release(&mut task, release, &self.ctx());
    ts::return_shared(task);
}

fun task_subscribe(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let price = self.number();
    task::subscribe(&db, &mut task, &mut node, price, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun task_evict(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let mut evicted = take<Node>(s, self.id());
    let price = self.number();
    task::evict(&db, &mut task, &mut node, &mut evicted, price, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(task);
    ts::return_shared(node);
    ts::return_shared(evicted);
}

fun task_unsubscribe(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    task::unsubscribe(&mut task, &mut node, &self.ctx());
    ts::return_shared(task);
    ts::return_shared(node);
}

fun task_sync(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let node = take<Node>(s, self.id());
    task::sync(&mut task, &node, &self.clock);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun task_attest(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    let node = take<Node>(s, self.id());
    let deposit = self.payment(s);
    task::attest(&db, &mut task, &node, deposit, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun task_resign(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    task::resign(&mut task, &mut node, &self.ctx());
    ts::return_shared(task);
    ts::return_shared(node);
}

fun task_collect(self: &mut Call, s: &mut Scenario) {
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    task::collect(&mut task, &mut node);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun stack_acquire(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let task = take<Task>(s, self.id());
    let payment = self.payment(s);
    let total_units = self.number();
    let max_price = self.number();
    let nodes = self.byte();
    let request_key = self.bytes();
    let lifetime_ms = self.number();
    let seed = self.bytes();
    stack::acquire_for_testing(
        &db,
        &task,
        payment,
        total_units,
        max_price,
        nodes,
        request_key,
        lifetime_ms,
        seed,
        &self.clock,
        &mut self.ctx(),
    );
    ts::return_shared(db);
    ts::return_shared(task);
}

fun stack_lease(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let grant = self.bytes();
    let signature = self.bytes();
    stack::lease(&db, &mut stack, &task, &mut node, grant, signature, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun stack_release(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let units = self.number();
    stack::release(&mut stack, &mut node, units, &self.clock, &self.ctx());
    ts::return_shared(stack);
    ts::return_shared(node);
}

fun stack_top_up(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let task = take<Task>(s, self.id());
    let payment = self.payment(s);
    let units = self.number();
    stack::top_up(&mut stack, &task, payment, units, &self.clock, &self.ctx());
    ts::return_shared(stack);
    ts::return_shared(task);
}

fun stack_extend(self: &mut Call, s: &mut Scenario) {
    let db = take<AtomaDb>(s, self.db());
    let mut stack = take<Stack>(s, self.id());
    let by_ms = self.number();
    stack::extend(&db, &mut stack, by_ms, &self.clock, &self.ctx());
    ts::return_shared(db);
    ts::return_shared(stack);
}

fun stack_set_watcher(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let watcher = self.args.peel_option!(|args| args.peel_address());
    stack::set_watcher(&mut stack, watcher, &self.ctx());
    ts::return_shared(stack);
}

fun stack_revoke(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    stack::revoke(&mut stack, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun stack_begin_close(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    stack::begin_close(&mut stack, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun stack_withdraw(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let to = self.args.peel_address();
    stack::withdraw(&mut stack, to, &mut self.ctx());
    ts::return_shared(stack);
}

fun settlement_settle(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let from_seq = self.number();
    let to_units = self.number();
    let to_seq = self.number();
    let headers = self.args.peel_vec_vec_u8();
    let header_signatures = self.args.peel_vec_vec_u8();
    let last_receipt = self.bytes();
    let receipt_signature = self.bytes();
    let manifest_blob = self.bytes();
    settlement::settle(
        &mut stack,
        holder,
        from_seq,
        to_units,
        to_seq,
        headers,
        header_signatures,
        last_receipt,
        receipt_signature,
        manifest_blob,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(stack);
}

fun settlement_claim(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    settlement::claim(&mut stack, &mut task, &mut node, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun settlement_expire(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut node = take<Node>(s, self.id());
    settlement::expire(&mut stack, &mut node, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(node);
}

fun dispute_demand(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let unit = self.number();
    let fee = self.payment(s);
    dispute::demand(&mut stack, holder, unit, fee, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun dispute_answer(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let unit = self.number();
    let record = self.bytes();
    let proof = self.bytes();
    let blob = self.bytes();
    let bodies = self.bytes();
    dispute::answer(&mut stack, holder, unit, record, proof, blob, bodies, &self.clock);
    ts::return_shared(stack);
}

fun dispute_silence(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let unit = self.number();
    dispute::silence(&mut stack, &mut task, &mut node, unit, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun dispute_equivocation(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let first = self.bytes();
    let first_signature = self.bytes();
    let second = self.bytes();
    let second_signature = self.bytes();
    dispute::equivocation(
        &mut stack,
        &mut task,
        &mut node,
        first,
        first_signature,
        second,
        second_signature,
        &self.clock,
    );
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun audit_draw(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let seed = self.bytes();
    audit::draw_for_testing(&mut stack, holder, ticket, seed);
    ts::return_shared(stack);
}

fun audit_examine(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let seed = self.bytes();
    audit::examine_for_testing(&mut stack, &mut task, holder, ticket, seed, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
}

fun audit_disclose(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let record = self.bytes();
    let proof = self.bytes();
    let wrap = self.bytes();
    audit::disclose(&mut stack, holder, ticket, record, proof, wrap, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun audit_verdict(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let bad = self.args.peel_bool();
    let bond = self.payment(s);
    audit::verdict(&mut stack, holder, ticket, bad, bond, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun audit_challenge(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let bond = self.payment(s);
    let unit = self.number();
    audit::challenge(&mut stack, holder, ticket, bond, unit, &self.clock, &self.ctx());
    ts::return_shared(stack);
}

fun audit_jury(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let challenge = self.args.peel_bool();
    let seed = self.bytes();
    audit::jury_for_testing(&mut stack, &mut task, holder, ticket, challenge, seed, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
}

fun audit_disclose_jury(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let challenge = self.args.peel_bool();
    let record = self.bytes();
    let proof = self.bytes();
    let wraps = self.args.peel_vec_vec_u8();
    audit::disclose_jury(
        &mut stack,
        holder,
        ticket,
        challenge,
        record,
        proof,
        wraps,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(stack);
}

fun audit_commit(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let challenge = self.args.peel_bool();
    let juror = self.id();
    let commitment = self.bytes();
    audit::commit(
        &mut stack,
        holder,
        ticket,
        challenge,
        juror,
        commitment,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(stack);
}

fun audit_reveal(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let holder = self.id();
    let ticket = self.number();
    let challenge = self.args.peel_bool();
    let juror = self.id();
    let verdict = self.byte();
    let digest = self.bytes();
    let salt = self.bytes();
    audit::reveal(
        &mut stack,
        holder,
        ticket,
        challenge,
        juror,
        verdict,
        digest,
        salt,
        &self.clock,
        &self.ctx(),
    );
    ts::return_shared(stack);
}

fun audit_decide(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    let ticket = self.number();
    let challenge = self.args.peel_bool();
    audit::decide(&mut stack, &mut task, &mut node, ticket, challenge, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun audit_undisclosed(self: &mut Call, s: &mut Scenario) {
    let mut stack = take<Stack>(s, self.id());
    let mut task = take<Task>(s, self.id());
    let mut node = take<Node>(s, self.id());
    audit::undisclosed(&mut stack, &mut task, &mut node, &self.clock);
    ts::return_shared(stack);
    ts::return_shared(task);
    ts::return_shared(node);
}

fun treasury_collect_fees(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut task = take<Task>(s, self.id());
    treasury::collect_fees(&mut db, &mut task, &self.clock);
    ts::return_shared(db);
    ts::return_shared(task);
}

fun treasury_report(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    treasury::report(&mut db, &mut node, &self.clock);
    ts::return_shared(db);
    ts::return_shared(node);
}

fun treasury_pay(self: &mut Call, s: &mut Scenario) {
    let mut db = take<AtomaDb>(s, self.db());
    let mut node = take<Node>(s, self.id());
    treasury::pay(&mut db, &mut node, &self.clock);
    ts::return_shared(db);
    ts::return_shared(node);
}

// === objects ===

/// The only database: the recorded id is another.
fun db(self: &mut Call): ID {
    self.id();
    ts::most_recent_id_shared<AtomaDb>().destroy_some()
}

fun take<T: key>(s: &Scenario, id: ID): T { ts::take_shared_by_id(s, id) }

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
    else if (name == b"db::DevelopmentSet") nth<db::DevelopmentSet>(place)
    else if (name == b"node::NodeRegistered") nth<node::NodeRegistered>(place)
    else if (name == b"node::NodeMoved") nth<node::NodeMoved>(place)
    else if (name == b"node::NodeKeysChanged") nth<node::NodeKeysChanged>(place)
    else if (name == b"node::NodeAttested") nth<node::NodeAttested>(place)
    else if (name == b"node::CollateralAdded") nth<node::CollateralAdded>(place)
    else if (name == b"node::NodeStatusChanged") nth<node::NodeStatusChanged>(place)
    else if (name == b"node::NodeLeft") nth<node::NodeLeft>(place)
    else if (name == b"node::EarningsWithdrawn") nth<node::EarningsWithdrawn>(place)
    else if (name == b"node::FinesPardoned") nth<node::FinesPardoned>(place)
    else if (name == b"node::FinesForfeited") nth<node::FinesForfeited>(place)
    else if (name == b"task::TaskCreated") nth<task::TaskCreated>(place)
    else if (name == b"task::TaskDeprecated") nth<task::TaskDeprecated>(place)
    else if (name == b"task::TaskFunded") nth<task::TaskFunded>(place)
    else if (name == b"task::ReleaseAnnounced") nth<task::ReleaseAnnounced>(place)
    else if (name == b"task::ReleaseWithdrawn") nth<task::ReleaseWithdrawn>(place)
    else if (name == b"task::Subscribed") nth<task::Subscribed>(place)
    else if (name == b"task::Unsubscribed") nth<task::Unsubscribed>(place)
    else if (name == b"task::AttesterChanged") nth<task::AttesterChanged>(place)
    else if (name == b"task::AttesterPaid") nth<task::AttesterPaid>(place)
    else if (name == b"stack::StackAcquired") nth<stack::StackAcquired>(place)
    else if (name == b"stack::Leased") nth<stack::Leased>(place)
    else if (name == b"stack::UnitsReleased") nth<stack::UnitsReleased>(place)
    else if (name == b"stack::ToppedUp") nth<stack::ToppedUp>(place)
    else if (name == b"stack::ExpiryChanged") nth<stack::ExpiryChanged>(place)
    else if (name == b"stack::WatcherSet") nth<stack::WatcherSet>(place)
    else if (name == b"stack::UngrantedRevoked") nth<stack::UngrantedRevoked>(place)
    else if (name == b"stack::FreeWithdrawn") nth<stack::FreeWithdrawn>(place)
    else if (name == b"stack::LeaseClosed") nth<stack::LeaseClosed>(place)
    else if (name == b"settlement::SettlementOpened") nth<settlement::SettlementOpened>(place)
    else if (name == b"settlement::Claimed") nth<settlement::Claimed>(place)
    else if (name == b"dispute::RecordDemanded") nth<dispute::RecordDemanded>(place)
    else if (name == b"dispute::DemandAnswered") nth<dispute::DemandAnswered>(place)
    else if (name == b"dispute::NodeConvicted") nth<dispute::NodeConvicted>(place)
    else if (name == b"audit::TicketDrawn") nth<audit::TicketDrawn>(place)
    else if (name == b"audit::ExaminerDrawn") nth<audit::ExaminerDrawn>(place)
    else if (name == b"audit::Unexamined") nth<audit::Unexamined>(place)
    else if (name == b"audit::Disclosed") nth<audit::Disclosed>(place)
    else if (name == b"audit::VerdictGiven") nth<audit::VerdictGiven>(place)
    else if (name == b"audit::Challenged") nth<audit::Challenged>(place)
    else if (name == b"audit::JuryDrawn") nth<audit::JuryDrawn>(place)
    else if (name == b"audit::DisclosedToJury") nth<audit::DisclosedToJury>(place)
    else if (name == b"audit::Committed") nth<audit::Committed>(place)
    else if (name == b"audit::Revealed") nth<audit::Revealed>(place)
    else if (name == b"audit::JuryDecided") nth<audit::JuryDecided>(place)
    else if (name == b"treasury::FeesCollected") nth<treasury::FeesCollected>(place)
    else if (name == b"treasury::FeesReported") nth<treasury::FeesReported>(place)
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
