/// Nodes: registration, keys, attestation; money and fines; the way out.
module atoma::node;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::{AdminCap, AtomaDb};
use atoma::limits;
use atoma::money;
use atoma::signature;
use atoma::standing::{Self, Standing};
use atoma::version;
use std::string::String;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use usdc::usdc::USDC;

/// Only the node's owner may do this.
const ENotNodeOwner: u64 = 200;
/// The collateral is below the minimum of the network.
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
/// The collateral waits.
const EUnbondingNotOver: u64 = 208;
/// Leases are open that the collateral stands for.
const EAtStake: u64 = 210;
/// The release's digest must have 32 bytes.
const EReleaseDigestInvalid: u64 = 211;
/// No fine, or not so large a one, waits for a pardon.
const ENothingPending: u64 = 212;
/// The time for a pardon is over.
const EPardonOver: u64 = 213;
/// The fine can still be pardoned.
const EPardonNotOver: u64 = 214;
/// The node's free collateral does not cover the added units.
const ECollateralBusy: u64 = 435;

const MAX_URL: u64 = 256;
/// Visible ASCII.
const FIRST_VISIBLE: u8 = 0x21;
const LAST_VISIBLE: u8 = 0x7e;

/// Shared.
public struct Node has key {
    id: UID,
    version: u64,
    /// Small sequential number.
    number: u64,
    /// Who may act for it. Never changes.
    owner: address,
    /// What it stands to lose.
    collateral: Balance<USDC>,
    /// The part of it that was added last.
    fresh: u64,
    /// From when on it weighs.
    matures_at_ms: u64,
    /// What its open leases could cost it, by the terms of each; never above the collateral.
    at_stake: u64,
    /// How long its collateral waits when it leaves, as when it registered.
    unbonding_ms: u64,
    /// The owner's credit.
    earnings: Balance<USDC>,
    /// Fines not yet the treasury's.
    pending: Pending,
    status: NodeStatus,
    /// Where it serves.
    url: String,
    /// Checks the receipts of new leases.
    response_key: Bytes32,
    /// X25519 key that requests are sealed to, where it has one.
    sealing_key: Option<Bytes32>,
    /// Its word about its hardware and software, if any.
    attestation: Option<Attestation>,
    standing: Standing,
    /// Tasks it is subscribed to; none when it unbonds.
    subscriptions: u64,
    /// Fees paid in the running epoch.
    current: FeesInEpoch,
    /// Fees paid in the last epoch it worked in, for the treasury's report.
    previous: FeesInEpoch,
    /// Fees reported and not yet shared.
    reported: FeesInEpoch,
}

/// Fines that wait for a pardon. A further fine makes all of them wait for it.
public struct Pending has store {
    fines: Balance<USDC>,
    /// The last moment of a pardon.
    until_ms: u64,
}

/// How a node stands.
public enum NodeStatus has copy, drop, store {
    /// May serve and take new leases.
    Active,
    /// Found guilty; no new leases before this time. Then it is as good as active.
    Jailed { until_ms: u64 },
    /// Leaving; it takes no new leases, and the collateral waits until this time.
    Unbonding { until_ms: u64 },
    /// Gone; the collateral is the owner's credit.
    Left,
}

/// A node's public word about its hardware and software.
public struct Attestation has copy, drop, store {
    /// What kind of evidence it is; off-ledger code knows the kinds.
    kind: u8,
    /// Digest of the release that the node runs, which the task's owner must have listed.
    release: Bytes32,
    /// Where the evidence is stored.
    evidence: u256,
    /// The last moment at which it opens a lease.
    expires_at_ms: u64,
}

/// Fees that a node's claims paid in one epoch.
public struct FeesInEpoch has copy, drop, store {
    epoch: u64,
    fees: u64,
}

/// A node joined.
public struct NodeRegistered has copy, drop {
    node: ID,
    number: u64,
    owner: address,
    collateral: u64,
    url: String,
    response_key: Bytes32,
    sealing_key: Option<Bytes32>,
}

/// A node serves elsewhere.
public struct NodeMoved has copy, drop {
    node: ID,
    url: String,
}

/// A node has other keys; open leases keep the old response key.
public struct NodeKeysChanged has copy, drop {
    node: ID,
    response_key: Bytes32,
    sealing_key: Option<Bytes32>,
}

/// A node stated what it runs on.
public struct NodeAttested has copy, drop {
    node: ID,
    attestation: Attestation,
}

