/// Stacks: bought, leased to nodes, grown, taken back.
///
/// ```text
/// escrow == cost(ungranted + sum of open leases' units, max_price) - sum of open leases' cost(paid, price)
/// ```
///
/// at every moment, over all leases at once: differences lease by lease would leave it a micro short, for
/// floors. What an act frees above that becomes the owner's credit.
module atoma::stack;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::draw;
use atoma::engine::{EngineClass, UnitWeights};
use atoma::lease::{Self, Lease};
use atoma::limits;
use atoma::money;
use atoma::node::Node;
use atoma::verified::{Self, Parties};
use atoma::signature;
use atoma::task::Task;
use atoma::terms::{Self, Terms};
use atoma::ticket::Ticket;
use atoma::version;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::coin::Coin;
use sui::event;
use sui::random::Random;
use usdc::usdc::USDC;

/// Only the stack's owner may do this.
const ENotStackOwner: u64 = 400;
/// The stack was bought for another task.
const EWrongTask: u64 = 401;
/// The stack must hold 1 to 2^50 units, and a top-up must add some.
const EUnitsInvalid: u64 = 402;
/// The highest price must be at least 1 and at most the task's ceiling.
const EMaxPriceInvalid: u64 = 403;
/// At most 16 nodes are drawn; 0 means any.
const ENodeCountInvalid: u64 = 405;
/// The request key is not a strong ed25519 public key.
const ERequestKeyInvalid: u64 = 406;
/// The stack would live shorter or longer than the parameters allow.
const ELifetimeInvalid: u64 = 407;
/// The stack would cost nothing.
const EEscrowZero: u64 = 409;
/// The payment must be exactly what is asked.
const EWrongPayment: u64 = 410;
/// No node fits now.
const ENobodyEligible: u64 = 411;
/// The stack has expired or is closing.
const EStackExpired: u64 = 414;
/// The node was not drawn for this stack.
const ENotCandidate: u64 = 416;
/// The lease already has that many units.
const EGrantNotHigher: u64 = 423;
/// The stack has as many leases as it can hold.
const ELeasesFull: u64 = 425;
/// The stack has not enough ungranted units.
const ELeasesExceedStack: u64 = 426;
/// The price is above the highest that the owner signed.
const EPriceAboveMax: u64 = 428;
/// The extension is zero, or the stack would live longer than the parameters allow.
const EExtensionInvalid: u64 = 430;
/// The task is sold as examined, and too few attesters of others, or too small a pool, are there.
const ENoExaminers: u64 = 436;
/// A lease can only become smaller, and not below what is settled or paid.
const EReleaseInvalid: u64 = 437;
/// Only the owner may do this before the stack has expired.
const EStackNotExpired: u64 = 438;
/// The node holds no lease on this stack.
const ENoSuchLease: u64 = 500;
/// Only the stack's owner or its watcher may do this.
const ENotWatcher: u64 = 700;

/// More choice serves nobody, and each candidate is looked for again at every lease.
const MAX_CANDIDATES: u8 = 16;
/// Closed ones included: bounds what the escrow is summed over.
const MAX_LEASES: u64 = 32;
/// Attesters' fees that a task's pool must hold when an examined stack is sold.
const MIN_POOL_FEES: u64 = 10;
const SEED_BYTES: u16 = 32;
const MAX_U64: u128 = 18_446_744_073_709_551_615;

/// A prepaid purchase. Shared.
public struct Stack has key {
    id: UID,
    version: u64,
    /// Who bought it. Never changes.
    owner: address,
    /// Who may demand and challenge beside the owner, with money of its own that becomes the owner's.
    watcher: Option<address>,
    /// What it is for.
    task: ID,
    /// The task's weights.
    weights: UnitWeights,
    /// The task's engine and model.
    engine: EngineClass,
    /// Signs requests and grants.
    request_key: Bytes32,
    /// No lease costs more.
    max_price: u64,
    /// What was agreed on.
    terms: Terms,
    /// Units that no node has.
    ungranted: u64,
    /// Only grants with this number are good; revoking raises it.
    nonce: u64,
    /// The drawn nodes; if there are any, only they may take leases.
    candidates: vector<ID>,
    /// Units given to nodes.
    leases: vector<Lease>,
    /// What open leases and ungranted units may cost.
    escrow: Balance<USDC>,
    /// The owner's credit.
    free: Balance<USDC>,
    created_at_ms: u64,
    /// No request or new lease from here on.
    expires_at_ms: u64,
}

