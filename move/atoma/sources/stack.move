/// Stacks: bought, leased to nodes, grown, taken back.
///
/// At every moment `escrow == money::escrow(total_units - closed_units, max_price, surcharge)`. What a
/// payment, a revocation or a close frees beyond that goes back to the owner in the same step.
module atoma::stack;

use atoma::bytes32::{Self, Bytes32};
use atoma::db::AtomaDb;
use atoma::draw;
use atoma::lease::{Self, Lease, Ticket};
use atoma::limits;
use atoma::money;
use atoma::node::Node;
use atoma::verified::{Self, Parties};
use atoma::signature;
use atoma::task::Task;
use atoma::version;
use sui::balance::Balance;
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
/// The selection must be 0 (single), 1 (limited) or 2 (any).
const ESelectionInvalid: u64 = 404;
/// A limited selection draws 1 to 16 nodes; the others take 0 here.
const ENodeCountInvalid: u64 = 405;
/// The request key is not a strong ed25519 public key.
const ERequestKeyInvalid: u64 = 406;
/// The stack would live shorter or longer than the parameters allow.
const ELifetimeInvalid: u64 = 407;
/// The stack would cost nothing.
const EEscrowZero: u64 = 409;
/// The payment must be exactly what the escrow needs.
const EWrongPayment: u64 = 410;
/// No node fits now.
const ENobodyEligible: u64 = 411;
/// The stack is closed and paid out.
const EStackClosed: u64 = 413;
/// The stack has expired or is closing.
const EStackExpired: u64 = 414;
/// The drawn node already has all units of a single stack.
const ESingleTakesNoGrants: u64 = 415;
/// The node was not drawn for this stack.
const ENotCandidate: u64 = 416;
/// The lease already has that many units.
const EGrantNotHigher: u64 = 423;
/// The lease is settling or closed and is never reopened.
const ELeaseClosed: u64 = 424;
/// The stack has as many leases as it can hold.
const ELeasesFull: u64 = 425;
/// The stack has not enough ungranted units.
const ELeasesExceedStack: u64 = 426;
/// The node's price is above the stack's highest.
const EPriceAboveMax: u64 = 428;
/// The extension is zero, or the stack would live longer than the parameters allow.
const EExtensionInvalid: u64 = 430;
/// Every unit is granted.
const ENothingUngranted: u64 = 431;
/// Nodes may still settle.
const EGraceNotOver: u64 = 432;
/// A lease is open or settling.
const ELeasesNotClosed: u64 = 433;
/// The node holds no lease on this stack.
const ENoSuchLease: u64 = 500;

/// More choice serves nobody, and each candidate is looked for again at every lease.
const MAX_CANDIDATES: u8 = 16;
/// Closed ones included: bounds what is walked through at every step.
const MAX_LEASES: u64 = 32;
const SEED_BYTES: u16 = 32;

/// The bytes by which a selection is chosen.
const SINGLE: u8 = 0;
const LIMITED: u8 = 1;
const ANY: u8 = 2;

/// A prepaid purchase. Shared.
public struct Stack has key {
    id: UID,
    /// Who bought it and gets the rest back.
    owner: address,
    /// What it is for.
    task: ID,
    /// Signs requests and grants.
    request_key: Bytes32,
    /// No lease costs more.
    max_price: u64,
    /// Escrowed on top for audits (thousandths), as at purchase.
    surcharge_permille: u64,
    /// The protocol's share (thousandths), as at purchase.
    fee_permille: u64,
    /// Units bought, less those revoked.
    total_units: u64,
    /// Units of leases that are closed.
    closed_units: u64,
    selection: Selection,
    /// The drawn nodes.
    candidates: vector<ID>,
    /// Units given to nodes.
    leases: vector<Lease>,
    /// The money; the stakes of disputes lie beside it, in the leases' tickets.
    escrow: Balance<USDC>,
    created_at_ms: u64,
    /// No request or new lease after this.
    expires_at_ms: u64,
    /// Nodes may settle for this long after the expiry, as at purchase.
    settle_grace_ms: u64,
    /// How long a ticket waits, as at purchase.
    dispute_window_ms: u64,
    /// How long a node has to answer a dispute, as at purchase.
    answer_window_ms: u64,
    /// What the owner stakes on a dispute, as at purchase.
    dispute_bond: u64,
    /// Everything is paid.
    closed: bool,
}

