//! The way out: end the stack, wait until its nodes have settled, take the rest back; and, for who wants to wait,
//! until they are paid. Nobody's help is needed: what nodes leave undone is done here when its time has come.

use crate::{ClientError, StackHandle, stack::is_empty};
use atoma_ledger::{EventStart, ExecuteError, Listener, Told, due};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{Clock, Event, Lease, Stack, calls},
};
use futures::{StreamExt, future::BoxFuture};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};

/// A node claims its own ticket when it can; after this it is done for it.
const PATIENCE_MS: u64 = 1_000;
/// The stack is looked at again at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// And at most this often.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);
/// Events may lag behind the objects for so long.
const EVENT_LAG: Duration = Duration::from_secs(5);

/// How long closing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseUntil {
    /// Nodes have said what they claim, and have given back what they don't: all else is the owner's. What they
    /// claim is paid without anyone's help when its window is over.
    Settled,
    /// Nodes are paid.
    Paid,
}

/// What happens while a stack is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosingStep {
    /// The owner's word is on the ledger: nodes settle now.
    Begun,
    /// A node claims; the window runs.
    Settled {
        /// The node that claims.
        node: NodeId,
        /// The units that it would then have been paid for.
        units: ComputeUnits,
        /// The number of its last receipt.
        seq: u64,
        /// What the claim is worth.
        value: MicroUsdc,
        /// From when on it can be paid.
        deadline: TimestampMs,
    },
    /// A node is paid.
    Paid(PaidTicket),
    /// Nothing more comes of a node's lease.
    Ended {
        /// The node that had it.
        node: NodeId,
        /// What of its escrow became the owner's credit.
        freed: MicroUsdc,
    },
    /// A node was found guilty; its lease is void.
    Convicted {
        /// Whose lease is void.
        node: NodeId,
        /// What became the owner's credit.
        freed: MicroUsdc,
    },
    /// The owner's credit was paid out.
    Withdrawn {
        /// How much it was.
        amount: MicroUsdc,
    },
}

/// A ticket that was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidTicket {
    /// The node that served it.
    pub node: NodeId,
    /// The units that were paid for so far, earlier tickets counted in.
    pub units: ComputeUnits,
    /// What the node got for the ticket.
    pub paid: MicroUsdc,
    /// The protocol's share.
    pub fee: MicroUsdc,
    /// What examinations got.
    pub due: MicroUsdc,
}

/// A claim that waits for its window's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingTicket {
    /// The node that claims.
    pub node: NodeId,
    /// What the claim is worth.
    pub value: MicroUsdc,
    /// From when on it can be paid.
    pub deadline: TimestampMs,
}

/// What became of a closed stack's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedStack {
    /// The stack that was closed.
    pub stack: StackId,
    /// The tickets that were paid while this was watching.
    pub tickets: Vec<PaidTicket>,
    /// What nodes got, in all.
    pub paid: MicroUsdc,
    /// The protocol's share, in all.
    pub fees: MicroUsdc,
    /// What examinations got, in all.
    pub dues: MicroUsdc,
    /// What was paid out to the owner while this was watching.
    pub withdrawn: MicroUsdc,
    /// What still waits to be paid.
    pub waiting: Vec<WaitingTicket>,
    /// What is left in the escrow for it; what of it isn't paid is the owner's.
    pub escrow: MicroUsdc,
}

impl StackHandle {
    /// Ends the stack now: no more requests, units that no node has are free, and nodes settle.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
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