/// A stack was bought.
public struct StackAcquired has copy, drop {
    stack: ID,
    owner: address,
    task: ID,
    request_key: Bytes32,
    total_units: u64,
    max_price: u64,
    escrow: u64,
    candidates: vector<ID>,
    expires_at_ms: u64,
    settle_grace_ms: u64,
}

/// A node has so many units. Carries all a node needs to serve.
public struct Leased has copy, drop {
    stack: ID,
    node: ID,
    task: ID,
    owner: address,
    request_key: Bytes32,
    response_key: Bytes32,
    units: u64,
    price: u64,
    ungranted: u64,
    expires_at_ms: u64,
    settle_grace_ms: u64,
}

/// A node gave units back.
public struct UnitsReleased has copy, drop {
    stack: ID,
    node: ID,
    units: u64,
    ungranted: u64,
}

/// Units were added.
public struct ToppedUp has copy, drop {
    stack: ID,
    ungranted: u64,
    paid: u64,
}

/// A stack ends sooner or later.
public struct ExpiryChanged has copy, drop {
    stack: ID,
    expires_at_ms: u64,
    /// Whether the owner ended it.
    closing: bool,
}

/// Another may demand and challenge.
public struct WatcherSet has copy, drop {
    stack: ID,
    watcher: Option<address>,
}

/// Units that nobody had were taken back.
public struct UngrantedRevoked has copy, drop {
    stack: ID,
    units: u64,
    /// What became the owner's credit.
    freed: u64,
    /// Grants with another are void.
    nonce: u64,
}

/// A stack's credit was paid out.
public struct FreeWithdrawn has copy, drop {
    stack: ID,
    to: address,
    amount: u64,
}

/// Nothing more comes of a lease.
public struct LeaseClosed has copy, drop {
    stack: ID,
    node: ID,
    paid_units: u64,
    /// What became the owner's credit.
    freed: u64,
}

// === buying ===

/// Buys a stack, and draws candidates if it is told to; a draw binds nobody. Where too few fit, it aborts and
/// the payment stays whole.
///
/// Private, so that no module can look at the draw and abort: it is called by a transaction itself,
/// which can do nothing after it but transfer and merge.
entry fun acquire(
    db: &AtomaDb,
    task: &Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let seed = seed(random, ctx);
    acquire_by_seed(
        db,
        task,
        payment,
        total_units,
        max_price,
        nodes,
        request_key,
        lifetime_ms,
        &seed,
        clock,
        ctx,
    );
}

/// The purchase, with the beacon's bytes for it.
fun acquire_by_seed(
    db: &AtomaDb,
    task: &Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    seed: &Bytes32,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    db.assert_current();
    db.assert_open();
    task.assert_current();
    task.assert_live();
    assert!(nodes <= MAX_CANDIDATES, ENodeCountInvalid);
    assert!(total_units > 0 && total_units <= limits::max_units(), EUnitsInvalid);
    assert!(max_price > 0 && max_price <= task.price_ceiling(), EMaxPriceInvalid);
    assert!(signature::is_key(&request_key), ERequestKeyInvalid);
    let request_key = bytes32::read(request_key).destroy_some();
    let params = db.params();
    let lives = lifetime_ms >= params.min_lifetime_ms() && lifetime_ms <= params.max_lifetime_ms();
    assert!(lives, ELifetimeInvalid);
    let escrow = money::escrow(total_units, max_price);
    assert!(escrow > 0, EEscrowZero);
    assert!(payment.value() == escrow, EWrongPayment);
    let terms = terms::of(params, task.samples());
    let now = clock.timestamp_ms();
    if (terms.samples()) assert_examined(db, task, &terms, ctx.sender(), now);
    let candidates = draw_candidates(task, max_price, nodes as u64, seed, now);

    let stack = Stack {
        id: object::new(ctx),
        version: version::current(),
        owner: ctx.sender(),
        watcher: option::none(),
        task: object::id(task),
        weights: task.weights(),
        engine: task.engine(),
        request_key,
        max_price,
        terms,
        ungranted: total_units,
        nonce: 0,
        candidates,
        leases: vector[],
        escrow: payment.into_balance(),
        free: balance::zero(),
        created_at_ms: now,
        expires_at_ms: money::saturating_add(now, lifetime_ms),
    };
    event::emit(StackAcquired {
        stack: object::id(&stack),
        owner: stack.owner,
        task: stack.task,
        request_key,
        total_units,
        max_price,
        escrow,
        candidates,
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.terms.settle_grace_ms(),
    });
    transfer::share_object(stack);
}

