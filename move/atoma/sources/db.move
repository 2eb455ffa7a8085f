/// The singleton: parameters, registers and the communal treasury. Only registration, parameters and
/// the treasury change it; no exit reads it.
module atoma::db;

use atoma::money;
use atoma::params::{Self, Params};
use atoma::version;
use std::string::String;
use sui::balance::{Self, Balance};
use sui::clock::Clock;
use sui::dynamic_field;
use sui::event;
use sui::table::{Self, Table};
use usdc::usdc::USDC;

/// The administrator has paused new business.
const EPaused: u64 = 4;
/// The AdminCap is for another database.
const EWrongDatabase: u64 = 101;
/// There are nodes or tasks already.
const EInUse: u64 = 106;
/// The newest version was not announced, or its notice is not over.
const ENoticeNotOver: u64 = 107;

/// How long a version is announced before objects go over to it, and programs of the one before can do nothing more
/// for them: a week, so that every operator knows the moment, and no other party chooses it.
const NOTICE_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Shared.
public struct AtomaDb has key {
    id: UID,
    /// Version of the rules that may touch it.
    version: u64,
    /// Whether parameters may be below their floors: for networks on which nothing is worth anything.
    development: bool,
    params: Params,
    /// Nodes by small number.
    nodes: Table<u64, ID>,
    /// Number of live tasks by model name.
    models: Table<String, u64>,
    /// Tasks by small number.
    tasks: Table<u64, ID>,
    /// Fees and fines, paid out to working nodes epoch by epoch.
    communal_treasury: Balance<USDC>,
    /// The epoch that is being reported or paid.
    book: EpochBook,
}

/// The sum of one closed epoch. There is no list, so nothing to fill.
public struct EpochBook has drop, store {
    /// Whole days since 1970.
    epoch: u64,
    /// Sum of the reported fees.
    fees: u64,
    /// What they share; fixed by the first payout, of the treasury as it then is.
    pool: Option<u64>,
}

/// Who holds it may set parameters and pardon.
public struct AdminCap has key, store {
    id: UID,
    /// The database it is for.
    db: ID,
}

/// Where the database keeps from when it may go over to a version.
public struct Notice has copy, drop, store { version: u64 }

/// From when everything may go over to a new version of the rules. A program of the version before is of no use
/// from then on.
public struct VersionAnnounced has copy, drop {
    version: u64,
    from_ms: u64,
}

/// A parameter was set.
public struct ParamSet has copy, drop {
    name: String,
    value: u64,
}

/// The database is one for development.
public struct DevelopmentSet has copy, drop { development: bool }

fun init(ctx: &mut TxContext) {
    let db = AtomaDb {
        id: object::new(ctx),
        version: version::current(),
        development: false,
        params: params::first(),
        nodes: table::new(ctx),
        models: table::new(ctx),
        tasks: table::new(ctx),
        communal_treasury: balance::zero(),
        book: EpochBook { epoch: 0, fees: 0, pool: option::none() },
    };
    let cap = AdminCap { id: object::new(ctx), db: object::id(&db) };
    transfer::share_object(db);
    transfer::transfer(cap, ctx.sender());
}

/// Sets a parameter within its bounds.
public fun set_param(self: &mut AtomaDb, cap: &AdminCap, name: String, value: u64) {
    self.assert_administered(cap);
    self.params.set(&name, value, self.development);
    event::emit(ParamSet { name, value });
}

/// Takes the floors away, before anybody could have relied on them.
public fun set_development(self: &mut AtomaDb, cap: &AdminCap) {
    self.assert_administered(cap);
    assert!(self.nodes.is_empty() && self.tasks.is_empty(), EInUse);
    self.development = true;
    event::emit(DevelopmentSet { development: true });
}

/// Says that this version of the package will be the only one once the notice is over. Said again, it changes nothing. No
/// part of the rules: only an upgrade needs it.
public fun announce(self: &mut AtomaDb, cap: &AdminCap, clock: &Clock) {
    self.assert_cap(cap);
    let version = version::next(self.version);
    let notice = Notice { version };
    if (dynamic_field::exists_(&self.id, notice)) return;
    let from_ms = money::add(clock.timestamp_ms(), NOTICE_MS);
    dynamic_field::add(&mut self.id, notice, from_ms);
    event::emit(VersionAnnounced { version, from_ms });
}

