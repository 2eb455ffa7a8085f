//! The promise to attest in a task: made once, with a deposit; its fees are taken as they come. An attester that was
//! silent is struck off, and stays so until its operator has looked at why: it resigns, and attests anew.

use crate::{config::AttestConfig, ledger::LedgerLink};
use atoma_ledger::LedgerError;
use atoma_types::{
    MicroUsdc, NodeId, TaskId,
    chain::{AtomaDb, Call, Clock, Payment, SubscriptionState, Task, calls},
};

/// Does what is to be done about it now, and says what by its function's name.
pub(super) async fn look_after(
    link: &LedgerLink,
    node: NodeId,
    task: TaskId,
    config: &AttestConfig,
) -> Result<Option<&'static str>, LedgerError> {
    let (db, task) = (link.ledger.db().await?, link.ledger.task(task).await?);
    let Some(call) = todo(&db, &task, node, config) else {
        return Ok(None);
    };
    let name = call.function().name;
    link.execute(vec![call]).await?;
    Ok(Some(name))
}

/// What is to be done. Pure.
fn todo(db: &AtomaDb, task: &Task, node: NodeId, config: &AttestConfig) -> Option<Call> {
    let offer = task.subscription(node)?;
    let deposit = MicroUsdc(db.params.attest_deposit);
    match offer.attester {
        None if task.is_deprecated() || offer.state != SubscriptionState::Active => None,
        None if deposit > config.max_deposit => {
            tracing::warn!(task = %task.id, %deposit, "the deposit is above `attest.max_deposit`: nothing is promised");
            None
        }
        None => Some(
            calls::EnrollAttester {
                db: db.id.into(),
                task: task.id.into(),
                node: node.into(),
                deposit: Payment(deposit),
                clock: Clock,
            }
            .into(),
        ),
        Some(promise) => {
            if !promise.active {
                tracing::error!(
                    task = %task.id,
                    "this attester was silent on a duty and is drawn no more: find out why, resign, and attest again"
                );
            }
            let worth = promise.earned > MicroUsdc::ZERO && promise.earned >= config.collect_from;
            let collect = || calls::CollectAttesterFees {
                task: task.id.into(),
                node: node.into(),
            };
            worth.then(|| collect().into())
        }
    }
}