/// Who may serve a stack.
public enum Selection has copy, drop, store {
    /// One node drawn at purchase; it has all units.
    Single,
    /// This many distinct nodes drawn at purchase; the owner grants units among them.
    Limited { nodes: u8 },
    /// Any subscribed node that the owner grants units to.
    Any,
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
    selection: Selection,
    candidates: vector<ID>,
    expires_at_ms: u64,
    settle_grace_ms: u64,
}

/// A node was given units of a stack, or more of them. Carries all a node needs to serve.
public struct Leased has copy, drop {
    stack: ID,
    node: ID,
    task: ID,
    owner: address,
    request_key: Bytes32,
    units: u64,
    price: u64,
    expires_at_ms: u64,
    settle_grace_ms: u64,
}

/// Units were added to a stack.
public struct ToppedUp has copy, drop {
    stack: ID,
    total_units: u64,
    paid: u64,
}

/// A stack's end moved: later by `extend`, to now by `begin_close`.
public struct ExpiryChanged has copy, drop {
    stack: ID,
    expires_at_ms: u64,
    closing: bool,
}

/// The owner took back what no node had.
public struct UngrantedRevoked has copy, drop {
    stack: ID,
    units: u64,
    refunded: u64,
}

/// Everything is paid.
public struct StackClosed has copy, drop { stack: ID }

// === buying ===

/// Buys a stack and draws its nodes. Where too few fit, it aborts and the payment stays whole.
///
/// Private, so that no module can look at the draw and abort: it is called by a transaction itself,
/// which can do nothing after it but transfer and merge.
entry fun acquire(
    db: &AtomaDb,
    task: &mut Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    selection: u8,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    random: &Random,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let seed = random.new_generator(ctx).generate_bytes(SEED_BYTES);
    acquire_by_seed(
        db,
        task,
        payment,
        total_units,
        max_price,
        selection,
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
    task: &mut Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    selection: u8,
    nodes: u8,
    request_key: vector<u8>,
    lifetime_ms: u64,
    seed: &vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    db.assert_current();
    db.assert_open();
    task.assert_current();
    task.assert_live();
    let selection = read_selection(selection, nodes);
    assert!(total_units > 0 && total_units <= limits::max_units(), EUnitsInvalid);
    assert!(max_price > 0 && max_price <= task.price_ceiling(), EMaxPriceInvalid);
    assert!(signature::is_key(&request_key), ERequestKeyInvalid);
    let request_key = bytes32::read(request_key).destroy_some();
    let params = db.params();
    let lives = lifetime_ms >= params.min_lifetime_ms() && lifetime_ms <= params.max_lifetime_ms();
    assert!(lives, ELifetimeInvalid);
    let surcharge_permille = if (task.samples()) params.sampling_surcharge_permille() else 0;
    let escrow = money::escrow(total_units, max_price, surcharge_permille);
    // a stack that costs nothing would take nodes' capacity for nothing
    assert!(escrow > 0, EEscrowZero);
    assert!(payment.value() == escrow, EWrongPayment);
    let candidates = draw_nodes(db, task, total_units, max_price, &selection, seed);

    let now = clock.timestamp_ms();
    let mut stack = Stack {
        id: object::new(ctx),
        owner: ctx.sender(),
        task: object::id(task),
        request_key,
        max_price,
        surcharge_permille,
        fee_permille: params.protocol_fee_permille(),
        total_units,
        closed_units: 0,
        selection,
        candidates,
        leases: vector[],
        escrow: payment.into_balance(),
        created_at_ms: now,
        expires_at_ms: money::saturating_add(now, lifetime_ms),
        settle_grace_ms: params.settle_grace_ms(),
        dispute_window_ms: params.dispute_window_ms(),
        answer_window_ms: params.answer_window_ms(),
        dispute_bond: params.dispute_bond(),
        closed: false,
    };
    event::emit(StackAcquired {
        stack: object::id(&stack),
        owner: stack.owner,
        task: stack.task,
        request_key,
        total_units,
        max_price,
        escrow,
        selection,
        candidates,
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.settle_grace_ms,
    });
    if (selection == Selection::Single) {
        let node = candidates[0];
        task.occupy(node, total_units);
        let price = task.begin_lease(node);
        stack.leases.push_back(lease::open(node, total_units, price));
        stack.announce(0);
    };
    transfer::share_object(stack);
}

fun read_selection(selection: u8, nodes: u8): Selection {
    assert!(selection <= ANY, ESelectionInvalid);
    let counted = if (selection == LIMITED) nodes >= 1 && nodes <= MAX_CANDIDATES else nodes == 0;
    assert!(counted, ENodeCountInvalid);
    if (selection == SINGLE) Selection::Single
    else if (selection == LIMITED) Selection::Limited { nodes }
    else Selection::Any
}

/// The nodes that are drawn. A single node must take all units; of others it is enough that they could
/// take something.
fun draw_nodes(
    db: &AtomaDb,
    task: &Task,
    units: u64,
    max_price: u64,
    selection: &Selection,
    seed: &vector<u8>,
): vector<ID> {
    let (room, count) = match (selection) {
        Selection::Single => (units, 1),
        Selection::Limited { nodes } => (1, *nodes as u64),
        Selection::Any => (1, 0),
    };
    let (weights, anybody) = task.draw_weights(max_price, room, db.params().collateral_cap());
    assert!(anybody, ENobodyEligible);
    draw::draw(seed, weights, count).map!(|place| task.node_at(place))
}

// === leasing ===

/// A node takes a signed grant to the ledger and so gets the units, or raises its lease to them.
public fun lease(
    db: &AtomaDb,
    stack: &mut Stack,
    task: &mut Task,
    node: &Node,
    grant: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    db.assert_open();
    stack.assert_current();
    task.assert_current();
    node.assert_current();
    node.assert_owner(ctx);
    stack.assert_task(task);
    let now = clock.timestamp_ms();
    assert!(!stack.closed, EStackClosed);
    assert!(now < stack.expires_at_ms, EStackExpired);
    task.assert_live();
    node.assert_active(now);
    stack.assert_selected(node);
    let granted = stack.parties(node).granted_units(&grant, &signature, now);

    let id = object::id(node);
    let place = stack.place(id);
    let held = if (place.is_some()) {
        let lease = &stack.leases[*place.borrow()];
        assert!(lease.is_open(), ELeaseClosed);
        lease.units()
    } else {
        assert!(stack.leases.length() < MAX_LEASES, ELeasesFull);
        0
    };
    assert!(granted > held, EGrantNotHigher);
    let added = granted - held;
    assert!(added <= stack.ungranted_units(), ELeasesExceedStack);
    task.assert_fits(node);
    task.occupy(id, added);
    let place = if (place.is_some()) {
        let place = place.destroy_some();
        stack.leases[place].set_units(granted);
        place
    } else {
        let price = task.begin_lease(id);
        assert!(price <= stack.max_price, EPriceAboveMax);
        stack.leases.push_back(lease::open(id, granted, price));
        stack.leases.length() - 1
    };
    stack.announce(place);
}

fun assert_selected(self: &Stack, node: &Node) {
    match (&self.selection) {
        Selection::Single => abort ESingleTakesNoGrants,
        Selection::Limited { .. } => {
            assert!(self.candidates.contains(&object::id(node)), ENotCandidate)
        },
        Selection::Any => {},
    }
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
        units: lease.units(),
        price: lease.price(),
        expires_at_ms: self.expires_at_ms,
        settle_grace_ms: self.settle_grace_ms,
    });
}