    /// Ends the stack and waits until everything is paid, at most until the last credit must be there.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::close_with`].
    pub fn close(&self) -> BoxFuture<'_, Result<ClosedStack, ClientError>> {
        Box::pin(async {
            let terms = self.read().await?.terms;
            let windows = [
                terms.settle_grace_ms.0,
                terms.dispute_window_ms.0,
                terms.answer_window_ms.0,
            ];
            let windows = windows.into_iter().fold(0, u64::saturating_add);
            let longest = Duration::from_millis(windows) + Duration::from_secs(60);
            self.close_within(CloseUntil::Paid, longest, &mut |_| {})
                .await
        })
    }

    /// The same with an end and a limit of the caller's, telling what happens.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached, or the end is not reached in time. The stack has ended all the same;
    /// closing it can be taken up again.
    pub fn close_with<'a>(
        &'a self,
        until: CloseUntil,
        longest: Duration,
        tell: impl FnMut(&ClosingStep) + Send + 'a,
    ) -> BoxFuture<'a, Result<ClosedStack, ClientError>> {
        let mut tell: Box<dyn FnMut(&ClosingStep) + Send + 'a> = Box::new(tell);
        Box::pin(async move { self.close_within(until, longest, &mut *tell).await })
    }

    async fn close_within(
        &self,
        until: CloseUntil,
        longest: Duration,
        tell: &mut (dyn FnMut(&ClosingStep) + Send),
    ) -> Result<ClosedStack, ClientError> {
        let give_up = Instant::now() + longest;
        let ledger = self.client.ledger();
        let mut events = match ledger.listen_from_now(EventStart::Now).await {
            Ok(events) => events,
            // they only tell: what is done follows from the stack
            Err(_) => ledger.listen(EventStart::Now, EventStart::Now),
        };
        let mut stack = self.read().await?;
        let mut closing = Closing::new(&stack);
        if stack.expires_at_ms > self.client.ledger().clock().await? {
            self.end_now().await?;
            stack = self.view();
        }
        tell(&ClosingStep::Begun);
        loop {
            let now = self.client.ledger().clock().await?;
            if self.act(&stack, now).await? {
                stack = self.read().await?;
                continue;
            }
            if is_reached(&stack, until) {
                break;
            }
            if Instant::now() > give_up {
                return Err(ClientError::TimedOut {
                    what: "the stack's settlement",
                    after: longest,
                });
            }
            let wait = next_wait(&stack, now);
            if let Some(step) = closing.watch(&mut events, wait).await {
                tell(&step);
            }
            stack = self.read().await?;
        }
        let withdrawn = self.withdraw().await?;
        let stack = self.read().await?;
        // what is behind in the stream of events is told before the end
        let lag = Instant::now() + EVENT_LAG;
        while !closing.has_seen(&stack, withdrawn) && Instant::now() < lag {
            if let Some(step) = closing.watch(&mut events, SHORTEST_WAIT).await {
                tell(&step);
            }
        }
        if self.is_closed() {
            self.client.forget(self.id());
        }
        Ok(closing.end(&stack))
    }

    /// Does what its time has come for. True if anything may have changed.
    async fn act(&self, stack: &Stack, now: TimestampMs) -> Result<bool, ClientError> {
        // nodes do what is theirs at once: they are left a moment for it
        let patient = TimestampMs(now.0.saturating_sub(PATIENCE_MS));
        let Some(due) = due(stack, patient).into_iter().next() else {
            return Ok(false);
        };
        let ledger = self.client.ledger();
        match ledger.execute(self.client.key(), vec![due.call]).await {
            // somebody else was faster, or the ledger's clock is a little behind
            Err(ExecuteError::Abort { name, .. }) => {
                tracing::debug!(name, "not needed any more");
                tokio::time::sleep(SHORTEST_WAIT).await;
                Ok(true)
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(true),
        }
    }
}

/// Whether closing has come to its end.
fn is_reached(stack: &Stack, until: CloseUntil) -> bool {
    match until {
        CloseUntil::Paid => is_empty(stack),
        CloseUntil::Settled => {
            let settled = |lease: &Lease| lease.units == lease.claimed_units();
            stack.ungranted == ComputeUnits::ZERO && stack.open_leases().all(settled)
        }
    }
}

