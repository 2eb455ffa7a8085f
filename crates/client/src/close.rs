//! The way out: end the stack, wait until its nodes are paid, take the rest back. Nobody's help is
//! needed: what nodes leave undone is done here when its time has come.

use crate::{ClientError, StackHandle};
use atoma_ledger::{EventStream, LedgerError};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{Call, Clock, Dispute, Event, Lease, LeaseState, Stack, calls},
};
use futures::{StreamExt, future::BoxFuture};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A node claims its own ticket when it can; after this it is done for it.
const PATIENCE_MS: u64 = 1_000;
/// The stack is looked at again at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// And at most this often.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
/// Events may lag behind the objects for so long.
const EVENT_LAG: Duration = Duration::from_secs(5);

/// What happens while a stack is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosingStep {
    /// The owner's word is on the ledger: nodes settle now.
    Begun,
    /// A node claims; the dispute window runs.
    Settled {
        /// The node that claims.
        node: NodeId,
        /// The units that it claims to have served.
        units: ComputeUnits,
        /// The number of its receipts.
        count: u64,
        /// From when on it can be paid.
        deadline: TimestampMs,
    },
    /// A node is paid.
    Paid(ClosedLease),
    /// A node let its time pass and gets nothing.
    Expired {
        /// The node that never settled.
        node: NodeId,
        /// What came back of the escrow.
        refunded: MicroUsdc,
    },
    /// A node was found guilty; its lease is void.
    Convicted {
        /// The node that lost a dispute.
        node: NodeId,
        /// What came back of the escrow.
        refunded: MicroUsdc,
    },
    /// Nodes are paid, the rest has come back, and the stack takes no more calls.
    Closed,
}

/// A lease at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedLease {
    /// The node that served it.
    pub node: NodeId,
    /// The units that were paid for.
    pub units: ComputeUnits,
    /// What the node got for them.
    pub paid: MicroUsdc,
    /// The protocol's share of that.
    pub fee: MicroUsdc,
    /// What came back with it.
    pub refunded: MicroUsdc,
}

/// What became of a closed stack's escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedStack {
    /// The stack that was closed.
    pub stack: StackId,
    /// The leases that were paid while this was watching.
    pub leases: Vec<ClosedLease>,
    /// What nodes got, in all.
    pub paid: MicroUsdc,
    /// The protocol's share, in all.
    pub fees: MicroUsdc,
    /// What came back of the escrow while this was watching.
    pub refunded: MicroUsdc,
    /// What came beside it: bonds of disputes, and parts of guilty nodes' collateral.
    pub damages: MicroUsdc,
}

