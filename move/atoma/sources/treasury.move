/// The communal treasury: fees come in, and each epoch pays part of it to the nodes that worked.
///
/// ```text
/// epoch e             nodes are paid for units
/// e + 1, first half   the units of e are reported into the book (the first report opens it)
/// from its middle on  each reported node takes floor(pool * units / all units)
/// ```
///
/// The pool is fixed by the first payment and stays in the treasury until it is paid, so a share that
/// nobody fetched before the next book opens is simply still there.
module atoma::treasury;

use atoma::db::AtomaDb;
use atoma::money;
use atoma::node::Node;
use atoma::task::Task;
use sui::clock::Clock;
use sui::event;

/// The task has no fees to collect.
const ENoFees: u64 = 600;
/// The node was paid nothing in the last epoch, or it is reported already.
const ENothingToReport: u64 = 601;
/// An epoch is reported in the first half of the next.
const EReportsClosed: u64 = 602;
/// The node has no unpaid share in the book.
const ENoShare: u64 = 604;
/// Shares are paid from the middle of the next epoch on.
const EPaymentsNotOpen: u64 = 605;

/// A task's fees went into the treasury.
public struct FeesCollected has copy, drop {
    task: ID,
    amount: u64,
}

/// A node reported its units of the last epoch.
public struct UnitsReported has copy, drop {
    node: ID,
    epoch: u64,
    units: u64,
}

/// A node got its share of the treasury.
public struct TreasuryPaid has copy, drop {
    node: ID,
    epoch: u64,
    amount: u64,
}

/// Sweeps a task's fees into the treasury. Anyone may.
public fun collect_fees(db: &mut AtomaDb, task: &mut Task) {
    db.assert_current();
    task.assert_current();
    let fees = task.take_fees();
    let amount = fees.value();
    assert!(amount > 0, ENoFees);
    db.put_treasury(fees);
    event::emit(FeesCollected { task: object::id(task), amount });
}

/// Enters a node's units of the last epoch in the book, once. Anyone may.
public fun report_units(db: &mut AtomaDb, node: &mut Node, clock: &Clock) {
    db.assert_current();
    node.assert_current();
    let (epoch, second_half) = db.epoch_at(clock.timestamp_ms());
    assert!(!second_half, EReportsClosed);
    assert!(epoch > 0, ENothingToReport);
    let last = epoch - 1;
    let units = node.take_units(last);
    assert!(units > 0, ENothingToReport);
    if (db.book().epoch() != last) db.open_book(last);
    // a change of the epoch's length may turn the clock of epochs back: what is fixed stays fixed
    assert!(db.book().pool().is_none(), EReportsClosed);
    let id = object::id(node);
    db.book_mut().report(id, units);
    event::emit(UnitsReported { node: id, epoch: last, units });
}

/// Pays a node its share. Anyone may.
public fun pay(db: &mut AtomaDb, node: &Node, clock: &Clock, ctx: &mut TxContext) {
    db.assert_current();
    node.assert_current();
    let (now, second_half) = db.epoch_at(clock.timestamp_ms());
    let epoch = db.book().epoch();
    let closed = now > epoch && (now - epoch > 1 || second_half);
    assert!(closed, EPaymentsNotOpen);
    let id = object::id(node);
    let place = db.book().place(id);
    assert!(place.is_some(), ENoShare);
    let pool = db.book().pool().destroy_or!({
        money::permille(db.treasury(), db.params().treasury_payout_permille())
    });
    let amount = db.book_mut().take(place.destroy_some(), pool);
    // all parts together are at most the pool, and only this takes from the treasury
    money::pay(db.take_treasury(amount), node.owner(), ctx);
    event::emit(TreasuryPaid { node: id, epoch, amount });
}
