//! The communal treasury: fees come in, and each epoch pays part of it to the nodes that worked.
//!
//! ```text
//! epoch e            nodes are paid for units
//! e + 1, first half  the units of e are reported into the book (the first report opens it)
//! from its middle on each reported node takes floor(pool * units / all units)
//! ```
//!
//! The pool is fixed by the first payment and stays in the treasury until it is paid, so a share
//! that nobody fetched before the next book opens is simply still there.

use crate::{Rule, Txn, db, ensure, limits::MAX_SHARES};
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{
        AbortCode, EpochBook, EpochShare, Node,
        calls::{CollectFees, PayTreasury, ReportUnits},
        events::{FeesCollected, TreasuryPaid, UnitsReported},
    },
};

/// Sweeps a task's fees into the treasury. Anyone may.
pub(crate) fn collect_fees(txn: &mut Txn<'_>, call: &CollectFees) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut task = txn.task(call.task.id())?;
    ensure(task.fees > MicroUsdc::ZERO, AbortCode::NoFees)?;
    let amount = std::mem::take(&mut task.fees);
    db.communal_treasury = db
        .communal_treasury
        .checked_add(amount)
        .ok_or(AbortCode::AmountOverflow)?;
    txn.emit(FeesCollected {
        task: task.id,
        amount,
    });
    txn.put_db(db);
    txn.put_task(task);
    Ok(())
}

/// Enters a node's units of the last epoch in the book, once. Anyone may.
pub(crate) fn report_units(txn: &mut Txn<'_>, call: &ReportUnits) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut node = txn.node(call.node.id())?;
    let (epoch, second_half) = db::epoch_at(&db, txn.now());
    ensure(!second_half, AbortCode::ReportsClosed)?;
    let last = epoch.checked_sub(1).ok_or(AbortCode::NothingToReport)?;
    let units = take_units(&mut node, last);
    ensure(units > ComputeUnits::ZERO, AbortCode::NothingToReport)?;
    if db.book.epoch != last {
        db.book = EpochBook {
            epoch: last,
            ..EpochBook::default()
        };
    }
    let book = &mut db.book;
    // a change of the epoch's length may turn the clock of epochs back: what is fixed stays fixed
    ensure(book.pool.is_none(), AbortCode::ReportsClosed)?;
    ensure(book.shares.len() < MAX_SHARES, AbortCode::BookFull)?;
    book.units = book
        .units
        .checked_add(units)
        .ok_or(AbortCode::AmountOverflow)?;
    book.shares.push(EpochShare {
        node: node.id,
        units,
    });
    txn.emit(UnitsReported {
        node: node.id,
        epoch: last,
        units,
    });
    txn.put_db(db);
    txn.put_node(node);
    Ok(())
}

/// Pays a node its share. Anyone may.
pub(crate) fn pay(txn: &mut Txn<'_>, call: &PayTreasury) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let node = txn.node(call.node.id())?;
    let (epoch, second_half) = db::epoch_at(&db, txn.now());
    let closed = epoch
        .checked_sub(db.book.epoch)
        .is_some_and(|since| since > 1 || (since == 1 && second_half));
    ensure(closed, AbortCode::PaymentsNotOpen)?;
    let place = db
        .book
        .shares
        .iter()
        .position(|share| share.node == node.id)
        .ok_or(AbortCode::NoShare)?;
    let pool = match db.book.pool {
        Some(pool) => pool,
        None => db
            .communal_treasury
            .permille(db.params.treasury_payout_permille)
            .ok_or(AbortCode::AmountOverflow)?,
    };
    db.book.pool = Some(pool);
    let share = db.book.shares.remove(place);
    let amount = part(pool, share.units, db.book.units).ok_or(AbortCode::AmountOverflow)?;
    // all parts together are at most the pool, and only this takes from the treasury
    db.communal_treasury = db
        .communal_treasury
        .checked_sub(amount)
        .ok_or(AbortCode::AmountOverflow)?;
    txn.pay(node.owner, amount);
    txn.emit(TreasuryPaid {
        node: node.id,
        epoch: db.book.epoch,
        amount,
    });
    txn.put_db(db);
    Ok(())
}

/// `floor(pool * units / all)`.
pub(crate) fn part(pool: MicroUsdc, units: ComputeUnits, all: ComputeUnits) -> Option<MicroUsdc> {
    let part = (u128::from(pool.0) * u128::from(units.0)).checked_div(u128::from(all.0))?;
    u64::try_from(part).ok().map(MicroUsdc)
}

/// The node's units of that epoch, which then count no more: so they are reported once.
fn take_units(node: &mut Node, epoch: u64) -> ComputeUnits {
    [&mut node.current, &mut node.previous]
        .into_iter()
        .find(|worked| worked.epoch == epoch)
        .map(|worked| std::mem::take(&mut worked.units))
        .unwrap_or_default()
}