impl StackHandle {
    /// Ends the stack now: no more requests, units that no node has come back, and nodes settle.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts (the stack has ended already).
    pub fn begin_close(&self) -> BoxFuture<'_, Result<(), ClientError>> {
        Box::pin(self.end_now())
    }

    async fn end_now(&self) -> Result<(), ClientError> {
        let begin = calls::BeginClose {
            stack: self.id().into(),
            clock: Clock,
        };
        self.execute(begin.into()).await
    }

    /// Ends the stack and waits until everything is paid, at most until its nodes can settle no
    /// more and a little longer.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::close_with`].
    pub fn close(&self) -> BoxFuture<'_, Result<ClosedStack, ClientError>> {
        Box::pin(async {
            let stack = self.read().await?;
            let windows = stack
                .settle_grace_ms
                .0
                .saturating_add(stack.dispute_window_ms.0);
            let longest = Duration::from_millis(windows) + Duration::from_secs(60);
            self.close_within(longest, &mut |_| {}).await
        })
    }

    /// The same with a limit of the caller's, telling what happens.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached, or not everything is paid in time. The stack has ended all
    /// the same; closing it can be taken up again.
    pub fn close_with<'a>(
        &'a self,
        longest: Duration,
        tell: impl FnMut(&ClosingStep) + Send + 'a,
    ) -> BoxFuture<'a, Result<ClosedStack, ClientError>> {
        let mut tell: Box<dyn FnMut(&ClosingStep) + Send + 'a> = Box::new(tell);
        Box::pin(async move { self.close_within(longest, &mut *tell).await })
    }

    async fn close_within(
        &self,
        longest: Duration,
        tell: &mut (dyn FnMut(&ClosingStep) + Send),
    ) -> Result<ClosedStack, ClientError> {
        let give_up = Instant::now() + longest;
        let mut events = self.client.ledger().subscribe().await?;
        let mut closed = ClosedStack::new(self.id());
        let mut stack = self.read().await?;
        if stack.closed {
            self.client.forget(self.id());
            return Ok(closed);
        }
        if stack.expires_at_ms > self.client.ledger().clock().await? {
            self.end_now().await?;
            stack = self.view();
        }
        tell(&ClosingStep::Begun);
        let mut closed_since = None;
        loop {
            let now = self.client.ledger().clock().await?;
            if !stack.closed && self.act(&stack, now).await? {
                stack = self.read().await?;
                continue;
            }
            if stack.closed {
                let since = *closed_since.get_or_insert_with(Instant::now);
                if since.elapsed() > EVENT_LAG {
                    break;
                }
            }
            if Instant::now() > give_up {
                return Err(ClientError::TimedOut {
                    what: "the stack's settlement",
                    after: longest,
                });
            }
            if let Some(step) = closed.watch(&mut events, next_wait(&stack, now)).await? {
                tell(&step);
                if step == ClosingStep::Closed {
                    break;
                }
            }
            stack = self.read().await?;
        }
        self.read().await?;
        self.client.forget(self.id());
        Ok(closed)
    }

    /// Does what its time has come for. True if anything may have changed.
    async fn act(&self, stack: &Stack, now: TimestampMs) -> Result<bool, ClientError> {
        let Some(call) = due(stack, self.client.ledger().deployment().db, now) else {
            return Ok(false);
        };
        match self
            .client
            .ledger()
            .execute(self.client.key(), vec![call])
            .await
        {
            // somebody else was faster, or the ledger's clock is a little behind
            Err(LedgerError::Abort { name, .. }) => {
                tracing::debug!(name, "not needed any more");
                tokio::time::sleep(SHORTEST_WAIT).await;
                Ok(true)
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(true),
        }
    }
}

/// The next call that anyone but the nodes must make, if there is one. Pure.
fn due(stack: &Stack, db: atoma_types::ObjectId, now: TimestampMs) -> Option<Call> {
    let late = now > stack.settle_deadline();
    let of = |lease: &Lease| match &lease.state {
        LeaseState::Settling(ticket) if !ticket.disputes.is_empty() => {
            // one that nobody answered in time ends them all
            let late = |dispute: &&Dispute| now > dispute.deadline_ms;
            let dispute = ticket.disputes.iter().find(late)?;
            Some(Call::from(calls::ResolveDispute {
                db: db.into(),
                stack: stack.id.into(),
                task: stack.task.into(),
                node: lease.node.into(),
                seq: dispute.seq,
                clock: Clock,
            }))
        }
        LeaseState::Settling(ticket)
            if ticket.deadline_ms.0.saturating_add(PATIENCE_MS) <= now.0 =>
        {
            Some(Call::from(calls::Claim {
                db: db.into(),
                stack: stack.id.into(),
                task: stack.task.into(),
                node: lease.node.into(),
                clock: Clock,
            }))
        }
        LeaseState::Open if late => Some(Call::from(calls::ExpireLease {
            db: db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: lease.node.into(),
            clock: Clock,
        })),
        LeaseState::Settling(_) | LeaseState::Open | LeaseState::Closed { .. } => None,
    };
    if let Some(call) = stack.leases.iter().find_map(of) {
        return Some(call);
    }
    let running = |lease: &Lease| !matches!(lease.state, LeaseState::Closed { .. });
    let (id, clock) = (stack.id, Clock);
    if stack.closed {
        None
    } else if stack.ungranted_units() > ComputeUnits::ZERO {
        Some(calls::RevokeUngranted { stack: id.into() }.into())
    } else if late && !stack.leases.iter().any(running) {
        Some(
            calls::CloseStack {
                stack: id.into(),
                clock,
            }
            .into(),
        )
    } else {
        None
    }
}