/// What is sold as examined is examined: attesters of others are there, and money for them.
fun assert_examined(db: &AtomaDb, task: &Task, terms: &Terms, buyer: address, now: u64) {
    let sampling = terms.sampling();
    let weights = task.examining_weights(now, sampling.examiner_fine(), &vector[buyer]);
    let pool = money::saturating_times(sampling.attest_fee(), MIN_POOL_FEES);
    let there = draw::suffice(&weights, db.params().min_attesters());
    assert!(there && task.dues() >= pool, ENoExaminers);
}

fun draw_candidates(
    task: &Task,
    max_price: u64,
    count: u64,
    seed: &Bytes32,
    now: u64,
): vector<ID> {
    let (weights, anybody) = task.serving_weights(max_price, now);
    assert!(anybody, ENobodyEligible);
    draw::assert_suffice(&weights, count);
    draw::draw(seed, weights, count).map!(|place| task.node_at(place))
}

// === leasing ===

/// A node takes a signed grant to the ledger and so gets the units, or raises its lease to them. Here alone a
/// node binds itself, and here its live standing is looked at.
public fun lease(
    db: &AtomaDb,
    stack: &mut Stack,
    task: &Task,
    node: &mut Node,
    grant: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    db.assert_open();
    stack.assert_current();
    task.assert_current();
    node.assert_own(ctx);
    stack.assert_task(task);
    let now = clock.timestamp_ms();
    assert!(now < stack.expires_at_ms, EStackExpired);
    task.assert_live();
    node.assert_active(now);
    node.assert_collateral(db.params().min_collateral());
    task.assert_fits(node);
    task.assert_attested(node, now);
    let id = object::id(node);
    assert!(stack.candidates.is_empty() || stack.candidates.contains(&id), ENotCandidate);
    let nonce = stack.nonce;
    // the lease's key isn't asked for: a grant is signed by the request key alone
    let grant = stack
        .parties_of(id, node.response_key())
        .grant(&grant, &signature, nonce, now);

    let place = stack.place_for(task, node);
    let price = stack.leases[place].price();
    assert!(price <= stack.max_price && price <= grant.max_price(), EPriceAboveMax);
    let (held, granted) = (stack.leases[place].units(), grant.cumulative_units());
    assert!(granted > held, EGrantNotHigher);
    let added = granted - held;
    assert!(added <= stack.ungranted, ELeasesExceedStack);
    let before = stack.stake(id);
    stack.ungranted = stack.ungranted - added;
    stack.leases[place].set_units(granted);
    node.restake(before, stack.stake(id));
    node.assert_covered();
    stack.fit();
    stack.announce(place);
}

/// The place of the node's open lease; a new one, without units, begins at its present price and key.
fun place_for(self: &mut Stack, task: &Task, node: &Node): u64 {
    let place = self.place(object::id(node));
    if (place.is_some()) {
        let place = place.destroy_some();
        self.leases[place].assert_open();
        return place
    };
    let price = task.price_of(object::id(node));
    let count = self.leases.length();
    assert!(count < MAX_LEASES, ELeasesFull);
    self.leases.push_back(lease::open(node, price));
    count
}

