/// Tasks and the nodes that offer to serve them.
module atoma::task;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::draw;
use atoma::limits;
use atoma::money;
use atoma::node::Node;
use atoma::version;
use std::string::String;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::event;
use usdc::usdc::USDC;

/// Only the task's owner may do this.
const ENotTaskOwner: u64 = 300;
/// This version knows no such role.
const ERoleUnknown: u64 = 301;
/// This version knows no such security level.
const ESecurityLevelUnknown: u64 = 302;
/// The model's name must have 1 to 128 bytes.
const EModelNameInvalid: u64 = 303;
/// The price ceiling is zero.
const EPriceCeilingZero: u64 = 304;
/// There must be five unit weights, none above 2^40 and not all zero.
const EWeightsInvalid: u64 = 305;
/// The model's content hash must have 32 bytes.
const EModelHashInvalid: u64 = 306;
/// This version knows no such numerics.
const ENumericsUnknown: u64 = 307;
/// This version knows no such comparison rule.
const ERuleUnknown: u64 = 308;
/// The exact rule needs deterministic numerics.
const ERuleUnfit: u64 = 309;
/// Reputation ends at 1000.
const EMinReputationTooHigh: u64 = 310;
/// The allow-list is too long.
const EAllowListTooLong: u64 = 311;
/// The task takes no new business.
const ETaskDeprecated: u64 = 312;
/// The task's allow-list does not name this node.
const ENodeNotAllowed: u64 = 313;
/// The price must be at least 1 and at most the task's ceiling.
const EPriceInvalid: u64 = 314;
/// The capacity must be 1 to 2^50 units.
const ECapacityInvalid: u64 = 315;
/// The node's collateral is below the task's minimum.
const ECollateralBelowTask: u64 = 316;
/// The node's reputation is below the task's minimum.
const EReputationBelowTask: u64 = 317;
/// The task has as many nodes as it can hold.
const ESubscriptionsFull: u64 = 318;
/// The node is not subscribed to the task.
const ENotSubscribed: u64 = 319;
/// The node's subscription takes no new units.
const ESubscriptionNotActive: u64 = 427;
/// The node has not enough free capacity.
const ECapacityExceeded: u64 = 429;

/// About 130 bytes each: a task stays far below the 250 KiB that an object may have.
const MAX_SUBSCRIPTIONS: u64 = 256;
/// Thousandths of a unit that one thing may cost: a billion units.
const MAX_WEIGHT: u64 = 1 << 40;
const WEIGHTS: u64 = 5;
/// Weights are in thousandths of a unit.
const WEIGHT_SCALE: u256 = 1_000;
const MAX_MODEL_NAME: u64 = 128;
/// It is read at every subscription.
const MAX_ALLOW_LIST: u64 = 64;
const MAX_U64: u256 = 18_446_744_073_709_551_615;

/// There are so many roles: chat completion, embedding, image generation, speech to text, text to
/// speech, fine-tuning, training, custom.
const ROLES: u8 = 8;
/// Security levels: none, sampling consensus, confidential compute, both.
const SECURITY_LEVELS: u8 = 4;
const SAMPLING: u8 = 1;
const CONFIDENTIAL: u8 = 2;
const SAMPLING_AND_CONFIDENTIAL: u8 = 3;
/// Numerics: deterministic in f32, deterministic in bf16, tolerant.
const NUMERICS: u8 = 3;
const TOLERANT_NUMERICS: u8 = 2;
/// Rules: exact, tolerant.
const RULES: u8 = 2;
const TOLERANT_RULE: u8 = 1;

/// One model under one set of rules. Shared.
public struct Task has key {
    id: UID,
    /// Small sequential number.
    number: u64,
    /// Who may deprecate it.
    owner: address,
    /// What it computes.
    role: u8,
    /// The model's name, as requests give it.
    model_name: String,
    /// How it is secured.
    security_level: u8,
    /// No subscription and no stack may be above this price.
    price_ceiling: u64,
    /// What things cost in units.
    weights: UnitWeights,
    /// What a verifier must run.
    engine: EngineClass,
    /// Nodes below it get no new leases.
    min_reputation: u64,
    /// Nodes below it get no new leases.
    min_collateral: u64,
    /// Nodes that may subscribe; everyone if absent.
    allow_list: Option<vector<ID>>,
    /// No new stacks, subscriptions or leases.
    deprecated: bool,
    /// Protocol fees not yet swept into the treasury.
    fees: Balance<USDC>,
    /// The nodes, in the order in which they came.
    subscriptions: vector<Subscription>,
}