/// Until the next deadline, as far as it is known.
fn next_wait(stack: &Stack, now: TimestampMs) -> Duration {
    let deadlines = stack.leases.iter().filter_map(|lease| match &lease.state {
        LeaseState::Settling(ticket) => {
            let disputes = ticket.disputes.iter().map(|d| d.deadline_ms.0);
            let next = disputes.min().map(|last| last.saturating_add(1));
            Some(next.unwrap_or_else(|| ticket.deadline_ms.0.saturating_add(PATIENCE_MS)))
        }
        LeaseState::Open => Some(stack.settle_deadline().0.saturating_add(1)),
        LeaseState::Closed { .. } => None,
    });
    let next = deadlines.min().map_or(LONGEST_WAIT, |deadline| {
        Duration::from_millis(deadline.saturating_sub(now.0))
    });
    next.clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

impl ClosedStack {
    fn new(stack: StackId) -> Self {
        Self {
            stack,
            leases: Vec::new(),
            paid: MicroUsdc::ZERO,
            fees: MicroUsdc::ZERO,
            refunded: MicroUsdc::ZERO,
            damages: MicroUsdc::ZERO,
        }
    }

    /// Waits for the next event that is about this stack, for a while.
    async fn watch(
        &mut self,
        events: &mut EventStream,
        wait: Duration,
    ) -> Result<Option<ClosingStep>, ClientError> {
        let next = async {
            while let Some(event) = events.next().await {
                let event = event?;
                if let Some(step) = self.take(&event.event) {
                    return Ok(step);
                }
            }
            Err(ClientError::MissingEvent("the rest of the events"))
        };
        timeout(wait, next).await.ok().transpose()
    }

    /// Adds up what an event says, if it is about this stack.
    fn take(&mut self, event: &Event) -> Option<ClosingStep> {
        let add = |sum: &mut MicroUsdc, amount: MicroUsdc| {
            // parts of one escrow, which was a number of the same type
            *sum = sum.checked_add(amount).unwrap_or(*sum);
        };
        match event {
            Event::SettlementOpened(e) if e.stack == self.stack => Some(ClosingStep::Settled {
                node: e.node,
                units: e.claimed_units,
                count: e.count,
                deadline: e.deadline_ms,
            }),
            Event::Claimed(e) if e.stack == self.stack => {
                let lease = ClosedLease {
                    node: e.node,
                    units: e.units,
                    paid: e.paid,
                    fee: e.fee,
                    refunded: e.refunded,
                };
                self.leases.push(lease);
                add(&mut self.paid, e.paid);
                add(&mut self.fees, e.fee);
                add(&mut self.refunded, e.refunded);
                Some(ClosingStep::Paid(lease))
            }
            Event::LeaseExpired(e) if e.stack == self.stack => {
                add(&mut self.refunded, e.refunded);
                Some(ClosingStep::Expired {
                    node: e.node,
                    refunded: e.refunded,
                })
            }
            Event::UngrantedRevoked(e) if e.stack == self.stack => {
                add(&mut self.refunded, e.refunded);
                None
            }
            Event::NodeConvicted(e) if e.stack == self.stack => {
                add(&mut self.refunded, e.refunded);
                add(&mut self.damages, e.bonds);
                add(&mut self.damages, e.to_owner);
                Some(ClosingStep::Convicted {
                    node: e.node,
                    refunded: e.refunded,
                })
            }
            Event::StackClosed(e) if e.stack == self.stack => Some(ClosingStep::Closed),
            _ => None,
        }
    }
}