/// Takes the database over from an older version of the package, whose functions stop with it. Anyone may, once the
/// notice is over; all other objects may follow from then on, and none before.
public fun migrate(self: &mut AtomaDb, clock: &Clock) {
    let version = version::next(self.version);
    let notice = Notice { version };
    assert!(dynamic_field::exists_(&self.id, notice), ENoticeNotOver);
    let from_ms: u64 = *dynamic_field::borrow(&self.id, notice);
    assert!(clock.timestamp_ms() >= from_ms, ENoticeNotOver);
    self.version = version;
}

// === what other modules work with ===

/// Every function that takes the database asks this first.
public(package) fun assert_current(self: &AtomaDb) {
    version::assert_current(self.version);
}

/// The database is this version's, and the right is for it.
public(package) fun assert_administered(self: &AtomaDb, cap: &AdminCap) {
    self.assert_current();
    self.assert_cap(cap);
}

/// New business stops while the administrator has paused it. Exits never ask.
public(package) fun assert_open(self: &AtomaDb) {
    assert!(self.params.paused() == 0, EPaused);
}

public(package) fun params(self: &AtomaDb): &Params { &self.params }

/// Enters a node; gives it the next small number, from 1.
public(package) fun add_node(self: &mut AtomaDb, node: ID): u64 {
    add_numbered(&mut self.nodes, node)
}

/// Enters a task; gives it the next small number, from 1.
public(package) fun add_task(self: &mut AtomaDb, task: ID, model: String): u64 {
    if (self.models.contains(model)) {
        let count = &mut self.models[model];
        *count = *count + 1;
    } else {
        self.models.add(model, 1);
    };
    add_numbered(&mut self.tasks, task)
}

/// A task of this model takes no new business any more.
public(package) fun retire_task(self: &mut AtomaDb, model: String) {
    let count = &mut self.models[model];
    *count = *count - 1;
    if (*count == 0) {
        self.models.remove(model);
    }
}

public(package) fun treasury(self: &AtomaDb): u64 { self.communal_treasury.value() }

public(package) fun put_treasury(self: &mut AtomaDb, money: Balance<USDC>) {
    money::put(&mut self.communal_treasury, money);
}

public(package) fun take_treasury(self: &mut AtomaDb, amount: u64): Balance<USDC> {
    money::take(&mut self.communal_treasury, amount)
}

/// The book's epoch, its fees, and what they share.
public(package) fun book(self: &AtomaDb): (u64, u64, Option<u64>) {
    (self.book.epoch, self.book.fees, self.book.pool)
}

public(package) fun open_book(self: &mut AtomaDb, epoch: u64) {
    self.book = EpochBook { epoch, fees: 0, pool: option::none() };
}

public(package) fun enter(self: &mut AtomaDb, fees: u64) {
    self.book.fees = money::add(self.book.fees, fees);
}

public(package) fun fix_pool(self: &mut AtomaDb, pool: u64) {
    self.book.pool = option::some(pool);
}

fun assert_cap(self: &AtomaDb, cap: &AdminCap) {
    assert!(cap.db == object::id(self), EWrongDatabase);
}

fun add_numbered(table: &mut Table<u64, ID>, id: ID): u64 {
    let number = table.length() + 1;
    table.add(number, id);
    number
}

#[test_only]
public(package) fun init_for_testing(ctx: &mut TxContext) { init(ctx) }

#[test_only]
public(package) fun set_version_for_testing(self: &mut AtomaDb, version: u64) {
    self.version = version;
}

#[test_only]
/// A right to a database that isn't there.
public(package) fun foreign_cap_for_testing(ctx: &mut TxContext): AdminCap {
    AdminCap { id: object::new(ctx), db: object::id_from_address(@0xdb) }
}
