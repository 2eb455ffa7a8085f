/// The singleton: parameters, registers and the communal treasury. Only registration, parameters and
/// the treasury change it, so that unrelated users never contend for it.
module atoma::db;

use atoma::book::{Self, EpochBook};
use atoma::money;
use atoma::params::{Self, Params};
use atoma::version;
use std::string::String;
use sui::balance::{Self, Balance};
use sui::event;
use sui::table::{Self, Table};
use usdc::usdc::USDC;

/// The administrator has paused new business.
const EPaused: u64 = 4;
/// The AdminCap is for another database.
const EWrongDatabase: u64 = 101;

/// Shared.
public struct AtomaDb has key {
    id: UID,
    /// Version of the rules that may touch it.
    version: u64,
    params: Params,
    /// Nodes by small number.
    nodes: Table<u64, ID>,
    /// Number of live tasks by model name.
    models: Table<String, u64>,
    /// Tasks by small number.
    tasks: Table<u64, ID>,
    /// Fees and slashes, paid out to working nodes epoch by epoch.
    communal_treasury: Balance<USDC>,
    /// Who did how much, for the payouts.
    book: EpochBook,
}

/// Who holds it may set parameters.
public struct AdminCap has key, store {
    id: UID,
    /// The database it is for.
    db: ID,
}

/// A parameter was set.
public struct ParamSet has copy, drop {
    name: String,
    value: u64,
}

fun init(ctx: &mut TxContext) {
    let db = AtomaDb {
        id: object::new(ctx),
        version: version::current(),
        params: params::first(),
        nodes: table::new(ctx),
        models: table::new(ctx),
        tasks: table::new(ctx),
        communal_treasury: balance::zero(),
        book: book::open(0),
    };
    let cap = AdminCap { id: object::new(ctx), db: object::id(&db) };
    transfer::share_object(db);
    transfer::transfer(cap, ctx.sender());
}

/// Sets a parameter.
public fun set_param(self: &mut AtomaDb, cap: &AdminCap, name: String, value: u64) {
    self.assert_current();
    self.assert_cap(cap);
    self.params.set(&name, value);
    event::emit(ParamSet { name, value });
}

/// Takes the database over from an older version of the package, whose functions stop with it. No
/// part of the rules: only an upgrade needs it.
public fun migrate(self: &mut AtomaDb, cap: &AdminCap) {
    self.assert_cap(cap);
    self.version = version::next(self.version);
}

// === what other modules work with ===

/// Every function that takes the database asks this first.
public(package) fun assert_current(self: &AtomaDb) {
    version::assert_is_current(self.version);
}

/// New business stops while the administrator has paused it. Exits never ask.
public(package) fun assert_open(self: &AtomaDb) {
    assert!(self.params.paused() == 0, EPaused);
}

public(package) fun params(self: &AtomaDb): &Params { &self.params }

/// The epoch of a moment, and whether its second half has begun.
public(package) fun epoch_at(self: &AtomaDb, now: u64): (u64, bool) {
    let length = self.params.epoch_ms();
    (now / length, now % length >= length / 2)
}

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

public(package) fun book(self: &AtomaDb): &EpochBook { &self.book }

public(package) fun book_mut(self: &mut AtomaDb): &mut EpochBook { &mut self.book }

public(package) fun open_book(self: &mut AtomaDb, epoch: u64) {
    self.book = book::open(epoch);
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

#[test_only]
public(package) fun live_tasks_for_testing(self: &AtomaDb, model: String): u64 {
    if (self.models.contains(model)) self.models[model] else 0
}

#[test_only]
public(package) fun node_for_testing(self: &AtomaDb, number: u64): ID { self.nodes[number] }

#[test_only]
public(package) fun task_for_testing(self: &AtomaDb, number: u64): ID { self.tasks[number] }
