//! A node's collateral and credit.

use super::{ensure_active, set_status};
use crate::{Rule, Txn, ensure, plus, standing};
use atoma_types::{
    DurationMs, MicroUsdc,
    chain::{
        AbortCode, NodeStatus,
        calls::{AddCollateral, BeginUnbonding, LeaveNode, WithdrawEarnings},
        events::{CollateralAdded, EarningsWithdrawn, NodeLeft},
    },
};

/// Adds collateral. It is at stake for new leases at once, and weighs in draws when it has matured. Not to a
/// node that is leaving: money put there would only wait.
pub(crate) fn add_collateral(txn: &mut Txn<'_>, call: &AddCollateral) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut node = txn.own_node(call.node.id())?;
    let stays = matches!(node.status, NodeStatus::Active | NodeStatus::Jailed { .. });
    ensure(stays, AbortCode::NodeNotActive)?;
    let added = call.collateral.0;
    ensure(added > MicroUsdc::ZERO, AbortCode::NothingAdded)?;
    txn.take(added)?;
    standing::diluted(&mut node, added);
    let still_fresh = if txn.now() < node.matures_at_ms {
        node.fresh
    } else {
        MicroUsdc::ZERO
    };
    node.fresh = plus(still_fresh, added)?;
    node.matures_at_ms = txn.now().saturating_add(DurationMs(db.params.maturity_ms));
    node.collateral = plus(node.collateral, added)?;
    txn.emit(CollateralAdded {
        node: node.id,
        collateral: node.collateral,
    });
    txn.put_node(node);
    Ok(())
}

/// Begins to leave: no new leases and no draws from here on. Leases that are open go on.
pub(crate) fn begin_unbonding(txn: &mut Txn<'_>, call: &BeginUnbonding) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    ensure_active(txn, &node)?;
    ensure(node.subscriptions == 0, AbortCode::NodeHasSubscriptions)?;
    let until_ms = txn.now().saturating_add(node.unbonding_ms);
    set_status(txn, &mut node, NodeStatus::Unbonding { until_ms });
    txn.put_node(node);
    Ok(())
}

/// Makes the collateral its owner's credit, once it has waited and nothing is at stake.
pub(crate) fn leave(txn: &mut Txn<'_>, call: &LeaveNode) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    let NodeStatus::Unbonding { until_ms } = node.status else {
        return Err(AbortCode::NotUnbonding);
    };
    ensure(txn.now() >= until_ms, AbortCode::UnbondingNotOver)?;
    ensure(node.at_stake == MicroUsdc::ZERO, AbortCode::AtStake)?;
    let amount = std::mem::take(&mut node.collateral);
    node.fresh = MicroUsdc::ZERO;
    node.earnings = plus(node.earnings, amount)?;
    set_status(txn, &mut node, NodeStatus::Left);
    txn.emit(NodeLeft {
        node: node.id,
        amount,
    });
    txn.put_node(node);
    Ok(())
}

/// Pays the whole credit out, to whatever address the owner names.
pub(crate) fn withdraw(txn: &mut Txn<'_>, call: &WithdrawEarnings) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    let amount = std::mem::take(&mut node.earnings);
    ensure(amount > MicroUsdc::ZERO, AbortCode::NothingToWithdraw)?;
    txn.pay(call.to, amount);
    txn.emit(EarningsWithdrawn {
        node: node.id,
        to: call.to,
        amount,
    });
    txn.put_node(node);
    Ok(())
}