// === growing ===

/// Adds units at the stack's own terms. Those of a single stack go to its lease, so the node must have
/// room and still take some. A pause doesn't stop it: the deal is made already.
public fun top_up(
    self: &mut Stack,
    task: &mut Task,
    payment: Coin<USDC>,
    units: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    self.assert_current();
    task.assert_current();
    self.assert_owner(ctx);
    self.assert_task(task);
    assert!(clock.timestamp_ms() < self.expires_at_ms, EStackExpired);
    task.assert_live();
    assert!(units > 0, EUnitsInvalid);
    let total = money::saturating_add(self.total_units, units);
    assert!(total <= limits::max_units(), EUnitsInvalid);
    let lacking = money::sub(self.required(total), self.escrow.value());
    assert!(payment.value() == lacking, EWrongPayment);

    money::put(&mut self.escrow, payment.into_balance());
    self.total_units = total;
    event::emit(ToppedUp { stack: object::id(self), total_units: total, paid: lacking });
    if (self.selection == Selection::Single) {
        // it was leased when the stack was bought, and leases stay
        let lease = &mut self.leases[0];
        assert!(lease.is_open(), ELeaseClosed);
        task.occupy(lease.node(), units);
        let raised = lease.units() + units;
        lease.set_units(raised);
        self.announce(0);
    }
}

