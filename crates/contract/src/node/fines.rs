//! Fines wait: a bad release must not cost everybody their collateral before anyone has looked at it.

use crate::{Rule, Txn, db, ensure, minus, plus};
use atoma_types::{
    MicroUsdc,
    chain::{
        AbortCode, NodeStatus,
        calls::{Forfeit, Pardon},
        events::{FinesForfeited, FinesPardoned},
    },
};

/// The administrator returns fines to where they came from; to nobody else.
pub(crate) fn pardon(txn: &mut Txn<'_>, call: &Pardon) -> Rule {
    db::administered(txn, call.db.id(), call.cap.id())?;
    let mut node = txn.node(call.node.id())?;
    let amount = call.amount;
    let some = amount > MicroUsdc::ZERO && amount <= node.pending.fines;
    ensure(some, AbortCode::NothingPending)?;
    ensure(txn.now() <= node.pending.until_ms, AbortCode::PardonOver)?;
    node.pending.fines = minus(node.pending.fines, amount)?;
    if node.status == NodeStatus::Left {
        node.earnings = plus(node.earnings, amount)?;
    } else {
        node.collateral = plus(node.collateral, amount)?;
    }
    txn.emit(FinesPardoned {
        node: node.id,
        amount,
        collateral: node.collateral,
    });
    txn.put_node(node);
    Ok(())
}

/// Fines become the treasury's. Anyone may.
pub(crate) fn forfeit(txn: &mut Txn<'_>, call: &Forfeit) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut node = txn.node(call.node.id())?;
    ensure(
        node.pending.fines > MicroUsdc::ZERO,
        AbortCode::NothingPending,
    )?;
    ensure(txn.now() > node.pending.until_ms, AbortCode::PardonNotOver)?;
    let amount = std::mem::take(&mut node.pending.fines);
    db.communal_treasury = plus(db.communal_treasury, amount)?;
    txn.emit(FinesForfeited {
        node: node.id,
        amount,
    });
    txn.put_db(db);
    txn.put_node(node);
    Ok(())
}