/// Collateral was added; this is the sum now.
public struct CollateralAdded has copy, drop {
    node: ID,
    collateral: u64,
}

/// A node was jailed, or leaves.
public struct NodeStatusChanged has copy, drop {
    node: ID,
    status: NodeStatus,
}

/// A node is gone; its collateral is its owner's credit.
public struct NodeLeft has copy, drop {
    node: ID,
    amount: u64,
}

/// A node's credit was paid out.
public struct EarningsWithdrawn has copy, drop {
    node: ID,
    to: address,
    amount: u64,
}

/// The administrator returned fines.
public struct FinesPardoned has copy, drop {
    node: ID,
    amount: u64,
    collateral: u64,
}

/// Fines became the treasury's.
public struct FinesForfeited has copy, drop {
    node: ID,
    amount: u64,
}

// === what it is and says of itself ===

/// Registers a node of the sender's. The sealing key may be empty.
public fun register(
    db: &mut AtomaDb,
    collateral: Coin<USDC>,
    url: String,
    response_key: vector<u8>,
    sealing_key: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    db.assert_current();
    db.assert_open();
    let amount = collateral.value();
    assert!(amount >= db.params().min_collateral(), ECollateralTooLow);
    assert!(is_url(url.as_bytes()), EUrlInvalid);
    let (response_key, sealing_key) = read_keys(response_key, sealing_key);

    let id = object::new(ctx);
    let none = FeesInEpoch { epoch: 0, fees: 0 };
    let node = Node {
        number: db.add_node(id.to_inner()),
        id,
        version: version::current(),
        owner: ctx.sender(),
        collateral: collateral.into_balance(),
        fresh: amount,
        matures_at_ms: money::saturating_add(clock.timestamp_ms(), db.params().maturity_ms()),
        at_stake: 0,
        unbonding_ms: db.params().unbonding_ms(),
        earnings: balance::zero(),
        pending: Pending { fines: balance::zero(), until_ms: 0 },
        status: NodeStatus::Active,
        url,
        response_key,
        sealing_key,
        attestation: option::none(),
        standing: standing::initial(),
        subscriptions: 0,
        current: none,
        previous: none,
        reported: none,
    };
    event::emit(NodeRegistered {
        node: object::id(&node),
        number: node.number,
        owner: node.owner,
        collateral: amount,
        url,
        response_key,
        sealing_key,
    });
    transfer::share_object(node);
}

/// Moves a node to another URL.
public fun set_url(self: &mut Node, url: String, ctx: &TxContext) {
    self.assert_own(ctx);
    assert!(is_url(url.as_bytes()), EUrlInvalid);
    self.url = url;
    event::emit(NodeMoved { node: object::id(self), url });
}

/// Rotates a node's keys. Open leases keep the response key that they began with, or a node that lost the
/// new one could no longer be held to the old.
public fun set_keys(
    self: &mut Node,
    response_key: vector<u8>,
    sealing_key: vector<u8>,
    ctx: &TxContext,
) {
    self.assert_own(ctx);
    let (response_key, sealing_key) = read_keys(response_key, sealing_key);
    self.response_key = response_key;
    self.sealing_key = sealing_key;
    event::emit(NodeKeysChanged { node: object::id(self), response_key, sealing_key });
}

/// States what a node runs on. The ledger believes nothing of it: it asks whether the task's owner has
/// listed the release, and clients verify the evidence.
public fun attest(
    self: &mut Node,
    kind: u8,
    release: vector<u8>,
    evidence: u256,
    expires_at_ms: u64,
    ctx: &TxContext,
) {
    self.assert_own(ctx);
    let release = read_release(release);
    let attestation = Attestation { kind, release, evidence, expires_at_ms };
    self.attestation = option::some(attestation);
    event::emit(NodeAttested { node: object::id(self), attestation });
}

// === money ===

/// Adds collateral. It is at stake for new leases at once, and weighs in draws when it has matured. Not to a
/// node that is leaving: money put there would only wait.
public fun add_collateral(
    db: &AtomaDb,
    node: &mut Node,
    collateral: Coin<USDC>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    node.assert_own(ctx);
    let stays = match (node.status) {
        NodeStatus::Active | NodeStatus::Jailed { .. } => true,
        NodeStatus::Unbonding { .. } | NodeStatus::Left => false,
    };
    assert!(stays, ENodeNotActive);
    let added = collateral.value();
    money::assert_added(added);
    let now = clock.timestamp_ms();
    let old = node.collateral.value();
    node.standing.diluted(old, added);
    let still_fresh = if (now < node.matures_at_ms) node.fresh else 0;
    node.fresh = money::add(still_fresh, added);
    node.matures_at_ms = money::saturating_add(now, db.params().maturity_ms());
    money::put(&mut node.collateral, collateral.into_balance());
    event::emit(CollateralAdded { node: object::id(node), collateral: node.collateral.value() });
}