/// Thousandths of a unit that one of each thing costs.
public struct UnitWeights has copy, drop, store {
    input: u64,
    cached_input: u64,
    output: u64,
    image_step: u64,
    audio_second: u64,
}

/// What a verifier must run to reproduce an answer.
public struct EngineClass has copy, drop, store {
    model: Bytes32,
    numerics: u8,
    rule: u8,
}

/// A node's offer. Collateral and reputation are copies, so that drawing loads no node; every
/// settlement refreshes them, and `sync` does for anyone.
public struct Subscription has copy, drop, store {
    node: ID,
    price: u64,
    /// Units it is willing to have under lease at once.
    capacity: u64,
    /// Units under lease now.
    leased: u64,
    /// Leases not yet closed.
    open_leases: u64,
    collateral: u64,
    reputation: u64,
    state: SubscriptionState,
}

/// Whether a subscription takes new leases.
public enum SubscriptionState has copy, drop, store {
    /// It does.
    Active,
    /// The node is jailed or unbonding.
    Suspended,
    /// The node left the task; the entry goes when its last lease closes.
    Leaving,
}

/// A task was created.
public struct TaskCreated has copy, drop {
    task: ID,
    number: u64,
    owner: address,
    role: u8,
    model_name: String,
    security_level: u8,
    price_ceiling: u64,
}

/// A task takes no new business.
public struct TaskDeprecated has copy, drop { task: ID }

/// A node subscribed, or changed price or capacity.
public struct Subscribed has copy, drop {
    task: ID,
    node: ID,
    price: u64,
    capacity: u64,
}

/// A node takes no new leases of the task.
public struct Unsubscribed has copy, drop {
    task: ID,
    node: ID,
}

/// Creates a task of the sender's. Anyone may.
public fun create(
    db: &mut AtomaDb,
    role: u8,
    model_name: String,
    security_level: u8,
    price_ceiling: u64,
    weights: vector<u64>,
    model: vector<u8>,
    numerics: u8,
    rule: u8,
    min_reputation: u64,
    min_collateral: u64,
    allow_list: Option<vector<ID>>,
    ctx: &mut TxContext,
) {
    db.assert_current();
    db.assert_open();
    assert!(role < ROLES, ERoleUnknown);
    assert!(security_level < SECURITY_LEVELS, ESecurityLevelUnknown);
    let name_length = model_name.length();
    assert!(name_length >= 1 && name_length <= MAX_MODEL_NAME, EModelNameInvalid);
    assert!(price_ceiling > 0, EPriceCeilingZero);
    let weights = read_weights(&weights);
    let engine = read_engine(model, numerics, rule);
    assert!(min_reputation <= limits::max_reputation(), EMinReputationTooHigh);
    let short = allow_list.is_none() || allow_list.borrow().length() <= MAX_ALLOW_LIST;
    assert!(short, EAllowListTooLong);

    let id = object::new(ctx);
    let task = Task {
        number: db.add_task(id.to_inner(), model_name),
        id,
        owner: ctx.sender(),
        role,
        model_name,
        security_level,
        price_ceiling,
        weights,
        engine,
        min_reputation,
        min_collateral,
        allow_list,
        deprecated: false,
        fees: balance::zero(),
        subscriptions: vector[],
    };
    event::emit(TaskCreated {
        task: object::id(&task),
        number: task.number,
        owner: task.owner,
        role,
        model_name,
        security_level,
        price_ceiling,
    });
    transfer::share_object(task);
}

/// Ends new business on a task; what is sold already is served and settled.
public fun deprecate(db: &mut AtomaDb, task: &mut Task, ctx: &TxContext) {
    db.assert_current();
    task.assert_current();
    assert!(task.owner == ctx.sender(), ENotTaskOwner);
    task.assert_live();
    task.deprecated = true;
    db.retire_task(task.model_name);
    event::emit(TaskDeprecated { task: object::id(task) });
}

/// Subscribes a node, or changes its price and capacity; a node that was leaving is back.
public fun subscribe(
    db: &AtomaDb,
    task: &mut Task,
    node: &mut Node,
    price: u64,
    capacity: u64,
    ctx: &TxContext,
) {
    db.assert_current();
    db.assert_open();
    task.assert_current();
    node.assert_current();
    node.assert_owner(ctx);
    task.assert_live();
    node.assert_marked_active();
    let id = object::id(node);
    let allowed = task.allow_list.is_none() || task.allow_list.borrow().contains(&id);
    assert!(allowed, ENodeNotAllowed);
    assert!(price > 0 && price <= task.price_ceiling, EPriceInvalid);
    assert!(capacity > 0 && capacity <= limits::max_units(), ECapacityInvalid);
    task.assert_fits(node);

    let place = task.place(id);
    if (place.is_some()) {
        let subscription = &mut task.subscriptions[place.destroy_some()];
        subscription.price = price;
        subscription.capacity = capacity;
        subscription.state = SubscriptionState::Active;
        subscription.copy_standing(node);
    } else {
        assert!(task.subscriptions.length() < MAX_SUBSCRIPTIONS, ESubscriptionsFull);
        task.subscriptions.push_back(Subscription {
            node: id,
            price,
            capacity,
            leased: 0,
            open_leases: 0,
            collateral: node.collateral(),
            reputation: node.reputation(),
            state: SubscriptionState::Active,
        });
        node.add_subscription();
    };
    event::emit(Subscribed { task: object::id(task), node: id, price, capacity });
}