/// Tells the node all it needs to serve.
fun announce(self: &Stack, place: u64) {
    let lease = &self.leases[place];
    event::emit(Leased {
        stack: object::id(self),
        node: lease.node(),
        task: self.task,
        owner: self.owner,
        request_key: self.request_key,
        response_key: lease.key(),
        units: lease.units(),
        price: lease.price(),
        ungranted: self.ungranted,
        expires_at_ms: self.expires_at_ms,
        settle_grace_ms: self.terms.settle_grace_ms(),
    });
}

/// A node gives back units that it neither settled nor was paid for. They are the owner's to grant again; after
/// the expiry, their escrow is its credit at once.
public fun release(
    self: &mut Stack,
    node: &mut Node,
    units: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    node.assert_own(ctx);
    let now = clock.timestamp_ms();
    let id = object::id(node);
    let before = self.stake(id);
    let over = now >= self.expires_at_ms;
    let lease = self.open_lease_mut(id);
    let held = lease.units();
    assert!(lease.claimed_units() <= units && units < held, EReleaseInvalid);
    lease.set_units(units);
    if (!over) self.ungranted = self.ungranted + (held - units);
    node.restake(before, self.stake(id));
    self.fit();
    event::emit(UnitsReleased {
        stack: object::id(self),
        node: id,
        units,
        ungranted: self.ungranted,
    });
    self.close_if_done(node, now);
}

// === growing ===

/// Adds units at the stack's own terms. They are nobody's yet. A pause doesn't stop it: the deal is made already.
public fun top_up(
    self: &mut Stack,
    task: &Task,
    payment: Coin<USDC>,
    units: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_own(ctx);
    task.assert_current();
    self.assert_task(task);
    assert!(clock.timestamp_ms() < self.expires_at_ms, EStackExpired);
    task.assert_live();
    assert!(units > 0, EUnitsInvalid);
    let live = money::saturating_add(self.live_units(), units);
    assert!(live <= limits::max_units(), EUnitsInvalid);
    let lacking = money::sub(self.escrow_for(live), self.escrow.value());
    assert!(payment.value() == lacking, EWrongPayment);
    money::put(&mut self.escrow, payment.into_balance());
    self.ungranted = self.ungranted + units;
    event::emit(ToppedUp { stack: object::id(self), ungranted: self.ungranted, paid: lacking });
}

/// Lets a stack that hasn't expired live longer, up to the longest life a new one could have. A node that doesn't
/// want that settles, and releases the rest.
public fun extend(
    db: &AtomaDb,
    stack: &mut Stack,
    by_ms: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    stack.assert_own(ctx);
    assert!(clock.timestamp_ms() < stack.expires_at_ms, EStackExpired);
    let end = (stack.expires_at_ms as u128) + (by_ms as u128);
    let longest = (stack.created_at_ms as u128) + (db.params().max_lifetime_ms() as u128);
    assert!(by_ms > 0 && end <= longest && end <= MAX_U64, EExtensionInvalid);
    stack.expires_at_ms = end as u64;
    stack.expiry_changed(false);
}

/// Names who else may demand and challenge. What a watcher pays for that is the owner's from then on.
public fun set_watcher(self: &mut Stack, watcher: Option<address>, ctx: &TxContext) {
    self.assert_own(ctx);
    self.watcher = watcher;
    event::emit(WatcherSet { stack: object::id(self), watcher });
}

// === leaving ===

/// Takes back the units that no node has, and makes every grant given out before void, which is worth something where
/// all units are leased, too: a node may give some back. The owner may, and after the expiry anyone.
public fun revoke(self: &mut Stack, clock: &Clock, ctx: &TxContext) {
    self.assert_current();
    let may = self.owner == ctx.sender() || clock.timestamp_ms() >= self.expires_at_ms;
    assert!(may, EStackNotExpired);
    self.take_back();
}

/// Ends the stack now: what nobody has is free at once, and nodes settle within the grace.
public fun begin_close(self: &mut Stack, clock: &Clock, ctx: &TxContext) {
    self.assert_own(ctx);
    self.expires_at_ms = self.expires_at_ms.min(clock.timestamp_ms());
    self.expiry_changed(true);
    self.take_back();
}

