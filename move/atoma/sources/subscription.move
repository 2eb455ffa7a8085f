/// A node's offer in a task, and its promise to examine others there.
module atoma::subscription;

use atoma::draw;
use atoma::exam::{Self, Auditor};
use atoma::money;
use atoma::node::Node;
use sui::balance::{Self, Balance};
use usdc::usdc::USDC;

/// The node does not attest in this task.
const ENotAttesting: u64 = 323;
/// The node was drawn to examine somebody, and that ticket hasn't ended.
const EDutyOpen: u64 = 324;

/// Owner, collateral, reputation and attestation are copies, so that drawing loads no node; claims and
/// convictions refresh them, and `task::sync` does for anyone.
public struct Subscription has store {
    node: ID,
    /// The node's owner, who never changes.
    owner: address,
    price: u64,
    /// Copy of the node's matured collateral.
    matured: u64,
    /// Copy of the node's reputation.
    reputation: u64,
    /// Until when the node's attestation is good for this task; zero without.
    attested_until_ms: u64,
    state: SubscriptionState,
    /// Its promise to examine others, if it made one.
    attester: Option<Attester>,
}

/// Whether a subscription takes new leases. A copy: what binds reads the node.
public enum SubscriptionState has copy, drop, store {
    /// It is drawn.
    Active,
    /// The node was not active, or below the task's minimums, when it was last looked at.
    Suspended,
    /// Another node has its place. Its promise stays until its last duty is over, and leaves with it.
    Evicted,
}

/// A promise to examine others' answers, with money of its own behind it.
public struct Attester has store {
    /// Whether it is drawn: since it enrolled it was silent on no duty, and hasn't resigned.
    active: bool,
    /// What is left of its deposit; fines come out of it.
    stake: Balance<USDC>,
    /// Fees not yet collected.
    earned: Balance<USDC>,
    /// Duties not yet over; with one its deposit stays.
    duties: u64,
    /// When it was made: it is drawn for stacks that were bought then or later.
    since_ms: u64,
}

public(package) fun open(node: &Node, price: u64): Subscription {
    Subscription {
        node: object::id(node),
        owner: node.owner(),
        price,
        matured: 0,
        reputation: 0,
        attested_until_ms: 0,
        state: SubscriptionState::Active,
        attester: option::none(),
    }
}

/// Ends it; there is no promise any more.
public(package) fun close(self: Subscription) {
    let Subscription { attester, .. } = self;
    attester.destroy_none();
}

/// Brings it up to date with its node.
public(package) fun refresh(
    self: &mut Subscription,
    node: &Node,
    fits: bool,
    attested_until_ms: u64,
    now: u64,
) {
    self.matured = node.matured(now);
    self.reputation = node.reputation();
    self.attested_until_ms = attested_until_ms;
    if (self.is_evicted()) return;
    self.state = if (fits) SubscriptionState::Active else SubscriptionState::Suspended;
}

public(package) fun node(self: &Subscription): ID { self.node }

public(package) fun price(self: &Subscription): u64 { self.price }

public(package) fun set_price(self: &mut Subscription, price: u64) { self.price = price; }

public(package) fun matured(self: &Subscription): u64 { self.matured }

public(package) fun is_active(self: &Subscription): bool {
    self.state == SubscriptionState::Active
}

public(package) fun is_evicted(self: &Subscription): bool {
    self.state == SubscriptionState::Evicted
}

/// Another has its place; it is drawn no more.
public(package) fun dismiss(self: &mut Subscription) { self.state = SubscriptionState::Evicted; }

public(package) fun auditor(self: &Subscription): Auditor { exam::auditor(self.node, self.owner) }

fun weight(self: &Subscription): u128 { draw::weight(self.matured, self.reputation) }

/// Its weight, if, as far as the task knows, the node would serve at no more than `max_price`. The lease asks the
/// node.
public(package) fun weight_to_serve(
    self: &Subscription,
    max_price: u64,
    min_collateral: u64,
    min_reputation: u64,
    attested_from: u64,
): Option<u128> {
    let fits = self.attested_until_ms >= attested_from
        && self.is_active()
        && self.price <= max_price
        && self.matured >= min_collateral
        && self.reputation >= min_reputation;
    if (fits) option::some(self.weight()) else option::none()
}