/// Leaves a task: at once without open leases, else with the last of them.
public fun unsubscribe(self: &mut Task, node: &mut Node, ctx: &TxContext) {
    self.assert_current();
    node.assert_current();
    node.assert_owner(ctx);
    self.subscription_mut(object::id(node)).state = SubscriptionState::Leaving;
    self.remove_if_gone(node);
    event::emit(Unsubscribed { task: object::id(self), node: object::id(node) });
}

/// Copies a node's standing into a task, and lifts a jail whose time is over: for that any task will do,
/// as a node that left all of them has no other way out. Anyone may.
public fun sync(self: &mut Task, node: &mut Node, clock: &Clock) {
    self.assert_current();
    node.assert_current();
    let now = clock.timestamp_ms();
    let lifted = node.lift_jail(now);
    assert!(lifted || self.place(object::id(node)).is_some(), ENotSubscribed);
    self.refresh(node, now);
}

/// Takes a task over from an older version of the package. Anyone may.
public fun migrate(self: &mut Task) {
    version::migrate(&mut self.id);
}

// === what other modules work with ===

public(package) fun assert_current(self: &Task) {
    version::assert_current(&self.id);
}

public(package) fun assert_live(self: &Task) {
    assert!(!self.deprecated, ETaskDeprecated);
}

/// A task's own minimums.
public(package) fun assert_fits(self: &Task, node: &Node) {
    assert!(node.collateral() >= self.min_collateral, ECollateralBelowTask);
    assert!(node.reputation() >= self.min_reputation, EReputationBelowTask);
}

public(package) fun price_ceiling(self: &Task): u64 { self.price_ceiling }

/// Whether audits are drawn, and the surcharge is escrowed.
public(package) fun samples(self: &Task): bool {
    self.security_level == SAMPLING || self.security_level == SAMPLING_AND_CONFIDENTIAL
}

/// The weight of every subscription in a draw of nodes that can be given at least `units` at no more
/// than `max_price`, and whether any fits at all. Confidential tasks need a live attestation; none can
/// be registered yet, so nobody fits them.
public(package) fun draw_weights(
    self: &Task,
    max_price: u64,
    units: u64,
    collateral_cap: u64,
): (vector<u128>, bool) {
    let confidential = self.security_level == CONFIDENTIAL
        || self.security_level == SAMPLING_AND_CONFIDENTIAL;
    let mut anybody = false;
    let weights = self.subscriptions.map_ref!(|offer| {
        let free = offer.free_capacity();
        let fits = !confidential
            && offer.state == SubscriptionState::Active
            && offer.price <= max_price
            && offer.collateral >= self.min_collateral
            && offer.reputation >= self.min_reputation
            && free >= units;
        anybody = anybody || fits;
        if (fits) draw::weight(offer.collateral, collateral_cap, offer.reputation, free) else 0
    });
    (weights, anybody)
}

/// The node at a place among the subscriptions.
public(package) fun node_at(self: &Task, place: u64): ID { self.subscriptions[place].node }

/// Books units under a node's subscription, which must be there, be active and have room.
public(package) fun occupy(self: &mut Task, node: ID, units: u64) {
    let subscription = self.subscription_mut(node);
    assert!(subscription.state == SubscriptionState::Active, ESubscriptionNotActive);
    assert!(subscription.free_capacity() >= units, ECapacityExceeded);
    subscription.leased = subscription.leased + units;
}

/// Counts a new lease of a node that is subscribed; its price is the subscription's.
public(package) fun begin_lease(self: &mut Task, node: ID): u64 {
    let subscription = self.subscription_mut(node);
    subscription.open_leases = subscription.open_leases + 1;
    subscription.price
}

/// Gives a closed lease's units back to the node's capacity. The subscription is there as long as it
/// has an open lease; should it be missing all the same, the money still moves.
public(package) fun end_lease(self: &mut Task, node: ID, units: u64) {
    self.place(node).do!(|place| {
        let subscription = &mut self.subscriptions[place];
        subscription.leased = money::saturating_sub(subscription.leased, units);
        subscription.open_leases = money::saturating_sub(subscription.open_leases, 1);
    });
}

