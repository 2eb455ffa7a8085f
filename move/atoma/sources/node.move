/// Nodes: collateral, standing, and the way out.
module atoma::node;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::limits;
use atoma::money;
use atoma::params::Params;
use atoma::signature;
use atoma::version;
use std::string::String;
use sui::balance::Balance;
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use usdc::usdc::USDC;

/// Only the node's owner may do this.
const ENotNodeOwner: u64 = 200;
/// The collateral is below the minimum to register.
const ECollateralTooLow: u64 = 201;
/// The URL must begin with http:// or https://, name a host, and have at most 256 visible ASCII
/// characters.
const EUrlInvalid: u64 = 202;
/// The response key is not a strong ed25519 public key.
const EResponseKeyInvalid: u64 = 203;
/// The sealing key must have 32 bytes or be empty.
const ESealingKeyInvalid: u64 = 204;
/// The node is jailed, leaving or gone.
const ENodeNotActive: u64 = 205;
/// The node is still subscribed.
const ENodeHasSubscriptions: u64 = 206;
/// The node is not leaving.
const ENotUnbonding: u64 = 207;
/// The collateral is still liable.
const EUnbondingNotOver: u64 = 208;
/// The payment is zero.
const ENothingAdded: u64 = 209;

const MAX_URL: u64 = 256;
/// Visible ASCII.
const FIRST_VISIBLE: u8 = 0x21;
const LAST_VISIBLE: u8 = 0x7e;

/// Shared.
public struct Node has key {
    id: UID,
    /// Small sequential number.
    number: u64,
    /// Who may act for it and is paid.
    owner: address,
    /// What it stands to lose.
    collateral: Balance<USDC>,
    status: NodeStatus,
    /// Where it serves.
    url: String,
    /// Signs receipts.
    response_key: Bytes32,
    /// X25519 key that requests are sealed to, where it has one.
    sealing_key: Option<Bytes32>,
    /// 0 to 1000.
    reputation: u64,
    /// Settlements that were paid.
    settled: u64,
    /// Leases left to expire, and convictions.
    failed: u64,
    /// Tasks it is subscribed to (leaving ones included); zero before it can unbond.
    subscriptions: u64,
    /// Units paid in the running epoch.
    current: UnitsInEpoch,
    /// Units paid in the last epoch it worked in, for the treasury's report.
    previous: UnitsInEpoch,
}

/// How a node stands.
public enum NodeStatus has copy, drop, store {
    /// May serve.
    Active,
    /// Found guilty; no new leases before this time.
    Jailed { until_ms: u64 },
    /// Leaving; the collateral stays liable until this time.
    Unbonding { until_ms: u64 },
    /// Gone; the collateral is paid out.
    Left,
}

/// Units that a node was paid for in one epoch.
public struct UnitsInEpoch has copy, drop, store {
    epoch: u64,
    units: u64,
}

/// A node joined.
public struct NodeRegistered has copy, drop {
    node: ID,
    number: u64,
    owner: address,
    collateral: u64,
    url: String,
    response_key: Bytes32,
}

/// A node moved to another URL.
public struct NodeMoved has copy, drop {
    node: ID,
    url: String,
}

/// Collateral was added; this is the sum now.
public struct CollateralAdded has copy, drop {
    node: ID,
    collateral: u64,
}

/// A node's standing changed.
public struct NodeStatusChanged has copy, drop {
    node: ID,
    status: NodeStatus,
}

/// A node left and took its collateral.
public struct NodeLeft has copy, drop {
    node: ID,
    collateral: u64,
}

/// Registers a node of the sender's. The sealing key may be empty.
public fun register(
    db: &mut AtomaDb,
    collateral: Coin<USDC>,
    url: String,
    response_key: vector<u8>,
    sealing_key: vector<u8>,
    ctx: &mut TxContext,
) {
    db.assert_current();
    db.assert_open();
    assert!(collateral.value() >= db.params().min_collateral(), ECollateralTooLow);
    assert!(is_url(url.as_bytes()), EUrlInvalid);
    assert!(signature::is_key(&response_key), EResponseKeyInvalid);
    let response_key = bytes32::read(response_key).destroy_some();
    let has_sealing_key = !sealing_key.is_empty();
    let sealing_key = bytes32::read(sealing_key);
    assert!(sealing_key.is_some() == has_sealing_key, ESealingKeyInvalid);

    let id = object::new(ctx);
    let node = Node {
        number: db.add_node(id.to_inner()),
        id,
        owner: ctx.sender(),
        collateral: collateral.into_balance(),
        status: NodeStatus::Active,
        url,
        response_key,
        sealing_key,
        reputation: db.params().reputation_initial(),
        settled: 0,
        failed: 0,
        subscriptions: 0,
        current: UnitsInEpoch { epoch: 0, units: 0 },
        previous: UnitsInEpoch { epoch: 0, units: 0 },
    };
    event::emit(NodeRegistered {
        node: object::id(&node),
        number: node.number,
        owner: node.owner,
        collateral: node.collateral.value(),
        url,
        response_key,
    });
    transfer::share_object(node);
}

