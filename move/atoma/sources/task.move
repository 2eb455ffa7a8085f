/// Tasks, the nodes that offer to serve them, and those that promise to examine.
module atoma::task;

use atoma::bytes32::Bytes32;
use atoma::db::AtomaDb;
use atoma::draw;
use atoma::engine::{Self, EngineClass, UnitWeights};
use atoma::exam::Auditor;
use atoma::limits;
use atoma::money;
use atoma::node::{Self, Node};
use atoma::subscription::{Self, Subscription};
use atoma::terms;
use atoma::version;
use std::string::String;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
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
/// The node's collateral is below the task's minimum.
const ECollateralBelowTask: u64 = 316;
/// The node's reputation is below the task's minimum.
const EReputationBelowTask: u64 = 317;
/// The task has as many nodes as it can hold.
const ESubscriptionsFull: u64 = 318;
/// The node is not subscribed to the task.
const ENotSubscribed: u64 = 319;
/// The task has room: nobody need go.
const ESubscriptionsNotFull: u64 = 320;
/// The entry is neither suspended nor the smallest by a quarter below yours.
const ENotEvictable: u64 = 321;
/// The node attests in this task already.
const EAttestsAlready: u64 = 322;
/// The deposit must be exactly attest_deposit.
const EWrongDeposit: u64 = 325;
/// The task is not confidential: it needs no releases.
const ENotConfidential: u64 = 327;
/// The task has as many releases as it can hold.
const EReleasesFull: u64 = 328;
/// The task has no such release.
const ENoSuchRelease: u64 = 329;
/// The node attests no release of this task.
const ENotAttested: u64 = 330;
/// The task has this release already.
const EReleasedAlready: u64 = 331;
/// The node is subscribed already.
const ESubscribedAlready: u64 = 332;
/// The task has no fees to collect.
const ENoFees: u64 = 600;

/// About 200 bytes each with an attester's promise: a task stays far below the 250 KiB that an object may have.
const MAX_SUBSCRIPTIONS: u64 = 256;
/// Subscriptions whose place another has, and which stay for a duty of six days at most.
const MAX_EVICTED: u64 = 64;
const MAX_MODEL_NAME: u64 = 128;
/// It is read at every subscription.
const MAX_ALLOW_LIST: u64 = 64;
/// Current software, the one before, and some hardware.
const MAX_RELEASES: u64 = 16;
/// How long the pool of a deprecated task stays for its examinations; then it is the treasury's. Longer than its last stack
/// can: 366 days of life, 7 of grace, and at most 43 until its last jury is done.
const POOL_REST_MS: u64 = 43_200_000_000;

/// There are so many roles: chat completion, embedding, image generation, speech to text, text to
/// speech, fine-tuning, training, custom.
const ROLES: u8 = 8;
/// Security levels: none, sampling consensus, confidential compute, both.
const SECURITY_LEVELS: u8 = 4;
const SAMPLING: u8 = 1;
const CONFIDENTIAL: u8 = 2;
const SAMPLING_AND_CONFIDENTIAL: u8 = 3;

/// One model under one set of rules. Shared.
public struct Task has key {
    id: UID,
    version: u64,
    /// Small sequential number.
    number: u64,
    /// Who may deprecate it and list releases.
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
    /// Since when there are no new stacks, subscriptions or leases.
    deprecated_at_ms: Option<u64>,
    /// Protocol fees, fines of attesters and lost bonds, not yet swept into the treasury.
    fees: Balance<USDC>,
    /// Dues, which pay for examinations.
    dues: Balance<USDC>,
    /// Releases that nodes may attest, where it is confidential.
    releases: vector<Release>,
    /// The offers of the nodes that serve it, in the order in which they came.
    subscriptions: vector<Subscription>,
}