/// Begins to leave: no new leases and no draws from here on. Leases that are open go on.
public fun begin_unbonding(self: &mut Node, clock: &Clock, ctx: &TxContext) {
    self.assert_own(ctx);
    let now = clock.timestamp_ms();
    self.assert_active(now);
    assert!(self.subscriptions == 0, ENodeHasSubscriptions);
    let until_ms = money::saturating_add(now, self.unbonding_ms);
    self.set_status(NodeStatus::Unbonding { until_ms });
}

/// Makes the collateral its owner's credit, once it has waited and nothing is at stake.
public fun leave(self: &mut Node, clock: &Clock, ctx: &TxContext) {
    self.assert_own(ctx);
    let until_ms = match (self.status) {
        NodeStatus::Unbonding { until_ms } => until_ms,
        _ => abort ENotUnbonding,
    };
    assert!(clock.timestamp_ms() >= until_ms, EUnbondingNotOver);
    assert!(self.at_stake == 0, EAtStake);
    let collateral = self.collateral.withdraw_all();
    let amount = collateral.value();
    self.fresh = 0;
    self.earn(collateral);
    self.set_status(NodeStatus::Left);
    event::emit(NodeLeft { node: object::id(self), amount });
}

/// Pays the whole credit out, to whatever address the owner names.
public fun withdraw(self: &mut Node, to: address, ctx: &mut TxContext) {
    self.assert_own(ctx);
    let amount = money::pay_out(&mut self.earnings, to, ctx);
    event::emit(EarningsWithdrawn { node: object::id(self), to, amount });
}

// === fines ===

/// The administrator returns fines to where they came from; to nobody else.
public fun pardon(db: &AtomaDb, cap: &AdminCap, node: &mut Node, amount: u64, clock: &Clock) {
    db.assert_administered(cap);
    node.assert_current();
    assert!(amount > 0 && amount <= node.pending.fines.value(), ENothingPending);
    assert!(clock.timestamp_ms() <= node.pending.until_ms, EPardonOver);
    let fines = money::take(&mut node.pending.fines, amount);
    if (node.status == NodeStatus::Left) node.earn(fines)
    else money::put(&mut node.collateral, fines);
    event::emit(FinesPardoned {
        node: object::id(node),
        amount,
        collateral: node.collateral.value(),
    });
}

/// Fines become the treasury's. Anyone may.
public fun forfeit(db: &mut AtomaDb, node: &mut Node, clock: &Clock) {
    db.assert_current();
    node.assert_current();
    let amount = node.pending.fines.value();
    assert!(amount > 0, ENothingPending);
    assert!(clock.timestamp_ms() > node.pending.until_ms, EPardonNotOver);
    db.put_treasury(node.pending.fines.withdraw_all());
    event::emit(FinesForfeited { node: object::id(node), amount });
}

/// Takes a node over from an older version of the package. Anyone may, once the database went over.
public fun migrate(self: &mut Node, db: &AtomaDb) {
    db.assert_current();
    self.version = version::next(self.version);
}

// === what other modules work with ===

public(package) fun assert_current(self: &Node) {
    version::assert_current(self.version);
}