/// Moves a node to another URL.
public fun set_url(self: &mut Node, url: String, ctx: &TxContext) {
    self.assert_current();
    self.assert_owner(ctx);
    assert!(is_url(url.as_bytes()), EUrlInvalid);
    self.url = url;
    event::emit(NodeMoved { node: object::id(self), url });
}

/// Adds collateral. Not to a node that is leaving: money put there would only wait.
public fun add_collateral(self: &mut Node, collateral: Coin<USDC>, ctx: &TxContext) {
    self.assert_current();
    self.assert_owner(ctx);
    let stays = match (self.status) {
        NodeStatus::Active | NodeStatus::Jailed { .. } => true,
        NodeStatus::Unbonding { .. } | NodeStatus::Left => false,
    };
    assert!(stays, ENodeNotActive);
    assert!(collateral.value() > 0, ENothingAdded);
    money::put(&mut self.collateral, collateral.into_balance());
    event::emit(CollateralAdded {
        node: object::id(self),
        collateral: self.collateral.value(),
    });
}

/// Begins to leave. A node with a subscription may still have leases, so it can't.
public fun begin_unbonding(db: &AtomaDb, node: &mut Node, clock: &Clock, ctx: &TxContext) {
    db.assert_current();
    node.assert_current();
    node.assert_owner(ctx);
    let now = clock.timestamp_ms();
    node.assert_active(now);
    assert!(node.subscriptions == 0, ENodeHasSubscriptions);
    let until_ms = money::saturating_add(now, db.params().unbonding_ms());
    node.set_status(NodeStatus::Unbonding { until_ms });
}

/// Pays the collateral out after the wait.
public fun withdraw_collateral(self: &mut Node, clock: &Clock, ctx: &mut TxContext) {
    self.assert_current();
    self.assert_owner(ctx);
    let until_ms = match (self.status) {
        NodeStatus::Unbonding { until_ms } => until_ms,
        _ => abort ENotUnbonding,
    };
    assert!(clock.timestamp_ms() >= until_ms, EUnbondingNotOver);
    let collateral = self.collateral.withdraw_all();
    let amount = collateral.value();
    money::pay(collateral, self.owner, ctx);
    self.set_status(NodeStatus::Left);
    event::emit(NodeLeft { node: object::id(self), collateral: amount });
}

/// Takes a node over from an older version of the package. Anyone may.
public fun migrate(self: &mut Node) {
    version::migrate(&mut self.id);
}

// === what other modules work with ===

public(package) fun assert_current(self: &Node) {
    version::assert_current(&self.id);
}

public(package) fun assert_owner(self: &Node, ctx: &TxContext) {
    assert!(self.owner == ctx.sender(), ENotNodeOwner);
}

/// Whether a node may take new business: a jail whose time is over counts no more.
public(package) fun is_active(self: &Node, now: u64): bool {
    match (self.status) {
        NodeStatus::Active => true,
        NodeStatus::Jailed { until_ms } => until_ms <= now,
        NodeStatus::Unbonding { .. } | NodeStatus::Left => false,
    }
}

public(package) fun assert_active(self: &Node, now: u64) {
    assert!(self.is_active(now), ENodeNotActive);
}

/// For where there is no clock: a jail that is over is first lifted by `task::sync`.
public(package) fun assert_marked_active(self: &Node) {
    assert!(self.status == NodeStatus::Active, ENodeNotActive);
}

public(package) fun has_left(self: &Node): bool {
    self.status == NodeStatus::Left
}

public(package) fun owner(self: &Node): address { self.owner }

public(package) fun collateral(self: &Node): u64 { self.collateral.value() }

public(package) fun reputation(self: &Node): u64 { self.reputation }

public(package) fun response_key(self: &Node): Bytes32 { self.response_key }

public(package) fun add_subscription(self: &mut Node) {
    self.subscriptions = self.subscriptions + 1;
}

public(package) fun remove_subscription(self: &mut Node) {
    self.subscriptions = money::saturating_sub(self.subscriptions, 1);
}