/// Lets a stack that hasn't expired live longer, up to the longest life a new one could have.
public fun extend(
    db: &AtomaDb,
    stack: &mut Stack,
    by_ms: u64,
    clock: &Clock,
    ctx: &TxContext,
) {
    db.assert_current();
    stack.assert_current();
    stack.assert_owner(ctx);
    assert!(clock.timestamp_ms() < stack.expires_at_ms, EStackExpired);
    let life = (stack.expires_at_ms as u128) + (by_ms as u128) - (stack.created_at_ms as u128);
    let allowed = by_ms > 0 && life <= (db.params().max_lifetime_ms() as u128);
    assert!(allowed, EExtensionInvalid);
    stack.expires_at_ms = money::add(stack.expires_at_ms, by_ms);
    event::emit(ExpiryChanged {
        stack: object::id(stack),
        expires_at_ms: stack.expires_at_ms,
        closing: false,
    });
}

// === leaving ===

/// The owner takes back the units that no node has.
public fun revoke_ungranted(self: &mut Stack, ctx: &mut TxContext) {
    self.assert_current();
    self.assert_owner(ctx);
    assert!(self.ungranted_units() > 0, ENothingUngranted);
    self.revoke(ctx);
    self.close_if_done();
}

/// The owner ends the stack now: what nobody has goes back at once, and nodes settle within the grace.
public fun begin_close(self: &mut Stack, clock: &Clock, ctx: &mut TxContext) {
    self.assert_current();
    self.assert_owner(ctx);
    self.expires_at_ms = self.expires_at_ms.min(clock.timestamp_ms());
    event::emit(ExpiryChanged {
        stack: object::id(self),
        expires_at_ms: self.expires_at_ms,
        closing: true,
    });
    if (self.ungranted_units() > 0) self.revoke(ctx);
    self.close_if_done();
}

/// Pays an expired stack's rest to its owner, once no lease can claim any of it. Anyone may.
public fun close_after_expiry(self: &mut Stack, clock: &Clock, ctx: &mut TxContext) {
    self.assert_current();
    assert!(!self.closed, EStackClosed);
    assert!(clock.timestamp_ms() > self.settle_deadline(), EGraceNotOver);
    assert!(self.leases.all!(|lease| lease.is_closed()), ELeasesNotClosed);
    self.revoke(ctx);
    self.close_if_done();
}

/// Takes a stack over from an older version of the package. Anyone may.
public fun migrate(self: &mut Stack) {
    version::migrate(&mut self.id);
}

/// Takes the ungranted units out of the stack and pays their escrow back.
fun revoke(self: &mut Stack, ctx: &mut TxContext) {
    let units = self.ungranted_units();
    self.total_units = self.total_units - units;
    let refunded = self.refund(ctx);
    event::emit(UngrantedRevoked { stack: object::id(self), units, refunded });
}

// === what other modules work with ===

public(package) fun assert_current(self: &Stack) {
    version::assert_current(&self.id);
}

/// The sender bought it, and it still holds money.
public(package) fun assert_owner(self: &Stack, ctx: &TxContext) {
    assert!(self.owner == ctx.sender(), ENotStackOwner);
    assert!(!self.closed, EStackClosed);
}

public(package) fun assert_task(self: &Stack, task: &Task) {
    assert!(self.task == object::id(task), EWrongTask);
}

public(package) fun owner(self: &Stack): address { self.owner }

public(package) fun fee_permille(self: &Stack): u64 { self.fee_permille }

public(package) fun dispute_window_ms(self: &Stack): u64 { self.dispute_window_ms }

public(package) fun answer_window_ms(self: &Stack): u64 { self.answer_window_ms }

public(package) fun dispute_bond(self: &Stack): u64 { self.dispute_bond }

/// The last moment at which nodes can settle.
public(package) fun settle_deadline(self: &Stack): u64 {
    money::saturating_add(self.expires_at_ms, self.settle_grace_ms)
}

/// Whose messages about this stack and a node must be.
public(package) fun parties(self: &Stack, node: &Node): Parties {
    verified::parties(
        object::id(self),
        object::id(node),
        self.task,
        self.request_key,
        node.response_key(),
    )
}

/// A node's lease.
public(package) fun lease_of(self: &Stack, node: ID): &Lease {
    &self.leases[self.leased_at(node)]
}

public(package) fun lease_of_mut(self: &mut Stack, node: ID): &mut Lease {
    let place = self.leased_at(node);
    &mut self.leases[place]
}

