//! The promise to attest in a task: made once, with a deposit; its fees are taken as they come. An attester that was
//! silent is struck off, and stays so until its operator has looked at why: it resigns, and attests anew. One that is to
//! leave resigns twice where it has duties: so that it isn't drawn again, and for its deposit once the last is over.

use crate::{config::AttestConfig, ledger::LedgerLink};
use atoma_ledger::ExecuteError;
use atoma_types::{
    MicroUsdc, NodeId, ObjectId, Rule, TaskId,
    chain::{Call, Clock, Payment, SubscriptionState, Task, calls},
};

/// Does what is to be done about it now, and says what by its function's name.
pub(super) async fn look_after(
    link: &LedgerLink,
    node: NodeId,
    task: TaskId,
    config: &AttestConfig,
) -> Result<Option<&'static str>, ExecuteError> {
    let (db, task) = (link.ledger.db().await?, link.ledger.task(task).await?);
    let deposit = MicroUsdc(db.params.attest_deposit);
    let Some(call) = todo((db.id, deposit), &task, node, config) else {
        return Ok(None);
    };
    let name = call.function().name;
    link.execute(vec![call]).await?;
    Ok(Some(name))
}

/// What is to be done; the deposit is what the network asks for. Pure.
fn todo(
    (db, deposit): (ObjectId, MicroUsdc),
    task: &Task,
    node: NodeId,
    config: &AttestConfig,
) -> Option<Call> {
    let offer = task.subscription(node)?;
    let judged = task.engine.rule == Rule::Exact && task.security_level.samples();
    let evicted = offer.state == SubscriptionState::Evicted;
    match offer.attester {
        None if config.leave => None,
        Some(promise)
            if config.leave && promise.active
                || (config.leave || evicted) && promise.duties == 0 =>
        {
            Some(
                calls::ResignAttester {
                    task: task.id.into(),
                    node: node.into(),
                }
                .into(),
            )
        }
        // what it was drawn for isn't over
        Some(_) if config.leave => None,
        None if task.is_deprecated() || offer.state != SubscriptionState::Active => None,
        // silence would be all that it can say of the tolerant rule: `Unable::Tolerant`
        None if !judged => {
            if config.tasks.contains(&task.id) {
                tracing::warn!(task = %task.id, "it isn't examined, or not by the exact rule: nothing is promised");
            }
            None
        }
        None if deposit > config.max_deposit => {
            tracing::warn!(task = %task.id, %deposit, "the deposit is above `attest.max_deposit`: nothing is promised");
            None
        }
        None => Some(
            calls::EnrollAttester {
                db: db.into(),
                task: task.id.into(),
                node: node.into(),
                deposit: Payment(deposit),
                clock: Clock,
            }
            .into(),
        ),
        Some(promise) => {
            if promise.active && task.engine.rule != Rule::Exact {
                tracing::error!(task = %task.id, "this task's answers can't be judged, and silence is fined: resign");
            }
            if !promise.active && !evicted {
                tracing::error!(
                    task = %task.id,
                    "this attester was silent on a duty, or has resigned, and is drawn no more: find out why, resign, and attest again"
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

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{
        Address, EngineClass, Numerics, Price, Role, SecurityLevel, TimestampMs, UnitWeights,
        chain::{Attester, Subscription},
        hash::Hash32,
    };

    const US: NodeId = NodeId(Address::new([7; 32]));

    fn task(security_level: SecurityLevel, rule: Rule) -> Task {
        let owner = Address::new([1; 32]);
        let us = Subscription {
            node: US,
            owner,
            price: Price(1),
            matured: MicroUsdc::ZERO,
            reputation: 0,
            attested_until_ms: TimestampMs(0),
            state: SubscriptionState::Active,
            attester: None,
        };
        Task {
            id: TaskId(Address::new([2; 32])),
            version: 1,
            number: 1,
            owner,
            role: Role::ChatCompletion,
            model_name: "m".to_owned(),
            security_level,
            price_ceiling: Price(1),
            weights: UnitWeights::from_list([1; 5]),
            engine: EngineClass {
                model: Hash32::ZERO,
                numerics: Numerics::DetF32V1,
                rule,
            },
            min_reputation: 0,
            min_collateral: MicroUsdc::ZERO,
            allow_list: None,
            deprecated_at_ms: None,
            fees: MicroUsdc::ZERO,
            dues: MicroUsdc::ZERO,
            releases: Vec::new(),
            subscriptions: vec![us],
        }
    }

    #[test]
    fn who_is_to_leave_resigns_at_once_and_again_when_its_last_duty_is_over() {
        let config = AttestConfig {
            leave: true,
            ..AttestConfig::default()
        };
        let mut task = task(SecurityLevel::SamplingConsensus, Rule::Exact);
        let asked = (ObjectId::new([3; 32]), MicroUsdc(1));
        let mut resigns = |attester: Option<Attester>| {
            task.subscriptions[0].attester = attester;
            let call = todo(asked, &task, US, &config)?;
            Some(call.function().name)
        };
        let promise = |active, duties| {
            Some(Attester {
                active,
                duties,
                earned: MicroUsdc(9_000_000),
                ..Attester::default()
            })
        };
        assert_eq!(resigns(promise(true, 2)), Some("resign"));
        assert_eq!(resigns(promise(false, 2)), None, "it waits for them");
        assert_eq!(resigns(promise(false, 0)), Some("resign"));
        assert_eq!(resigns(promise(true, 0)), Some("resign"));
        assert_eq!(resigns(None), None, "it promises nothing anew");
    }

    #[test]
    fn who_was_evicted_takes_its_deposit_once_its_last_duty_is_over() {
        let config = AttestConfig::default();
        let mut task = task(SecurityLevel::SamplingConsensus, Rule::Exact);
        task.subscriptions[0].state = SubscriptionState::Evicted;
        let asked = (ObjectId::new([3; 32]), MicroUsdc(1));
        let mut calls = |duties| {
            task.subscriptions[0].attester = Some(Attester {
                duties,
                ..Attester::default()
            });
            let call = todo(asked, &task, US, &config)?;
            Some(call.function().name)
        };
        assert_eq!(calls(1), None, "it still works");
        assert_eq!(calls(0), Some("resign"));
    }

    #[test]
    fn it_promises_nothing_where_it_could_only_be_silent() {
        let config = AttestConfig::default();
        let asked = (ObjectId::new([3; 32]), MicroUsdc(1));
        let promises = |level, rule| todo(asked, &task(level, rule), US, &config).is_some();
        let (examined, plain) = (SecurityLevel::SamplingConsensus, SecurityLevel::None);
        assert!(promises(examined, Rule::Exact));
        assert!(!promises(examined, Rule::Tolerant));
        assert!(!promises(plain, Rule::Exact));
    }
}