/// Lifts a jail whose time is over; whether it did.
public(package) fun lift_jail(self: &mut Node, now: u64): bool {
    let over = match (self.status) {
        NodeStatus::Jailed { until_ms } => until_ms <= now,
        _ => false,
    };
    if (over) self.set_status(NodeStatus::Active);
    over
}

/// Jails a node; a later jail lasts at least as long. A node that is leaving keeps leaving: it gets no
/// new business anyway.
public(package) fun jail(self: &mut Node, until: u64) {
    let until_ms = match (self.status) {
        NodeStatus::Active => until,
        NodeStatus::Jailed { until_ms } => until_ms.max(until),
        NodeStatus::Unbonding { .. } | NodeStatus::Left => return,
    };
    self.set_status(NodeStatus::Jailed { until_ms });
}

/// Takes this much of the collateral.
public(package) fun slash(self: &mut Node, amount: u64): Balance<USDC> {
    money::take(&mut self.collateral, amount)
}

/// A claim was paid.
public(package) fun reward(self: &mut Node, params: &Params) {
    self.settled = money::saturating_add(self.settled, 1);
    let raised = money::saturating_add(self.reputation, params.reputation_gain());
    self.reputation = raised.min(limits::max_reputation());
}

/// A lease expired unsettled, or a record was not shown.
public(package) fun blame(self: &mut Node, params: &Params) {
    self.failed = money::saturating_add(self.failed, 1);
    self.reputation = money::saturating_sub(self.reputation, params.reputation_loss());
}

/// Fraud was proven.
public(package) fun disgrace(self: &mut Node) {
    self.failed = money::saturating_add(self.failed, 1);
    self.reputation = 0;
}

/// Counts paid units for the treasury. A unit sold below one micro-USDC counts for its price: units
/// sold to oneself for next to nothing would else take the treasury from those who work.
public(package) fun count_units(self: &mut Node, epoch: u64, units: u64, cost: u64) {
    if (self.current.epoch != epoch) {
        self.previous = self.current;
        self.current = UnitsInEpoch { epoch, units: 0 };
    };
    self.current.units = money::saturating_add(self.current.units, units.min(cost));
}

/// The node's units of that epoch, which then count no more: so they are reported once.
public(package) fun take_units(self: &mut Node, epoch: u64): u64 {
    if (self.current.epoch == epoch) take_all(&mut self.current)
    else if (self.previous.epoch == epoch) take_all(&mut self.previous)
    else 0
}

fun take_all(worked: &mut UnitsInEpoch): u64 {
    let units = worked.units;
    worked.units = 0;
    units
}

fun set_status(self: &mut Node, status: NodeStatus) {
    self.status = status;
    event::emit(NodeStatusChanged { node: object::id(self), status });
}

/// `http://` or `https://`, then a host: visible ASCII only, so that nothing hides in it.
fun is_url(url: &vector<u8>): bool {
    if (url.length() > MAX_URL) return false;
    let host = if (begins_with(url, b"https://")) 8 else if (begins_with(url, b"http://")) 7
    else return false;
    if (host == url.length()) return false;
    let first = url[host];
    let named = first != 0x2f && first != 0x3f && first != 0x23; // not '/', '?', '#'
    named && url.all!(|byte| *byte >= FIRST_VISIBLE && *byte <= LAST_VISIBLE)
}

fun begins_with(text: &vector<u8>, prefix: vector<u8>): bool {
    let length = prefix.length();
    if (text.length() < length) return false;
    let mut at = 0;
    while (at < length) {
        if (text[at] != prefix[at]) return false;
        at = at + 1;
    };
    true
}

#[test]
fun urls() {
    vector[b"http://127.0.0.1:80", b"https://node.example/path?x=1"].do!(|url| assert!(is_url(&url)));
    let mut long = b"http://";
    while (long.length() <= MAX_URL) long.push_back(97);
    let bad = vector[
        b"", b"http://", b"https://", b"ftp://x", b"http:///x", b"http://?", b"http://#", b"http://a b",
        b"http://a\n", b"http://\xc3\xa9", b"http", long,
    ];
    bad.do!(|url| assert!(!is_url(&url)));
    long.pop_back();
    assert!(is_url(&long));
}

#[test_only]
public(package) fun uid_for_testing(self: &mut Node): &mut UID { &mut self.id }

#[test_only]
public(package) fun set_reputation_for_testing(self: &mut Node, reputation: u64) {
    self.reputation = reputation;
}

#[test_only]
public(package) fun url_for_testing(self: &Node): String { self.url }