/// Its weight in a draw of who examines for a stack that was bought at such a time: it had promised to by then, has what it
/// could be fined, and an owner that isn't one of these. Zero else. Whatever it was drawn for before: were there room for so
/// many only, whoever filled it would go unexamined.
public(package) fun weight_to_examine(
    self: &Subscription,
    bought_at_ms: u64,
    fine: u64,
    but: &vector<address>,
): u128 {
    if (self.attester.is_none()) return 0;
    let attester = self.attester.borrow();
    let drawn = attester.active
        && attester.since_ms <= bought_at_ms
        && attester.stake.value() >= fine
        && self.is_active()
        && !but.contains(&self.owner);
    if (drawn) self.weight() else 0
}

// === the promise ===

public(package) fun attests(self: &Subscription): bool { self.attester.is_some() }

public(package) fun promise(self: &mut Subscription, deposit: Balance<USDC>, now: u64) {
    self.attester.fill(Attester {
        active: true,
        stake: deposit,
        earned: balance::zero(),
        duties: 0,
        since_ms: now,
    });
}

public(package) fun is_on_duty(self: &Subscription): bool {
    self.attester.is_some() && self.attester.borrow().duties > 0
}

/// Whether it can be drawn for more, and has a duty already.
public(package) fun is_drawn_on_duty(self: &Subscription): bool {
    let attester = self.attester.borrow();
    attester.active && attester.duties > 0
}

/// Whether it is drawn, and what is left of its deposit.
public(package) fun promised(self: &Subscription): (bool, u64) {
    if (self.attester.is_none()) return (false, 0);
    let attester = self.attester.borrow();
    (attester.active, attester.stake.value())
}

/// Ends the promise, unless a duty is open; all that the attester has here.
public(package) fun resign(self: &mut Subscription): Balance<USDC> {
    let Attester { stake, earned, duties, .. } = self.attester.extract();
    assert!(duties == 0, EDutyOpen);
    let mut all = stake;
    money::put(&mut all, earned);
    all
}

public(package) fun take_earned(self: &mut Subscription): Balance<USDC> {
    self.attester_mut().earned.withdraw_all()
}

/// Books a fee.
public(package) fun credit(self: &mut Subscription, fee: Balance<USDC>) {
    money::put(&mut self.attester_mut().earned, fee);
}

/// Takes a fine out of the stake, as far as it goes.
public(package) fun charge(self: &mut Subscription, fine: u64): Balance<USDC> {
    money::take_up_to(&mut self.attester_mut().stake, fine)
}

/// Strikes an attester off that was silent, or leaves. Its deposit stays its own, and pays its fines.
public(package) fun strike(self: &mut Subscription) {
    if (self.attester.is_some()) self.attester.borrow_mut().active = false;
}

public(package) fun begin_duty(self: &mut Subscription) {
    let attester = self.attester_mut();
    attester.duties = attester.duties + 1;
}

public(package) fun end_duty(self: &mut Subscription) {
    let attester = self.attester_mut();
    attester.duties = money::sub(attester.duties, 1);
}

/// One that was evicted can't offer again before its last duty is over.
public(package) fun assert_has_place(self: &Subscription) {
    assert!(!self.is_evicted(), EDutyOpen);
}

/// There must be room for one more that stays for a duty, or it can't be evicted.
public(package) fun assert_room_for_evicted(room: bool) {
    assert!(room, EDutyOpen);
}

/// It must attest, or there is nothing to be changed.
public(package) fun assert_attests(attests: bool) {
    assert!(attests, ENotAttesting);
}

fun attester_mut(self: &mut Subscription): &mut Attester {
    assert_attests(self.attester.is_some());
    self.attester.borrow_mut()
}

#[test_only]
/// An offer of a node that isn't there, which attests.
public(package) fun new_for_testing(
    node: ID,
    owner: address,
    matured: u64,
    deposit: Balance<USDC>,
): Subscription {
    let mut subscription = Subscription {
        node,
        owner,
        price: 1_000_000,
        matured,
        reputation: 100,
        attested_until_ms: 0,
        state: SubscriptionState::Active,
        attester: option::none(),
    };
    subscription.promise(deposit, 0);
    subscription
}