/// Until the next deadline, as far as it is known.
fn next_wait(stack: &Stack, now: TimestampMs) -> Duration {
    let of = |lease: &Lease| match lease.tickets.first() {
        Some(ticket) => {
            let demands = ticket.demands.iter().map(|demand| demand.deadline_ms.0);
            let next = demands.min().unwrap_or(ticket.deadline_ms.0);
            next.saturating_add(PATIENCE_MS).saturating_add(1)
        }
        None => stack.settle_deadline().0.saturating_add(1),
    };
    let next = stack.open_leases().map(of).min();
    let next = next.map_or(LONGEST_WAIT, |deadline| {
        Duration::from_millis(deadline.saturating_sub(now.0))
    });
    next.clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// What was seen of a stack's end.
struct Closing {
    closed: ClosedStack,
    /// Of each lease the last receipt that is claimed and the last that is paid, as far as events told.
    seen: BTreeMap<NodeId, (u64, u64)>,
}

impl Closing {
    fn new(stack: &Stack) -> Self {
        let leases = stack.leases.iter();
        Self {
            closed: ClosedStack {
                stack: stack.id,
                tickets: Vec::new(),
                paid: MicroUsdc::ZERO,
                fees: MicroUsdc::ZERO,
                dues: MicroUsdc::ZERO,
                withdrawn: MicroUsdc::ZERO,
                waiting: Vec::new(),
                escrow: MicroUsdc::ZERO,
            },
            seen: leases
                .map(|lease| (lease.node, (lease.claimed_seq(), lease.paid_seq)))
                .collect(),
        }
    }

    /// Whether the events have told what the stack has become.
    fn has_seen(&self, stack: &Stack, withdrawn: MicroUsdc) -> bool {
        let mut leases = stack.leases.iter();
        let told = |lease: &Lease| {
            let (claimed, paid) = self.seen.get(&lease.node).copied().unwrap_or_default();
            claimed >= lease.claimed_seq() && paid >= lease.paid_seq
        };
        self.closed.withdrawn >= withdrawn && leases.all(told)
    }

    /// The end, with what still waits.
    fn end(mut self, stack: &Stack) -> ClosedStack {
        for lease in stack.open_leases() {
            for ticket in &lease.tickets {
                let value = lease.value(ticket.from_units, ticket.to_units);
                self.closed.waiting.push(WaitingTicket {
                    node: lease.node,
                    value: value.unwrap_or_default(),
                    deadline: ticket.deadline_ms,
                });
            }
        }
        self.closed.escrow = stack.escrow;
        self.closed
    }

    /// Waits for the next event that is about this stack, for a while.
    async fn watch(&mut self, events: &mut Listener, wait: Duration) -> Option<ClosingStep> {
        let next = async {
            while let Some(told) = events.next().await {
                let step = match told {
                    Told::Frame(frame) => frame.event.and_then(|event| self.take(&event.event)),
                    Told::Failed(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(error, "the end of a stack isn't told");
                        None
                    }
                    Told::Lost => None,
                };
                if step.is_some() {
                    return step;
                }
            }
            None
        };
        timeout(wait, next).await.ok().flatten()
    }

    /// Adds up what an event says, if it is about this stack.
    fn take(&mut self, event: &Event) -> Option<ClosingStep> {
        let add = |sum: &mut MicroUsdc, amount: MicroUsdc| {
            // parts of one escrow, which was a number of the same type
            *sum = sum.checked_add(amount).unwrap_or(*sum);
        };
        let id = self.closed.stack;
        let closed = &mut self.closed;
        match event {
            Event::SettlementOpened(e) if e.stack == id => {
                self.seen.entry(e.node).or_default().0 = e.to_seq;
                Some(ClosingStep::Settled {
                    node: e.node,
                    units: e.to_units,
                    seq: e.to_seq,
                    value: e.value,
                    deadline: e.deadline_ms,
                })
            }
            Event::Claimed(e) if e.stack == id => {
                self.seen.entry(e.node).or_default().1 = e.paid_seq;
                let ticket = PaidTicket {
                    node: e.node,
                    units: e.paid_units,
                    paid: e.paid,
                    fee: e.fee,
                    due: e.due,
                };
                closed.tickets.push(ticket);
                add(&mut closed.paid, e.paid);
                add(&mut closed.fees, e.fee);
                add(&mut closed.dues, e.due);
                Some(ClosingStep::Paid(ticket))
            }
            Event::LeaseClosed(e) if e.stack == id => Some(ClosingStep::Ended {
                node: e.node,
                freed: e.freed,
            }),
            Event::NodeConvicted(e) if e.stack == id => Some(ClosingStep::Convicted {
                node: e.node,
                freed: e.freed,
            }),
            Event::FreeWithdrawn(e) if e.stack == id => {
                add(&mut closed.withdrawn, e.amount);
                Some(ClosingStep::Withdrawn { amount: e.amount })
            }
            _ => None,
        }
    }
}