/// Puts a node's lease under a ticket.
public(package) fun settle_lease(self: &mut Stack, node: ID, ticket: Ticket) {
    let place = self.leased_at(node);
    let lease = self.leases.swap_remove(place);
    self.put_back(lease.settle(ticket), place);
}

/// Marks a lease closed and gives its units back to the node's capacity; returns the stakes of its
/// disputes.
public(package) fun close_lease(
    self: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    paid_units: u64,
    paid: u64,
    now: u64,
): Balance<USDC> {
    let id = object::id(node);
    let place = self.leased_at(id);
    let (lease, bonds) = self.leases.swap_remove(place).close(paid_units, paid);
    let units = lease.units();
    self.put_back(lease, place);
    self.closed_units = self.closed_units + units;
    task.end_lease(id, units);
    task.refresh(node, now);
    bonds
}

/// Takes what a lease cost out of the escrow: it is below it, see `required`.
public(package) fun take_escrow(self: &mut Stack, amount: u64): Balance<USDC> {
    money::take(&mut self.escrow, amount)
}

/// Pays the owner what the stack no longer needs to hold; says how much.
public(package) fun refund(self: &mut Stack, ctx: &mut TxContext): u64 {
    // payments leave enough for the rest: floors of parts never exceed the floor of their sum
    let surplus = money::sub(self.escrow.value(), self.required(self.total_units));
    money::pay(self.escrow.split(surplus), self.owner, ctx);
    surplus
}

/// Closes a stack of which nothing is left.
public(package) fun close_if_done(self: &mut Stack) {
    if (!self.closed && self.total_units == self.closed_units) {
        self.closed = true;
        event::emit(StackClosed { stack: object::id(self) });
    }
}

// === inside ===

/// What the stack must hold for the units that aren't closed yet, were there `total` of them.
fun required(self: &Stack, total: u64): u64 {
    let open = money::sub(total, self.closed_units);
    money::escrow(open, self.max_price, self.surcharge_permille)
}

/// Units that the owner can still grant or take back.
fun ungranted_units(self: &Stack): u64 {
    let mut granted = 0;
    self.leases.do_ref!(|lease| granted = granted + lease.units());
    self.total_units - granted
}

fun place(self: &Stack, node: ID): Option<u64> {
    self.leases.find_index!(|lease| lease.node() == node)
}

fun leased_at(self: &Stack, node: ID): u64 {
    let place = self.place(node);
    assert!(place.is_some(), ENoSuchLease);
    place.destroy_some()
}

/// Undoes a `swap_remove`: the lease stands at its place again, and the last one last.
fun put_back(self: &mut Stack, lease: Lease, place: u64) {
    self.leases.push_back(lease);
    let last = self.leases.length() - 1;
    self.leases.swap(place, last);
}

#[test_only]
public(package) fun acquire_for_testing(
    db: &AtomaDb,
    task: &mut Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    selection: u8,
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
        selection,
        nodes,
        request_key,
        lifetime_ms,
        &seed,
        clock,
        ctx,
    )
}

#[test_only]
/// The entry function itself, with the beacon.
public(package) fun acquire_by_beacon_for_testing(
    db: &AtomaDb,
    task: &mut Task,
    payment: Coin<USDC>,
    total_units: u64,
    max_price: u64,
    selection: u8,
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
        selection,
        nodes,
        request_key,
        lifetime_ms,
        random,
        clock,
        ctx,
    )
}

#[test_only]
public(package) fun uid_for_testing(self: &mut Stack): &mut UID { &mut self.id }

#[test_only]
/// Fills the list up with closed leases of a node that isn't there.
public(package) fun fill_for_testing(self: &mut Stack, node: ID) {
    while (self.leases.length() < MAX_LEASES) {
        let (lease, bonds) = lease::open(node, 0, 1).close(0, 0);
        bonds.destroy_zero();
        self.leases.push_back(lease);
    }
}

#[test_only]
public(package) fun escrow_for_testing(self: &Stack): u64 { self.escrow.value() }

#[test_only]
public(package) fun candidates_for_testing(self: &Stack): vector<ID> { self.candidates }

#[test_only]
public(package) fun is_closed_for_testing(self: &Stack): bool { self.closed }

#[test_only]
public(package) fun expires_at_for_testing(self: &Stack): u64 { self.expires_at_ms }

#[test_only]
public(package) fun total_units_for_testing(self: &Stack): u64 { self.total_units }
