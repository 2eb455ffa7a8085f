//! A node of a test's own, a stack for it, and requests that the test signs by hand.

use super::{event, http::post};
use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, required_escrow};
use atoma_node::{KeySource, NodeConfig, SubscriptionConfig};
use atoma_runtime::{Runtime, Threads};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, PublicKey, RequestId, StackId, TaskId, TimestampMs,
    chain::{Clock, Event, Payment, Random, calls},
    hash::Hash32,
    message::{Domain, Endpoint, Grant, Origin, RequestHeader, Signed},
};
use std::{path::PathBuf, sync::Arc};

/// How long stacks live, and requests from their signature on.
const STACK_LIFETIME: DurationMs = DurationMs(3_600_000);
const REQUEST_LIFETIME: DurationMs = DurationMs(60_000);
/// More than any test uses of a lane's ceiling.
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
        config.grant_step_permille = 1_000;
        config.subscriptions = vec![SubscriptionConfig {
            task: self.task,
            price: self.price,
        }];
        config
    }

    /// Buys a stack for an hour; nobody has units of it yet.
    pub async fn buy(&self, user: &SigningKey, request_key: PublicKey, units: u64) -> StackId {
        let total_units = ComputeUnits(units);
        let escrow = required_escrow(total_units, self.price).unwrap();
        let call = calls::AcquireStack {
            db: self.ledger.deployment().db.into(),
            task: self.task.into(),
            payment: Payment(escrow),
            total_units,
            max_price: self.price,
            nodes: 0,
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

    /// The first grant of a stack to a node, as a good client signs it.
    pub fn grant(
        &self,
        node: NodeId,
        stack: StackId,
        units: u64,
        request_key: &SigningKey,
    ) -> Signed<Grant> {
        let grant = Grant {
            domain: Domain::default(),
            network: self.ledger.network(),
            stack,
            node,
            cumulative_units: ComputeUnits(units),
            max_price: self.price,
            nonce: 0,
            expires_at_ms: TimestampMs(u64::MAX),
        };
        Signed::new(grant, request_key)
    }

    /// Buys a stack, and has the first node that offers take all of it; that node must run.
    pub async fn lease(&self, user: &SigningKey, request_key: &SigningKey, units: u64) -> StackId {
        let stack = self.buy(user, request_key.public_key(), units).await;
        self.give(stack, request_key, units).await;
        stack
    }

    /// Has the first node that offers take so many units of a stack, whatever the time is on the ledger.
    pub async fn give(&self, stack: StackId, request_key: &SigningKey, units: u64) {
        let task = self.ledger.task(self.task).await.unwrap();
        let node = task.subscriptions[0].node;
        let url = self.ledger.node(node).await.unwrap().url;
        let grant = self.grant(node, stack, units, request_key);
        let body = format!("{{\"grant\":\"{}\"}}", grant.to_text());
        let host = url.trim_start_matches("http://").to_owned();
        let taken = Threads::Real.blocking(move || post(&host, "/v1/leases", &body));
        let taken = taken.await.unwrap();
        assert!(taken.starts_with("HTTP/1.1 200"), "{taken}");
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
            origin: Origin::Own,
        }
    }
}