/// An image that the task's owner lets nodes run and attest.
public struct Release has copy, drop, store {
    /// Digest of the image with its measurements.
    digest: Bytes32,
    /// From when on it is good: everyone has the delay to look at it.
    from_ms: u64,
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

/// Somebody added to the pool of examinations.
public struct TaskFunded has copy, drop {
    task: ID,
    amount: u64,
    dues: u64,
}

/// A release will be good.
public struct ReleaseAnnounced has copy, drop {
    task: ID,
    release: Bytes32,
    from_ms: u64,
}

/// A release is no longer good.
public struct ReleaseWithdrawn has copy, drop {
    task: ID,
    release: Bytes32,
}

/// A node subscribed, or changed its price.
public struct Subscribed has copy, drop {
    task: ID,
    node: ID,
    price: u64,
}

/// A node is no longer subscribed.
public struct Unsubscribed has copy, drop {
    task: ID,
    node: ID,
    /// Whether another took its place.
    evicted: bool,
}

/// A node attests, was fined, was struck off, or resigned.
public struct AttesterChanged has copy, drop {
    task: ID,
    node: ID,
    active: bool,
    stake: u64,
}

/// Fees of an attester are its node's earnings.
public struct AttesterPaid has copy, drop {
    task: ID,
    node: ID,
    amount: u64,
}

// === what a task is ===

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
    let weights = engine::read_weights(&weights);
    let engine = engine::read(model, numerics, rule);
    assert!(min_reputation <= limits::max_reputation(), EMinReputationTooHigh);
    let short = allow_list.is_none() || allow_list.borrow().length() <= MAX_ALLOW_LIST;
    assert!(short, EAllowListTooLong);

