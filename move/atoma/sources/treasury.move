/// The communal treasury: fees and fines come in, and each day a part goes to the nodes that paid fees, in
/// proportion to them and never as much as they paid. Only sums are kept: there is no list to fill.
///
/// ```text
/// epoch e             nodes pay fees
/// e + 1, first half   the fees of e are reported into the book (the first report opens it)
/// from its middle on  each reported node takes min(floor(pool * fees / all fees), floor(fees * rebate / 1000))
/// ```
///
/// The pool is fixed by the first payment and stays in the treasury until it is paid, so a share that
/// nobody fetched before the next book opens is simply still there.
module atoma::treasury;

use atoma::db::AtomaDb;
use atoma::limits;
use atoma::money;
use atoma::node::Node;
use atoma::task::Task;
use sui::clock::Clock;
use sui::event;

/// The node paid no fees in the last epoch, or they are reported already.
const ENothingToReport: u64 = 601;
/// An epoch is reported in the first half of the next.
const EReportsClosed: u64 = 602;
/// The node has no unpaid share in the book.
const ENoShare: u64 = 604;
/// Shares are paid from the middle of the next epoch on.
const EPaymentsNotOpen: u64 = 605;

/// A task's fees are the treasury's.
public struct FeesCollected has copy, drop {
    task: ID,
    amount: u64,
}

/// A node's fees count.
public struct FeesReported has copy, drop {
    node: ID,
    epoch: u64,
    fees: u64,
}

/// A node was credited with its share.
public struct TreasuryPaid has copy, drop {
    node: ID,
    epoch: u64,
    amount: u64,
}

/// Sweeps a task's fees into the treasury, and its pool when nothing can need it any more. Anyone may.
public fun collect_fees(db: &mut AtomaDb, task: &mut Task, clock: &Clock) {
    db.assert_current();
    task.assert_current();
    let fees = task.take_fees(clock.timestamp_ms());
    let amount = fees.value();
    db.put_treasury(fees);
    event::emit(FeesCollected { task: object::id(task), amount });
}

/// Adds a node's fees of the last epoch to the book, once. Anyone may.
public fun report(db: &mut AtomaDb, node: &mut Node, clock: &Clock) {
    db.assert_current();
    node.assert_current();
    let now = clock.timestamp_ms();
    let epoch = money::saturating_sub(limits::epoch(now), 1);
    let fees = node.fees_of(epoch);
    assert!(fees > 0, ENothingToReport);
    assert!(!limits::second_half(now), EReportsClosed);
    node.report(epoch);
    let (open, _, _) = db.book();
    if (open != epoch) db.open_book(epoch);
    let (_, _, pool) = db.book();
    assert!(pool.is_none(), EReportsClosed);
    db.enter(fees);
    event::emit(FeesReported { node: object::id(node), epoch, fees });
}

/// Credits a node with its share of the book. Anyone may.
public fun pay(db: &mut AtomaDb, node: &mut Node, clock: &Clock) {
    db.assert_current();
    node.assert_current();
    let now = clock.timestamp_ms();
    let (epoch, fees) = node.reported();
    let (open, all, pool) = db.book();
    assert!(epoch == open && fees > 0, ENoShare);
    let paying = limits::epoch(now) > epoch + 1 || limits::second_half(now);
    assert!(paying, EPaymentsNotOpen);
    let pool = pool.destroy_or!({
        money::permille(db.treasury(), db.params().treasury_payout_permille())
    });
    db.fix_pool(pool);
    node.clear_report();
    let amount = money::share(pool, fees, all, db.params().rebate_permille());
    node.earn(db.take_treasury(amount));
    event::emit(TreasuryPaid { node: object::id(node), epoch, amount });
}