/// Pays the whole credit out, to whatever address the owner names.
public fun withdraw(self: &mut Stack, to: address, ctx: &mut TxContext) {
    self.assert_own(ctx);
    let amount = money::pay_out(&mut self.free, to, ctx);
    event::emit(FreeWithdrawn { stack: object::id(self), to, amount });
}

/// Takes a stack over from an older version of the package. Anyone may, once the database went over.
public fun migrate(self: &mut Stack, db: &AtomaDb) {
    db.assert_current();
    self.version = version::next(self.version);
}

fun expiry_changed(self: &Stack, closing: bool) {
    event::emit(ExpiryChanged {
        stack: object::id(self),
        expires_at_ms: self.expires_at_ms,
        closing,
    });
}

fun take_back(self: &mut Stack) {
    let units = self.ungranted;
    self.ungranted = 0;
    self.nonce = money::add(self.nonce, 1);
    let freed = self.fit();
    event::emit(UngrantedRevoked { stack: object::id(self), units, freed, nonce: self.nonce });
}

// === what other modules work with ===

/// The beacon's bytes for a transaction.
public(package) fun seed(random: &Random, ctx: &mut TxContext): Bytes32 {
    bytes32::read(random.new_generator(ctx).generate_bytes(SEED_BYTES)).destroy_some()
}

public(package) fun assert_current(self: &Stack) {
    version::assert_current(self.version);
}

/// The stack is this version's, and the sender bought it.
public(package) fun assert_own(self: &Stack, ctx: &TxContext) {
    self.assert_current();
    assert!(self.owner == ctx.sender(), ENotStackOwner);
}

/// Only the stack's owner, or whom it named to watch.
public(package) fun assert_eyes(self: &Stack, ctx: &TxContext) {
    let sender = ctx.sender();
    assert!(self.owner == sender || self.watcher.contains(&sender), ENotWatcher);
}

public(package) fun assert_task(self: &Stack, task: &Task) {
    assert!(self.task == object::id(task), EWrongTask);
}

/// Stack, task and node, each of this version, and belonging together.
public(package) fun assert_parties(self: &Stack, task: &Task, node: &Node) {
    self.assert_current();
    task.assert_current();
    node.assert_current();
    self.assert_task(task);
}

public(package) fun owner(self: &Stack): address { self.owner }

public(package) fun created_at_ms(self: &Stack): u64 { self.created_at_ms }

public(package) fun weights(self: &Stack): &UnitWeights { &self.weights }

public(package) fun engine(self: &Stack): &EngineClass { &self.engine }

public(package) fun terms(self: &Stack): &Terms { &self.terms }

/// The last moment to settle.
public(package) fun settle_deadline(self: &Stack): u64 {
    money::saturating_add(self.expires_at_ms, self.terms.settle_grace_ms())
}

/// Whose messages about a node's lease must be.
public(package) fun parties(self: &Stack, node: ID): Parties {
    self.parties_of(node, self.lease_of(node).key())
}

/// A node's lease.
public(package) fun lease_of(self: &Stack, node: ID): &Lease {
    &self.leases[self.leased_at(node)]
}

public(package) fun lease_of_mut(self: &mut Stack, node: ID): &mut Lease {
    let place = self.leased_at(node);
    &mut self.leases[place]
}

/// A node's lease, unless it is closed.
public(package) fun open_lease_mut(self: &mut Stack, node: ID): &mut Lease {
    let lease = self.lease_of_mut(node);
    lease.assert_open();
    lease
}

/// One of a lease's open tickets.
public(package) fun ticket(self: &Stack, node: ID, to_seq: u64): &Ticket {
    self.lease_of(node).ticket(to_seq)
}

public(package) fun ticket_mut(self: &mut Stack, node: ID, to_seq: u64): &mut Ticket {
    self.lease_of_mut(node).ticket_mut(to_seq)
}

/// What an open lease has its node at stake for.
public(package) fun stake(self: &Stack, node: ID): u64 {
    let lease = self.lease_of(node);
    if (lease.is_closed()) 0 else self.terms.fine(lease.unpaid())
}

/// Takes what a claim is worth out of the escrow.
public(package) fun take_escrow(self: &mut Stack, amount: u64): Balance<USDC> {
    money::take(&mut self.escrow, amount)
}

