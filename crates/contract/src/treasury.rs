//! The communal treasury: fees and fines come in, and each day a part goes to the nodes that paid fees, in
//! proportion to them and never as much as they paid. Only sums are kept: there is no list to fill.

use crate::{Rule, Txn, db, ensure, limits::POOL_REST_MS, minus, plus};
use atoma_types::{
    DurationMs, MicroUsdc, TimestampMs,
    chain::{
        AbortCode, EpochBook, FeesInEpoch, Task,
        calls::{CollectFees, PayTreasury, ReportFees},
        events::{FeesCollected, FeesReported, TreasuryPaid},
    },
};

/// Sweeps a task's fees into the treasury, and its pool when nothing can need it any more. Anyone may.
pub(crate) fn collect_fees(txn: &mut Txn<'_>, call: &CollectFees) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut task = txn.task(call.task.id())?;
    let mut amount = std::mem::take(&mut task.fees);
    if is_pool_over(&task, txn.now()) {
        amount = plus(amount, std::mem::take(&mut task.dues))?;
    }
    ensure(amount > MicroUsdc::ZERO, AbortCode::NoFees)?;
    db.communal_treasury = plus(db.communal_treasury, amount)?;
    txn.emit(FeesCollected {
        task: task.id,
        amount,
    });
    txn.put_db(db);
    txn.put_task(task);
    Ok(())
}

/// Whether no stack of the task can be left. Not its owner's, who would gain by ending what others use.
fn is_pool_over(task: &Task, now: TimestampMs) -> bool {
    let rest = DurationMs(POOL_REST_MS);
    task.deprecated_at_ms
        .is_some_and(|since| now > since.saturating_add(rest))
}

/// Adds a node's fees of the last epoch to the book. Reporting empties the node's counter, so nothing is
/// reported twice. Anyone may.
pub(crate) fn report(txn: &mut Txn<'_>, call: &ReportFees) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut node = txn.node(call.node.id())?;
    let now = txn.now();
    let epoch = db::epoch(now).saturating_sub(1);
    let count = if node.current.epoch == epoch {
        &mut node.current
    } else {
        &mut node.previous
    };
    ensure(
        count.epoch == epoch && count.fees > MicroUsdc::ZERO,
        AbortCode::NothingToReport,
    )?;
    ensure(!db::second_half(now), AbortCode::ReportsClosed)?;
    let fees = std::mem::take(&mut count.fees);
    if db.book.epoch != epoch {
        db.book = EpochBook {
            epoch,
            ..EpochBook::default()
        };
    }
    ensure(db.book.pool.is_none(), AbortCode::ReportsClosed)?;
    db.book.fees = plus(db.book.fees, fees)?;
    node.reported = FeesInEpoch { epoch, fees };
    txn.emit(FeesReported {
        node: node.id,
        epoch,
        fees,
    });
    txn.put_db(db);
    txn.put_node(node);
    Ok(())
}

/// Credits a node with its share of the book. Anyone may.
pub(crate) fn pay(txn: &mut Txn<'_>, call: &PayTreasury) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut node = txn.node(call.node.id())?;
    let now = txn.now();
    let FeesInEpoch { epoch, fees } = node.reported;
    ensure(
        epoch == db.book.epoch && fees > MicroUsdc::ZERO,
        AbortCode::NoShare,
    )?;
    let open = db::epoch(now) > epoch.saturating_add(1) || db::second_half(now);
    ensure(open, AbortCode::PaymentsNotOpen)?;
    let pool = match db.book.pool {
        Some(pool) => pool,
        None => db
            .communal_treasury
            .permille(db.params.treasury_payout_permille)
            .ok_or(AbortCode::AmountOverflow)?,
    };
    db.book.pool = Some(pool);
    node.reported = FeesInEpoch::default();
    let amount = share(pool, fees, db.book.fees, db.params.rebate_permille);
    db.communal_treasury = minus(db.communal_treasury, amount)?;
    node.earnings = plus(node.earnings, amount)?;
    txn.emit(TreasuryPaid {
        node: node.id,
        epoch,
        amount,
    });
    txn.put_db(db);
    txn.put_node(node);
    Ok(())
}

/// `min(pool * fees / all, fees * rebate / 1000)`, floors: no cycle of one's own money gains.
fn share(pool: MicroUsdc, fees: MicroUsdc, all: MicroUsdc, rebate_permille: u64) -> MicroUsdc {
    let part = u128::from(pool.0) * u128::from(fees.0) / u128::from(all.0.max(1));
    let rebate = u128::from(fees.0) * u128::from(rebate_permille) / 1_000;
    MicroUsdc(u64::try_from(part.min(rebate)).unwrap_or(0))
}