/// Brings a subscription up to date with its node, and removes it if it has left and nothing is
/// leased. Does nothing without a subscription.
public(package) fun refresh(self: &mut Task, node: &mut Node, now: u64) {
    self.place(object::id(node)).do!(|place| {
        let subscription = &mut self.subscriptions[place];
        subscription.copy_standing(node);
        if (subscription.state != SubscriptionState::Leaving) {
            subscription.state = if (node.is_active(now)) SubscriptionState::Active
            else SubscriptionState::Suspended;
        };
    });
    self.remove_if_gone(node);
}

/// What this usage costs: `ceil(sum of weight * count / 1000)`; nothing if it is more than any receipt
/// can say.
public(package) fun tariff(self: &Task, usage: &vector<u64>): Option<u64> {
    let weights = &self.weights;
    let weights = vector[
        weights.input,
        weights.cached_input,
        weights.output,
        weights.image_step,
        weights.audio_second,
    ];
    let mut total = 0u256;
    weights.zip_do_ref!(usage, |weight, count| total = total + (*weight as u256) * (*count as u256));
    let units = total.divide_and_round_up(WEIGHT_SCALE);
    if (units <= MAX_U64) option::some(units as u64) else option::none()
}

public(package) fun put_fee(self: &mut Task, fee: Balance<USDC>) {
    money::put(&mut self.fees, fee);
}

public(package) fun take_fees(self: &mut Task): Balance<USDC> { self.fees.withdraw_all() }

// === inside ===

fun place(self: &Task, node: ID): Option<u64> {
    self.subscriptions.find_index!(|subscription| subscription.node == node)
}

fun subscription_mut(self: &mut Task, node: ID): &mut Subscription {
    let place = self.place(node);
    assert!(place.is_some(), ENotSubscribed);
    &mut self.subscriptions[place.destroy_some()]
}

fun free_capacity(self: &Subscription): u64 {
    money::saturating_sub(self.capacity, self.leased)
}

fun copy_standing(self: &mut Subscription, node: &Node) {
    self.collateral = node.collateral();
    self.reputation = node.reputation();
}

fun remove_if_gone(self: &mut Task, node: &mut Node) {
    self.place(object::id(node)).do!(|place| {
        let subscription = &self.subscriptions[place];
        if (subscription.state == SubscriptionState::Leaving && subscription.open_leases == 0) {
            self.subscriptions.remove(place);
            node.remove_subscription();
        }
    });
}

fun read_weights(list: &vector<u64>): UnitWeights {
    let fit = list.length() == WEIGHTS
        && list.all!(|weight| *weight <= MAX_WEIGHT)
        && list.any!(|weight| *weight > 0);
    assert!(fit, EWeightsInvalid);
    UnitWeights {
        input: list[0],
        cached_input: list[1],
        output: list[2],
        image_step: list[3],
        audio_second: list[4],
    }
}

/// One differing bit is proof only where two honest runs never differ, so the exact rule needs one of
/// the deterministic numerics.
fun read_engine(model: vector<u8>, numerics: u8, rule: u8): EngineClass {
    let model = bytes32::read(model);
    assert!(model.is_some(), EModelHashInvalid);
    assert!(numerics < NUMERICS, ENumericsUnknown);
    assert!(rule < RULES, ERuleUnknown);
    assert!(rule == TOLERANT_RULE || numerics != TOLERANT_NUMERICS, ERuleUnfit);
    EngineClass { model: model.destroy_some(), numerics, rule }
}

#[test_only]
public(package) fun uid_for_testing(self: &mut Task): &mut UID { &mut self.id }

#[test_only]
/// Fills the list up with offers of a node that isn't there.
public(package) fun fill_for_testing(self: &mut Task, node: ID) {
    while (self.subscriptions.length() < MAX_SUBSCRIPTIONS) {
        self.subscriptions.push_back(Subscription {
            node,
            price: 1_000_000,
            capacity: 1_000,
            leased: 0,
            open_leases: 0,
            collateral: 1_000,
            reputation: 500,
            state: SubscriptionState::Active,
        });
    }
}

#[test_only]
public(package) fun subscriptions_for_testing(self: &Task): u64 { self.subscriptions.length() }

#[test_only]
public(package) fun set_min_reputation_for_testing(self: &mut Task, least: u64) {
    self.min_reputation = least;
}

#[test_only]
public(package) fun set_min_collateral_for_testing(self: &mut Task, least: u64) {
    self.min_collateral = least;
}
