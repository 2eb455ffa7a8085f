//! The ledger's calls for an operator's steps.

use super::command::{NodeCall, TaskCall, UpkeepCall};
use crate::{output::usdc, values::Usdc};
use anyhow::{Context, Result, ensure};
use atoma_ledger::Ledger;
use atoma_types::{
    ComputeUnits, MicroUsdc, Price,
    chain::{Call, Clock, Payment, calls},
};

impl NodeCall {
    /// The ledger's call that this becomes.
    pub(super) async fn call(&self, ledger: &Ledger) -> Result<Call> {
        let db = ledger.deployment().db;
        Ok(match self {
            Self::Register {
                url,
                collateral,
                response_key,
            } => calls::RegisterNode {
                db: db.into(),
                collateral: Payment(collateral.0),
                url: url.clone(),
                response_key: *response_key,
                sealing_key: None,
                clock: Clock,
            }
            .into(),
            Self::AddCollateral { node, amount } => calls::AddCollateral {
                db: db.into(),
                clock: Clock,
                node: node.node(ledger).await?.into(),
                collateral: Payment(amount.0),
            }
            .into(),
            Self::Unbond { node } => calls::BeginUnbonding {
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
            Self::Leave { node } => calls::LeaveNode {
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
            Self::Withdraw { node, to } => {
                let node = ledger.node(node.node(ledger).await?).await?;
                calls::WithdrawEarnings {
                    node: node.id.into(),
                    to: to.unwrap_or(node.owner),
                }
                .into()
            }
            Self::SetKeys { node, response_key } => {
                let node = ledger.node(node.node(ledger).await?).await?;
                calls::SetNodeKeys {
                    node: node.id.into(),
                    response_key: *response_key,
                    sealing_key: node.sealing_key,
                }
                .into()
            }
            Self::SetUrl { node, url } => calls::SetNodeUrl {
                node: node.node(ledger).await?.into(),
                url: url.clone(),
            }
            .into(),
            Self::Forfeit { node } => calls::Forfeit {
                db: db.into(),
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
        })
    }
}

impl TaskCall {
    /// The ledger's call that this becomes.
    pub(super) async fn call(&self, ledger: &Ledger) -> Result<Call> {
        let db = ledger.deployment().db;
        Ok(match self {
            Self::Subscribe { node, task, price } => calls::Subscribe {
                db: db.into(),
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
                price: Price(price.0.0),
                clock: Clock,
            }
            .into(),
            Self::Unsubscribe { node, task } => calls::Unsubscribe {
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
            }
            .into(),
            Self::Evict {
                node,
                task,
                evicted,
                price,
            } => calls::Evict {
                db: db.into(),
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
                evicted: evicted.node(ledger).await?.into(),
                price: Price(price.0.0),
                clock: Clock,
            }
            .into(),
            Self::Sync { node, task } => calls::SyncSubscription {
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
            Self::Attest {
                node,
                task,
                deposit,
            } => calls::EnrollAttester {
                db: db.into(),
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
                deposit: Payment(asked_deposit(ledger, *deposit).await?),
                clock: Clock,
            }
            .into(),
            Self::Resign { node, task } => calls::ResignAttester {
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
            }
            .into(),
            Self::Collect { node, task } => calls::CollectAttesterFees {
                task: task.task(ledger).await?.into(),
                node: node.node(ledger).await?.into(),
            }
            .into(),
        })
    }
}

impl UpkeepCall {
    /// The ledger's call that this becomes.
    pub(super) async fn call(&self, ledger: &Ledger) -> Result<Call> {
        let db = ledger.deployment().db;
        Ok(match self {
            Self::Settle(settle) => settle.call(ledger).await?,
            Self::Release { node, stack, units } => {
                let node = node.node(ledger).await?;
                let stack = ledger.stack(*stack).await?;
                let lease = stack.lease(node);
                let lease = lease.with_context(|| format!("{node} has no lease on this stack"))?;
                calls::ReleaseUnits {
                    stack: stack.id.into(),
                    node: node.into(),
                    units: units.map_or(lease.claimed_units(), ComputeUnits),
                    clock: Clock,
                }
                .into()
            }
            Self::Report { node } => calls::ReportFees {
                db: db.into(),
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
            Self::Share { node } => calls::PayTreasury {
                db: db.into(),
                node: node.node(ledger).await?.into(),
                clock: Clock,
            }
            .into(),
        })
    }
}

/// What the network asks of an attester, if the operator is willing to deposit as much.
async fn asked_deposit(ledger: &Ledger, most: Option<Usdc>) -> Result<MicroUsdc> {
    let asked = MicroUsdc(ledger.db().await?.params.attest_deposit);
    if let Some(Usdc(most)) = most {
        ensure!(
            asked <= most,
            "the network asks for a deposit of {} USDC, you would give {} USDC at most",
            usdc(asked.0),
            usdc(most.0)
        );
    }
    Ok(asked)
}