    let id = object::new(ctx);
    let task = Task {
        number: db.add_task(id.to_inner(), model_name),
        id,
        version: version::current(),
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
        deprecated_at_ms: option::none(),
        fees: balance::zero(),
        dues: balance::zero(),
        releases: vector[],
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
public fun deprecate(db: &mut AtomaDb, task: &mut Task, clock: &Clock, ctx: &TxContext) {
    db.assert_current();
    task.assert_own(ctx);
    task.assert_live();
    task.deprecated_at_ms = option::some(clock.timestamp_ms());
    db.retire_task(task.model_name);
    event::emit(TaskDeprecated { task: object::id(task) });
}

/// Adds to the pool of examinations: a new one must hold some before examined stacks are sold.
public fun fund(self: &mut Task, payment: Coin<USDC>) {
    self.assert_current();
    terms::assert_samples(self.samples());
    let amount = payment.value();
    money::assert_added(amount);
    money::put(&mut self.dues, payment.into_balance());
    event::emit(TaskFunded { task: object::id(self), amount, dues: self.dues.value() });
}

// === releases ===

/// The owner announces a release that nodes of a confidential task may attest after the delay.
public fun release(
    db: &AtomaDb,
    task: &mut Task,
    release: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    task.assert_own(ctx);
    let release = node::read_release(release);
    assert!(task.is_confidential(), ENotConfidential);
    assert!(task.release_of(&release).is_none(), EReleasedAlready);
    assert!(task.releases.length() < MAX_RELEASES, EReleasesFull);
    let from_ms = money::saturating_add(clock.timestamp_ms(), db.params().release_delay_ms());
    task.releases.push_back(Release { digest: release, from_ms });
    event::emit(ReleaseAnnounced { task: object::id(task), release, from_ms });
}

/// The owner withdraws one. No further lease rests on it.
public fun withdraw_release(self: &mut Task, release: vector<u8>, ctx: &TxContext) {
    self.assert_own(ctx);
    let release = node::read_release(release);
    let place = self.release_of(&release);
    assert!(place.is_some(), ENoSuchRelease);
    self.releases.remove(place.destroy_some());
    event::emit(ReleaseWithdrawn { task: object::id(self), release });
}

// === offers ===

/// Subscribes a node, or changes its price. Leases keep the price that they began with.
public fun subscribe(
    db: &AtomaDb,
    task: &mut Task,
    node: &mut Node,
    price: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    task.assert_current();
    node.assert_own(ctx);
    let now = clock.timestamp_ms();
    task.assert_offer(db, node, price, now);
    let place = task.place(object::id(node));
    if (place.is_some()) {
        let subscription = &mut task.subscriptions[place.destroy_some()];
        subscription.assert_has_place();
        subscription.set_price(price);
        task.refresh(node, now);
        task.announce(node, price);
    } else {
        assert!(task.places() < MAX_SUBSCRIPTIONS, ESubscriptionsFull);
        task.add(node, price, now);
    }
}

/// Subscribes a node to a full task in another's place: a suspended one's, or that of the smallest, a quarter
/// below. Leases of who goes are not touched: they need no subscription.
public fun evict(
    db: &AtomaDb,
    task: &mut Task,
    node: &mut Node,
    evicted: &mut Node,
    price: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    task.assert_current();
    node.assert_own(ctx);
    evicted.assert_current();
    let now = clock.timestamp_ms();
    task.assert_offer(db, node, price, now);
    assert!(task.places() >= MAX_SUBSCRIPTIONS, ESubscriptionsNotFull);
    assert!(task.place(object::id(node)).is_none(), ESubscribedAlready);
    // who goes is judged by what it is, not by a copy
    task.refresh(evicted, now);
    let id = object::id(evicted);
    let old = &task.subscriptions[task.subscribed_at(id)];
    assert!(!old.is_evicted(), ENotSubscribed);
    let (matured, suspended, on_duty) = (old.matured(), !old.is_active(), old.is_on_duty());
    let smallest = task.subscriptions.all!(|other| {
        other.is_evicted() || matured <= other.matured()
    });
    let new = node.matured(now);
    let above = (new as u128) * 4 >= (matured as u128) * 5;
    assert!(suspended || (smallest && above && new > 0), ENotEvictable);
    if (on_duty) task.dismiss(id) else task.remove(evicted, true);
    task.add(node, price, now);
}

/// Leaves a task. Its leases go on.
public fun unsubscribe(self: &mut Task, node: &mut Node, ctx: &TxContext) {
    self.assert_current();
    node.assert_own(ctx);
    self.remove(node, false);
}

/// Copies a node's standing into a task. Anyone may.
public fun sync(self: &mut Task, node: &Node, clock: &Clock) {
    self.assert_current();
    node.assert_current();
    self.subscribed_at(object::id(node));
    self.refresh(node, clock.timestamp_ms());
}

// === promises to examine ===

/// A subscribed node promises to examine others. A deposit lies in the task itself, so that a fine needs no
/// further object and is always there to be taken.
public fun attest(
    db: &AtomaDb,
    task: &mut Task,
    node: &Node,
    deposit: Coin<USDC>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    db.assert_open();
    task.assert_current();
    node.assert_own(ctx);
    terms::assert_samples(task.samples());
    let now = clock.timestamp_ms();
    node.assert_active(now);
    assert!(deposit.value() == db.params().attest_deposit(), EWrongDeposit);
    let id = object::id(node);
    let place = task.subscribed_at(id);
    let subscription = &mut task.subscriptions[place];
    assert!(!subscription.attests(), EAttestsAlready);
    subscription.promise(deposit.into_balance(), now);
    task.attester_changed(id);
}

/// Ends the promise. Deposit and fees become the node's earnings. With a duty open, whoever can be drawn isn't any more,
/// and keeps its deposit here until the last one has ended: then it resigns again.
public fun resign(self: &mut Task, node: &mut Node, ctx: &TxContext) {
    self.assert_current();
    node.assert_own(ctx);
    let id = object::id(node);
    let place = self.subscribed_at(id);
    subscription::assert_attests(self.subscriptions[place].attests());
    if (self.subscriptions[place].is_drawn_on_duty()) self.strike(id)
    else self.release_attester(node);
}

/// Makes fees the node's earnings; of one that was evicted and has no duty any more, all that it has here. Anyone may.
public fun collect(self: &mut Task, node: &mut Node) {
    self.assert_current();
    node.assert_current();
    let id = object::id(node);
    let attester = self.attester(id);
    if (attester.is_evicted() && !attester.is_on_duty()) return self.release_attester(node);
    let earned = attester.take_earned();
    let amount = earned.value();
    assert!(amount > 0, ENoFees);
    node.earn(earned);
    event::emit(AttesterPaid { task: object::id(self), node: id, amount });
}

/// Takes a task over from an older version of the package. Anyone may, once the database went over.
public fun migrate(self: &mut Task, db: &AtomaDb) {
    db.assert_current();
    self.version = version::next(self.version);
}

// === what other modules work with ===

public(package) fun assert_current(self: &Task) {
    version::assert_current(self.version);
}

public(package) fun assert_live(self: &Task) {
    assert!(self.deprecated_at_ms.is_none(), ETaskDeprecated);
}

/// A task's own minimums.
public(package) fun assert_fits(self: &Task, node: &Node) {
    assert!(node.collateral() >= self.min_collateral, ECollateralBelowTask);
    assert!(node.reputation() >= self.min_reputation, EReputationBelowTask);
}

/// Where it is confidential, the node must run what its owner has released.
public(package) fun assert_attested(self: &Task, node: &Node, now: u64) {
    assert!(!self.is_confidential() || self.attested_until(node, now) >= now, ENotAttested);
}

public(package) fun price_ceiling(self: &Task): u64 { self.price_ceiling }

public(package) fun weights(self: &Task): UnitWeights { self.weights }

public(package) fun engine(self: &Task): EngineClass { self.engine }

/// Whether tickets are examined.
public(package) fun samples(self: &Task): bool {
    self.security_level == SAMPLING || self.security_level == SAMPLING_AND_CONFIDENTIAL
}

/// The price of a node's offer, which there must be.
public(package) fun price_of(self: &Task, node: ID): u64 {
    self.subscriptions[self.subscribed_at(node)].price()
}

/// The weight of every subscription in a draw of nodes that would serve at no more than `max_price`, and whether
/// any fits at all.
public(package) fun serving_weights(self: &Task, max_price: u64, now: u64): (vector<u128>, bool) {
    let attested_from = if (self.is_confidential()) now else 0;
    let (least, reputation) = (self.min_collateral, self.min_reputation);
    let mut anybody = false;
    let weights = self.subscriptions.map_ref!(|offer| {
        let weight = offer.weight_to_serve(max_price, least, reputation, attested_from);
        anybody = anybody || weight.is_some();
        weight.destroy_or!(0)
    });
    (weights, anybody)
}

/// The node at a place among the subscriptions.
public(package) fun node_at(self: &Task, place: u64): ID { self.subscriptions[place].node() }

/// The weight of every subscription in a draw, for a stack that was bought at such a time, of those who could be fined so
/// much and belong to none of these.
public(package) fun examining_weights(
    self: &Task,
    bought_at_ms: u64,
    fine: u64,
    but: &vector<address>,
): vector<u128> {
    self.subscriptions.map_ref!(|offer| offer.weight_to_examine(bought_at_ms, fine, but))
}

/// Draws so many attesters, of whom there are enough, and books a duty for each. The same work whoever it is.
public(package) fun pick(
    self: &mut Task,
    seed: &Bytes32,
    weights: vector<u128>,
    count: u64,
): vector<Auditor> {
    draw::draw(seed, weights, count).map!(|place| {
        let subscription = &mut self.subscriptions[place];
        subscription.begin_duty();
        subscription.auditor()
    })
}

/// Ends one duty of an attester.
public(package) fun end_duty(self: &mut Task, node: ID) { self.attester(node).end_duty(); }

/// Books a fee for an attester.
public(package) fun credit(self: &mut Task, node: ID, fee: Balance<USDC>) {
    self.attester(node).credit(fee);
}

/// Takes a fine out of an attester's stake, as far as it goes.
public(package) fun charge(self: &mut Task, node: ID, fine: u64): Balance<USDC> {
    let taken = self.attester(node).charge(fine);
    self.attester_changed(node);
    taken
}

/// Strikes an attester off that was silent, or leaves.
public(package) fun strike(self: &mut Task, node: ID) {
    self.place(node).do!(|place| self.subscriptions[place].strike());
    self.attester_changed(node);
}

public(package) fun dues(self: &Task): u64 { self.dues.value() }

public(package) fun put_due(self: &mut Task, due: Balance<USDC>) { money::put(&mut self.dues, due); }

/// Takes so much out of the pool, or what there is.
public(package) fun take_due(self: &mut Task, amount: u64): Balance<USDC> {
    money::take_up_to(&mut self.dues, amount)
}

public(package) fun put_fee(self: &mut Task, fee: Balance<USDC>) { money::put(&mut self.fees, fee); }

/// All fees, and the pool when no stack of the task can be left; there must be some. The pool isn't its owner's, who would
/// gain by ending what others use.
public(package) fun take_fees(self: &mut Task, now: u64): Balance<USDC> {
    let mut fees = self.fees.withdraw_all();
    let over = self.deprecated_at_ms.is_some_and!(|since| {
        now > money::saturating_add(*since, POOL_REST_MS)
    });
    if (over) money::put(&mut fees, self.dues.withdraw_all());
    assert!(fees.value() > 0, ENoFees);
    fees
}

/// Brings a subscription up to date with its node. Does nothing without one.
public(package) fun refresh(self: &mut Task, node: &Node, now: u64) {
    let fits = node.is_active(now)
        && node.collateral() >= self.min_collateral
        && node.reputation() >= self.min_reputation;
    let attested_until = self.attested_until(node, now);
    self.place(object::id(node)).do!(|place| {
        self.subscriptions[place].refresh(node, fits, attested_until, now)
    });
}

// === inside ===

/// The task is this version's, and the sender made it.
fun assert_own(self: &Task, ctx: &TxContext) {
    self.assert_current();
    assert!(self.owner == ctx.sender(), ENotTaskOwner);
}

fun assert_offer(self: &Task, db: &AtomaDb, node: &Node, price: u64, now: u64) {
    db.assert_open();
    self.assert_live();
    node.assert_active(now);
    let allowed = self.allow_list.is_none() || self.allow_list.borrow().contains(&object::id(node));
    assert!(allowed, ENodeNotAllowed);
    assert!(price > 0 && price <= self.price_ceiling, EPriceInvalid);
    self.assert_fits(node);
}

fun is_confidential(self: &Task): bool {
    self.security_level == CONFIDENTIAL || self.security_level == SAMPLING_AND_CONFIDENTIAL
}

fun release_of(self: &Task, digest: &Bytes32): Option<u64> {
    self.releases.find_index!(|release| &release.digest == digest)
}

/// Until when a node's attestation is good for a task, were nothing withdrawn; zero if it isn't good now.
fun attested_until(self: &Task, node: &Node, now: u64): u64 {
    let (digest, until) = node.attested();
    if (digest.is_none()) return 0;
    let digest = digest.destroy_some();
    let good = self.releases.any!(|release| {
        release.digest == digest && release.from_ms <= now
    });
    if (good) until else 0
}

fun place(self: &Task, node: ID): Option<u64> {
    self.subscriptions.find_index!(|subscription| subscription.node() == node)
}

fun subscribed_at(self: &Task, node: ID): u64 {
    let place = self.place(node);
    assert!(place.is_some(), ENotSubscribed);
    place.destroy_some()
}

/// The subscription of an attester.
fun attester(self: &mut Task, node: ID): &mut Subscription {
    let place = self.place(node);
    subscription::assert_attests(place.is_some());
    let subscription = &mut self.subscriptions[place.destroy_some()];
    subscription::assert_attests(subscription.attests());
    subscription
}

fun add(self: &mut Task, node: &mut Node, price: u64, now: u64) {
    self.subscriptions.push_back(subscription::open(node, price));
    self.refresh(node, now);
    node.add_subscription();
    self.announce(node, price);
}

/// How many subscriptions have a place: all that weren't evicted.
fun places(self: &Task): u64 {
    self.subscriptions.count!(|offer| !offer.is_evicted())
}

/// Takes the place of who has a duty: it is drawn no more, and unsubscribes once the last one is over.
fun dismiss(self: &mut Task, node: ID) {
    let evicted = self.subscriptions.length() - self.places();
    subscription::assert_room_for_evicted(evicted < MAX_EVICTED);
    let place = self.subscribed_at(node);
    self.subscriptions[place].dismiss();
    self.strike(node);
    event::emit(Unsubscribed { task: object::id(self), node, evicted: true });
}

fun remove(self: &mut Task, node: &mut Node, evicted: bool) {
    let id = object::id(node);
    let place = self.subscribed_at(id);
    let told = self.subscriptions[place].is_evicted();
    self.release_attester(node);
    // who was evicted left with its promise
    if (told) return;
    self.subscriptions.remove(place).close();
    node.remove_subscription();
    event::emit(Unsubscribed { task: object::id(self), node: id, evicted });
}

/// Gives an attester all that it has in the task, if it is one and has no duty. Of one that was evicted nothing is left here.
fun release_attester(self: &mut Task, node: &mut Node) {
    let id = object::id(node);
    let place = self.subscribed_at(id);
    let subscription = &mut self.subscriptions[place];
    if (!subscription.attests()) return;
    let all = subscription.resign();
    let amount = all.value();
    node.earn(all);
    event::emit(AttesterPaid { task: object::id(self), node: id, amount });
    if (!self.subscriptions[place].is_evicted()) return;
    self.subscriptions.remove(place).close();
    node.remove_subscription();
}

fun announce(self: &Task, node: &Node, price: u64) {
    event::emit(Subscribed { task: object::id(self), node: object::id(node), price });
}

fun attester_changed(self: &Task, node: ID) {
    let place = self.place(node);
    let (active, stake) = if (place.is_some()) self.subscriptions[place.destroy_some()].promised()
    else (false, 0);
    event::emit(AttesterChanged { task: object::id(self), node, active, stake });
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut Task, version: u64) { self.version = version; }

#[test_only]
/// Fills the list up with offers of nodes that aren't there, each of an owner of its own, a `step` larger than the
/// one before, and attesting with this deposit.
public(package) fun fill_for_testing(self: &mut Task, matured: u64, step: u64, deposit: u64) {
    while (self.subscriptions.length() < MAX_SUBSCRIPTIONS) {
        let place = self.subscriptions.length();
        let other = sui::address::from_u256(1_000_000 + (place as u256));
        let matured = matured + step * place;
        self.subscriptions.push_back(
            subscription::new_for_testing(
                other.to_id(),
                other,
                matured,
                balance::create_for_testing(deposit),
            ),
        );
    }
}
