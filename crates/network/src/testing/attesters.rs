//! A task whose answers are examined, and those who may be drawn to look at them.

use super::World;
use crate::create_task;
use atoma_keys::SigningKey;
use atoma_types::{
    MicroUsdc, NodeId, SecurityLevel, TaskId,
    chain::{Clock, NewTask, Payment, calls},
};

/// A day, in milliseconds: a ticket's window, and the answer window.
pub const DAY: u64 = 24 * 3_600_000;
/// Attesters that must be there when a stack is sold: an examiner, a jury of seven, and one to spare.
const ATTESTERS: usize = 9;
/// What the task's owner puts into the pool at first: attesters' fees of twenty.
const POOL: MicroUsdc = MicroUsdc(2_000_000);

/// Who examines others' answers.
#[derive(Debug)]
pub struct Attester {
    /// The node's owner.
    pub key: SigningKey,
    /// Id of the node's object.
    pub node: NodeId,
}

/// A task that is examined, whose owner pays into its pool.
pub async fn examined_task(world: &World, owner: &SigningKey, task: NewTask) -> TaskId {
    let task = NewTask {
        security: SecurityLevel::SamplingConsensus,
        ..task
    };
    let task = create_task(&world.ledger, owner, task).await.unwrap();
    let fund = calls::FundTask {
        task: task.into(),
        payment: Payment(POOL),
    };
    let funded = world.ledger.execute(owner, vec![fund.into()]).await;
    funded.unwrap();
    task
}

/// As many attesters of a task as must be there when a stack is sold. A day passes, for what was deposited today
/// weighs nothing until tomorrow.
pub async fn attesters(world: &World, anyone: &SigningKey, task: TaskId) -> Vec<Attester> {
    let mut attesters = Vec::new();
    for _ in 0..ATTESTERS {
        attesters.push(attester(world, task).await);
    }
    world.advance(DAY).await;
    let sync = attesters.iter().map(|attester| {
        calls::SyncSubscription {
            task: task.into(),
            node: attester.node.into(),
            clock: Clock,
        }
        .into()
    });
    let synced = world.ledger.execute(anyone, sync.collect()).await;
    synced.unwrap();
    attesters
}

/// A node of its own that promises to examine others.
async fn attester(world: &World, task: TaskId) -> Attester {
    let key = world.party().await;
    let node = world.node(&key).await;
    let deposit = world.ledger.db().await.unwrap().params.attest_deposit;
    let attest = calls::EnrollAttester {
        db: world.ledger.deployment().db.into(),
        task: task.into(),
        node: node.into(),
        deposit: Payment(MicroUsdc(deposit)),
        clock: Clock,
    };
    let promise = vec![world.subscribe(task, node), attest.into()];
    world.ledger.execute(&key, promise).await.unwrap();
    Attester { key, node }
}