/// The node is this version's, and the sender acts for it.
public(package) fun assert_own(self: &Node, ctx: &TxContext) {
    self.assert_current();
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

public(package) fun assert_collateral(self: &Node, least: u64) {
    assert!(self.collateral.value() >= least, ECollateralTooLow);
}

public(package) fun owner(self: &Node): address { self.owner }

public(package) fun collateral(self: &Node): u64 { self.collateral.value() }

/// The collateral that has been there long enough to weigh.
public(package) fun matured(self: &Node, now: u64): u64 {
    let collateral = self.collateral.value();
    if (now >= self.matures_at_ms) collateral else money::saturating_sub(collateral, self.fresh)
}

public(package) fun reputation(self: &Node): u64 { self.standing.reputation() }

public(package) fun response_key(self: &Node): Bytes32 { self.response_key }

/// What is attested, and until when; nothing if nothing is.
public(package) fun attested(self: &Node): (Option<Bytes32>, u64) {
    if (self.attestation.is_none()) return (option::none(), 0);
    let attestation = self.attestation.borrow();
    (option::some(attestation.release), attestation.expires_at_ms)
}

public(package) fun add_subscription(self: &mut Node) {
    self.subscriptions = self.subscriptions + 1;
}

public(package) fun remove_subscription(self: &mut Node) {
    self.subscriptions = money::saturating_sub(self.subscriptions, 1);
}

/// Makes what is at stake follow a change of a lease.
public(package) fun restake(self: &mut Node, before: u64, after: u64) {
    self.at_stake = money::add(money::sub(self.at_stake, before), after);
}

/// Every fine that can come of a lease is covered in full.
public(package) fun assert_covered(self: &Node) {
    assert!(self.at_stake <= self.collateral.value(), ECollateralBusy);
}

/// Adds to the owner's credit.
public(package) fun earn(self: &mut Node, money: Balance<USDC>) {
    money::put(&mut self.earnings, money);
}

/// Takes a fine: what is at stake is never above the collateral, so it is there.
public(package) fun take_fine(self: &mut Node, fine: u64): Balance<USDC> {
    let fine = money::take(&mut self.collateral, fine);
    self.fresh = self.fresh.min(self.collateral.value());
    fine
}

/// A fine begins to wait.
public(package) fun hold_fine(self: &mut Node, fine: Balance<USDC>, until_ms: u64) {
    money::put(&mut self.pending.fines, fine);
    self.pending.until_ms = self.pending.until_ms.max(until_ms);
}

/// Until when the fines can be pardoned.
public(package) fun pardon_until(self: &Node): u64 { self.pending.until_ms }

/// Jails a node that was found guilty; a later jail lasts at least as long. A node that is leaving keeps
/// leaving: it gets no new business anyway.
public(package) fun jail(self: &mut Node, until: u64) {
    self.standing.lost();
    let until_ms = match (self.status) {
        NodeStatus::Active => until,
        NodeStatus::Jailed { until_ms } => until_ms.max(until),
        NodeStatus::Unbonding { .. } | NodeStatus::Left => return,
    };
    self.set_status(NodeStatus::Jailed { until_ms });
}

/// A claim was paid, with this fee. Fees count for the treasury, units don't: what is sold to oneself for next
/// to nothing counts for next to nothing.
public(package) fun paid(self: &mut Node, fee: u64, now: u64) {
    let collateral = self.collateral.value();
    self.standing.paid(collateral, fee, now);
    let epoch = limits::epoch(now);
    if (self.current.epoch != epoch) {
        self.previous = self.current;
        self.current = FeesInEpoch { epoch, fees: 0 };
    };
    self.current.fees = money::add(self.current.fees, fee);
}

/// The node's fees of that epoch.
public(package) fun fees_of(self: &Node, epoch: u64): u64 {
    if (self.current.epoch == epoch) self.current.fees
    else if (self.previous.epoch == epoch) self.previous.fees
    else 0
}

/// Makes the fees of an epoch reported ones: so they are reported once.
public(package) fun report(self: &mut Node, epoch: u64) {
    self.reported = FeesInEpoch { epoch, fees: self.fees_of(epoch) };
    if (self.current.epoch == epoch) self.current.fees = 0 else self.previous.fees = 0;
}

/// Epoch and fees that were reported and not yet shared.
public(package) fun reported(self: &Node): (u64, u64) { (self.reported.epoch, self.reported.fees) }

public(package) fun clear_report(self: &mut Node) {
    self.reported = FeesInEpoch { epoch: 0, fees: 0 };
}

/// A release's digest.
public(package) fun read_release(bytes: vector<u8>): Bytes32 {
    let release = bytes32::read(bytes);
    assert!(release.is_some(), EReleaseDigestInvalid);
    release.destroy_some()
}

// === inside ===

fun read_keys(response_key: vector<u8>, sealing_key: vector<u8>): (Bytes32, Option<Bytes32>) {
    assert!(signature::is_key(&response_key), EResponseKeyInvalid);
    let has_sealing_key = !sealing_key.is_empty();
    let sealing_key = bytes32::read(sealing_key);
    assert!(sealing_key.is_some() == has_sealing_key, ESealingKeyInvalid);
    (bytes32::read(response_key).destroy_some(), sealing_key)
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
public(package) fun set_version_for_testing(self: &mut Node, version: u64) { self.version = version; }
