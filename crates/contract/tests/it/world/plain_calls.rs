//! Calls that need no more than ids and numbers, and what a call's events say.

use super::*;

pub(crate) fn bought(changes: &Changes) -> StackId {
    match changes.events.first() {
        Some(Event::StackAcquired(event)) => event.stack,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn paid_to(changes: &Changes, party: u8) -> u64 {
    let payouts = changes.payouts.iter();
    payouts
        .filter(|payout| payout.to == address(party))
        .map(|payout| payout.amount.0)
        .sum()
}

pub(crate) fn register_call(operator: u8, collateral: u64) -> calls::RegisterNode {
    calls::RegisterNode {
        db: LOCALNET_DB.into(),
        collateral: Payment(MicroUsdc(collateral)),
        url: "http://192.0.2.1:8000".to_owned(),
        response_key: key(operator).public_key(),
        sealing_key: None,
    }
}

pub(crate) fn new_task() -> NewTask {
    let engine = EngineClass {
        model: Hash32([7; 32]),
        numerics: Numerics::DetF32V1,
        rule: Rule::Exact,
    };
    NewTask::chat("tiny", engine, Price(10_000_000))
}

pub(crate) fn subscribe_call(
    task: TaskId,
    node: NodeId,
    price: u64,
    capacity: u64,
) -> calls::Subscribe {
    calls::Subscribe {
        db: LOCALNET_DB.into(),
        task: task.into(),
        node: node.into(),
        price: Price(price),
        capacity: ComputeUnits(capacity),
    }
}

pub(crate) fn unsubscribe_call(task: TaskId, node: NodeId) -> calls::Unsubscribe {
    calls::Unsubscribe {
        task: task.into(),
        node: node.into(),
    }
}

pub(crate) fn sync_call(task: TaskId, node: NodeId) -> calls::SyncSubscription {
    calls::SyncSubscription {
        task: task.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn unbond_call(node: NodeId) -> calls::BeginUnbonding {
    calls::BeginUnbonding {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn withdraw_call(node: NodeId) -> calls::WithdrawCollateral {
    calls::WithdrawCollateral {
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn collateral_call(node: NodeId, amount: u64) -> calls::AddCollateral {
    calls::AddCollateral {
        node: node.into(),
        collateral: Payment(MicroUsdc(amount)),
    }
}

pub(crate) fn url_call(node: impl Into<ObjectId>, url: &str) -> calls::SetNodeUrl {
    calls::SetNodeUrl {
        node: node.into().into(),
        url: url.to_owned(),
    }
}

pub(crate) fn deprecate_call(task: TaskId) -> calls::DeprecateTask {
    calls::DeprecateTask {
        db: LOCALNET_DB.into(),
        task: task.into(),
    }
}

pub(crate) fn revoke_call(stack: StackId) -> calls::RevokeUngranted {
    calls::RevokeUngranted {
        stack: stack.into(),
    }
}

pub(crate) fn begin_close_call(stack: StackId) -> calls::BeginClose {
    calls::BeginClose {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn close_call(stack: StackId) -> calls::CloseStack {
    calls::CloseStack {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn collect_call(task: TaskId) -> calls::CollectFees {
    calls::CollectFees {
        db: LOCALNET_DB.into(),
        task: task.into(),
    }
}

pub(crate) fn report_call(node: NodeId) -> calls::ReportUnits {
    calls::ReportUnits {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn pay_call(node: NodeId) -> calls::PayTreasury {
    calls::PayTreasury {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

/// The point of order one: no signature by it is strict.
pub(crate) fn weak_key() -> PublicKey {
    let mut point = [0; 32];
    point[0] = 1;
    PublicKey(point)
}