/// Adds to the owner's credit.
public(package) fun put_free(self: &mut Stack, money: Balance<USDC>) {
    money::put(&mut self.free, money);
}

/// Takes back what was freed a moment ago.
public(package) fun take_free(self: &mut Stack, amount: u64): Balance<USDC> {
    money::take(&mut self.free, amount)
}

/// Frees what the escrow no longer needs; says how much.
public(package) fun fit(self: &mut Stack): u64 {
    // parts never cost more than their sum, so the escrow always suffices
    let surplus = money::sub(self.escrow.value(), self.escrow_for(self.live_units()));
    money::put(&mut self.free, self.escrow.split(surplus));
    surplus
}

/// Closes a lease: whatever of it isn't paid is the owner's credit, and nothing is at stake for it any more.
/// Its tickets, which are void, and what was freed.
public(package) fun close_lease(self: &mut Stack, node: &mut Node): (vector<Ticket>, u64) {
    let id = object::id(node);
    let before = self.stake(id);
    let lease = self.lease_of_mut(id);
    let tickets = lease.close();
    node.earn(lease.take_fees());
    node.restake(before, 0);
    (tickets, self.fit())
}

/// Whether nothing more can come of an open lease.
public(package) fun is_done(self: &Stack, node: ID, now: u64): bool {
    let lease = self.lease_of(node);
    let all_paid = now >= self.expires_at_ms && lease.units() == lease.paid_units();
    !lease.is_closed() && !lease.has_tickets() && (all_paid || now > self.settle_deadline())
}

/// Closes a lease of which nothing more comes.
public(package) fun close_if_done(self: &mut Stack, node: &mut Node, now: u64) {
    let id = object::id(node);
    if (!self.is_done(id, now)) return;
    let (tickets, freed) = self.close_lease(node);
    tickets.destroy_empty();
    event::emit(LeaseClosed {
        stack: object::id(self),
        node: id,
        paid_units: self.lease_of(id).paid_units(),
        freed,
    });
}

// === inside ===

fun parties_of(self: &Stack, node: ID, response_key: Bytes32): Parties {
    verified::parties(object::id(self), node, self.task, self.request_key, response_key)
}

/// Units that the escrow is for.
fun live_units(self: &Stack): u64 {
    let mut live = self.ungranted;
    self.leases.do_ref!(|lease| {
        if (!lease.is_closed()) live = money::saturating_add(live, lease.units())
    });
    live
}

/// What the escrow must be, were there so many live units.
fun escrow_for(self: &Stack, live: u64): u64 {
    let mut rest = money::escrow(live, self.max_price);
    self.leases.do_ref!(|lease| {
        if (!lease.is_closed()) rest = money::sub(rest, lease.paid_cost())
    });
    rest
}

fun place(self: &Stack, node: ID): Option<u64> {
    self.leases.find_index!(|lease| lease.node() == node)
}

fun leased_at(self: &Stack, node: ID): u64 {
    let place = self.place(node);
    assert!(place.is_some(), ENoSuchLease);
    place.destroy_some()
}

#[test_only]
public(package) fun acquire_for_testing(
    db: &AtomaDb,
    task: &Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    seed: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    acquire_by_seed(
        db,
        task,
        payment,
        total_units,
        max_price,
        nodes,
        request_key,
        lifetime_ms,
        &bytes32::read(seed).destroy_some(),
        clock,
        ctx,
    )
}

#[test_only]
/// The entry function itself, with the beacon.
public(package) fun acquire_by_beacon_for_testing(
    db: &AtomaDb,
    task: &Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    acquire(
        db,
        task,
        payment,
        total_units,
        max_price,
        nodes,
        request_key,
        lifetime_ms,
        random,
        clock,
        ctx,
    )
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut Stack, version: u64) { self.version = version; }

#[test_only]
/// Adds a lease that nobody was granted.
public(package) fun add_lease_for_testing(self: &mut Stack, lease: Lease) {
    self.leases.push_back(lease);
}

#[test_only]
public(package) fun candidates_for_testing(self: &Stack): vector<ID> { self.candidates }
