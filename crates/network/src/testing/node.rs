//! A node of a test's own, a stack for it, and requests that the test signs by hand.

use super::event;
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, required_escrow};
use atoma_node::{KeySource, NodeConfig, SubscriptionConfig};
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, PublicKey, RequestId, StackId, TaskId, TimestampMs,
    chain::{Clock, Event, Payment, Random, Selection, calls},
    hash::Hash32,
    message::{Domain, Endpoint, RequestHeader},
};
use std::{path::PathBuf, sync::Arc};

/// How long stacks live, and requests from their signature on.
const STACK_LIFETIME: DurationMs = DurationMs(3_600_000);
const REQUEST_LIFETIME: DurationMs = DurationMs(60_000);
/// More than any test uses, of a node's capacity and of a lane's ceiling.
const PLENTY: ComputeUnits = ComputeUnits(1 << 40);

/// A task on a ledger: nodes of it, stacks for it and requests to it.
#[derive(Debug)]
pub struct TestTask<'a> {
    /// The ledger that all are on.
    pub ledger: &'a Ledger,
    /// What is served.
    pub task: TaskId,
    /// What the node asks, and the user pays, per million units.
    pub price: Price,
}

impl TestTask<'_> {
    /// A node's configuration, with its files in `folder`: it looks at its leases all the time, and has
    /// room for everyone.
    pub fn node(&self, operator: &Arc<SigningKey>, folder: PathBuf) -> NodeConfig {
        let key = KeySource::Given(Arc::clone(operator));
        let mut config = NodeConfig::new(self.ledger.url(), key, folder);
        config.settlement.tick_ms = 50;
        config.subscriptions = vec![SubscriptionConfig {
            task: self.task,
            price: self.price,
            capacity: PLENTY,
        }];
        config
    }

    /// Buys a stack for an hour; `Single` leases all of it to one node.
    pub async fn buy(
        &self,
        user: &SigningKey,
        request_key: PublicKey,
        units: u64,
        selection: Selection,
    ) -> StackId {
        let task = self.ledger.task(self.task).await.unwrap();
        let db = self.ledger.db().await.unwrap();
        let total_units = ComputeUnits(units);
        let escrow = required_escrow(&task, &db, total_units, self.price).unwrap();
        let call = calls::AcquireStack {
            db: db.id.into(),
            task: task.id.into(),
            payment: Payment(escrow),
            total_units,
            max_price: self.price,
            selection,
            request_key,
            lifetime_ms: STACK_LIFETIME,
            random: Random,
            clock: Clock,
        };
        let done = self.ledger.execute(user, vec![call.into()]).await;
        event(&done.unwrap(), |event| match event {
            Event::StackAcquired(bought) => Some(bought.stack),
            _ => None,
        })
    }

    /// The header of a chat as a good client signs it at `now`.
    pub fn header(
        &self,
        node: NodeId,
        stack: StackId,
        body_hash: Hash32,
        now: TimestampMs,
    ) -> RequestHeader {
        RequestHeader {
            domain: Domain::default(),
            network: self.ledger.network(),
            stack,
            node,
            task: self.task,
            request_id: RequestId::new(now, Runtime::system().random.bytes()),
            endpoint: Endpoint::ChatCompletions,
            body_hash,
            lane: 0,
            ceiling: PLENTY,
            max_units: PLENTY,
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(REQUEST_LIFETIME),
            evidence: None,
        }
    }
}
