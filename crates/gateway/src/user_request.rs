//! One request from its budget to the first byte of its answer: try a node, mend what can be
//! mended, try another. After the first byte it is too late to change one's mind.
//!
//! Who tries what again after which refusal is decided in [`atoma_client::retry`]; this executes
//! it. A refusal costs nothing. A node that answered too late or broke off may have computed all the
//! same, and signs for that: its hold stays with its try and is settled by its receipt, and another one
//! is taken for the next node. Otherwise who makes nodes answer too late would have the gateway pay.

use crate::{
    at_node::{AtNode, Faulted, broke_off},
    body::Asked,
    budget::{Account, Amount, Hold, NoHold},
    catalog::Seller,
    concurrency::ConcurrencyPermit,
    lacked::Lacked,
    metrics::{Metrics, Retry},
    patience::Patience,
    pool::{Attempt, LeaseError, TaskPool},
    refusals::{exhausted, no_funds, no_stack, over_budget, too_large, too_many_unsettled},
    reply::{Reply, StreamInFlight, StreamReply, WholeReply, relayed},
    router::{Measure, Outcome},
    tried::{Tried, sealed_refusal, tried_once},
    unsettled::Unsettled,
};
use atoma_client::{
    Answer, RequestTry, StackHandle,
    retry::{Decision, Failure, Mend, NodeRefusal, Retries, UnitBounds},
};
use atoma_http::server::HeldRoom;
use atoma_runtime::WithCauses;
use atoma_types::{
    ComputeUnits, NodeId, Price, RequestId, estimate::BodyBounds, message::Endpoint,
    refusal::Refusal,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tracing::Span;

/// A request with money held for it.
pub(crate) struct UserRequest {
    account: Arc<Account>,
    pool: Arc<TaskPool>,
    metrics: Arc<Metrics>,
    patience: Patience,
    endpoint: Endpoint,
    stream: bool,
    /// It is passed on unread.
    sealed: bool,
    /// A node may take so long to its first byte, or for the whole of an answer that is no stream.
    answered_within: Duration,
    /// As it is signed next.
    next: RequestTry,
    /// Nodes that can't open it; none are excluded where it isn't sealed.
    excluded: Vec<NodeId>,
    /// What a sealed one may cost, as it says itself.
    sealed_units: Option<ComputeUnits>,
    hold: Option<Hold>,
    /// What the first node that refused has sealed: its user alone can read why, so another node is asked.
    refused: Option<WholeReply>,
    /// Nodes that found fault with it.
    faulted: Faulted,
    /// Why a node got no units, where it wasn't the node that failed.
    lacked: Option<Lacked>,
    /// What the body says of its size.
    bounds: BodyBounds,
    begun: Instant,
    /// The body is in memory as long as this.
    _held: HeldRoom,
}

/// The user's side of a request: who asks, for what, with which body.
pub(crate) struct Ask<'a> {
    /// The request's id: the one that the user sees, unless a later try is the one that is served.
    pub(crate) id: RequestId,
    pub(crate) account: &'a Arc<Account>,
    pub(crate) endpoint: Endpoint,
    pub(crate) asked: &'a Asked<'a>,
    pub(crate) body: Bytes,
    /// Of the room that long bodies share.
    pub(crate) held: HeldRoom,
}

impl UserRequest {
    /// Holds what the request may cost at the cheapest node; 402 if that is too much.
    pub(crate) fn new(
        ask: Ask<'_>,
        pool: Arc<TaskPool>,
        metrics: Arc<Metrics>,
        patience: Patience,
    ) -> Result<Self, Refusal> {
        let offer = pool.offer();
        let (endpoint, asked) = (ask.endpoint, ask.asked);
        let excluded = match &asked.sealed {
            Some(sealed) => {
                let sellers = offer.sellers.iter().map(|seller| seller.node);
                sellers
                    .filter(|node| !sealed.nodes.contains(node))
                    .collect()
            }
            None => Vec::new(),
        };
        let default_output = offer.policy.default_output_tokens;
        let max_units = asked.max_units(endpoint, &offer.weights, default_output);
        // an answer without a limit ends where its units do; of another one the node may think it shorter
        let sellers = offer.sellers.iter();
        let sellers = sellers.filter(|seller| !excluded.contains(&seller.node));
        let most = sellers.clone().map(|seller| seller.most).max();
        let max_units = max_units.min(most.unwrap_or_default());
        let able = sellers.filter(|seller| seller.most >= max_units);
        let cheapest = able.map(|seller| seller.price).min();
        // whatever a sealed one is inside, its frames are passed on as they come
        let sealed = asked.sealed.is_some();
        let stream = sealed || (asked.stream && endpoint != Endpoint::Embeddings);
        let answered_within = match stream {
            true => patience.answer_begins,
            false => patience.whole_answer(asked.work(endpoint, default_output)),
        };
        let next = RequestTry::new(ask.id, endpoint, ask.body, max_units);
        let mut request = Self {
            account: Arc::clone(ask.account),
            pool,
            metrics,
            patience,
            endpoint,
            stream,
            answered_within,
            next: next
                .answered_within(answered_within)
                .paid_late()
                .kept(patience.no_forward)
                .sealed(sealed),
            sealed,
            excluded,
            sealed_units: asked.sealed.as_ref().map(|sealed| sealed.max_units),
            hold: None,
            refused: None,
            faulted: Faulted::default(),
            lacked: None,
            bounds: asked.bounds(endpoint),
            begun: Instant::now(),
            _held: ask.held,
        };
        request.afford(cheapest.ok_or_else(|| exhausted(false))?)?;
        Ok(request)
    }

    /// Runs it to the first byte of its answer.
    pub(crate) async fn run(mut self, permit: ConcurrencyPermit) -> Result<Reply, Refusal> {
        let mut permit = Some(permit);
        let mut retries = Retries::routed(self.patience.nodes);
        let mut tried: Vec<NodeId> = Vec::new();
        let (mut all_busy, mut any_busy) = (true, false);
        self.pool.look_again(self.next.max_units()).await;
        while self.may_go_on(&tried) && retries.begin_node() {
            let Some(attempt) = self.pick(&tried) else {
                break;
            };
            tried.push(attempt.node());
            match self.at_node(attempt, &mut retries, &mut permit).await {
                AtNode::Answered(reply) => {
                    self.faulted.disproved();
                    return Ok(reply);
                }
                // what no other node can be paid for, one has refused already
                AtNode::Refused(refusal) => return self.faulted.reply().ok_or(refusal),
                AtNode::Next { busy } => {
                    all_busy &= busy;
                    any_busy |= busy;
                    let reason = if busy { Retry::Busy } else { Retry::Failed };
                    self.metrics.retried(reason);
                }
            }
            self.next.moved(self.pool.runtime().request_id());
        }
        if let Some(reply) = self.faulted.reply() {
            return Ok(reply);
        }
        if let Some(refused) = self.refused.take() {
            return Ok(Reply::Whole(refused));
        }
        // one that the user's own stack is with is at its limit: that others take money is no matter
        let busy = (all_busy && !tried.is_empty()) || (any_busy && self.patience.own_use);
        Err(self.unserved(busy))
    }

    /// Why no node answered; `busy` if it wasn't for want of units.
    fn unserved(&self, busy: bool) -> Refusal {
        let units = self.next.max_units();
        match self.lacked {
            Some(Lacked::Money { needed, left }) if self.patience.own_use && !busy => {
                // what a stack has room for counts, and what the rest of the budget adds
                let room = self.pool.most_room();
                let shorter = self.shorter(|price| room.saturating_add(price.affords(left)));
                no_stack(units, [needed, left], shorter)
            }
            Some(Lacked::Wallet { owner, needed, has }) if self.patience.own_use && !busy => {
                no_funds(units, owner, [needed, has])
            }
            Some(Lacked::Collateral) => {
                let offer = self.pool.offer();
                let most = offer.most();
                let shorter = self.bounds.output_that_fits(&offer.weights, most);
                too_large(units, most, shorter)
            }
            Some(Lacked::Money { .. } | Lacked::Wallet { .. }) | None => exhausted(busy),
        }
    }

    /// The longest answer, in tokens, within the units that the cheapest seller gives.
    fn shorter(&self, units: impl Fn(Price) -> ComputeUnits) -> Option<u64> {
        let offer = self.pool.offer();
        let cheapest = offer.sellers.iter().map(|seller| seller.price).min()?;
        if self.sealed {
            // what it says of its size is what is sealed
            return None;
        }
        self.bounds
            .output_that_fits(&offer.weights, units(cheapest))
    }

    /// The next node that can answer.
    fn pick(&self, tried: &[NodeId]) -> Option<Attempt> {
        let (measure, units) = (self.measure(), self.next.max_units());
        if self.excluded.is_empty() {
            return self.pool.pick(measure, tried, units);
        }
        let not = [tried, &self.excluded[..]].concat();
        self.pool.pick(measure, &not, units)
    }

    /// Whether another node may be tried: the first always, others as long as somebody still waits.
    fn may_go_on(&self, tried: &[NodeId]) -> bool {
        tried.is_empty() || self.begun.elapsed() < self.patience.retry_for
    }

    /// One node: a lease, a try, and others as long as something can be mended.
    async fn at_node(
        &mut self,
        mut attempt: Attempt,
        retries: &mut Retries,
        permit: &mut Option<ConcurrencyPermit>,
    ) -> AtNode {
        let node = attempt.node();
        let offer = self.pool.offer();
        let Some(&Seller {
            price: asked,
            owner,
            ..
        }) = offer.seller(node)
        else {
            return AtNode::Next { busy: false };
        };
        let mut lease = self.lease(node).await;
        loop {
            let stack = match lease {
                Ok(stack) => stack,
                Err(error) => return self.no_lease(attempt, &error),
            };
            // the lease's price is what the node is paid, even if it asks for another one now
            let price = stack.price(node).unwrap_or(asked);
            if let Err(refusal) = self.afford(price) {
                return AtNode::Refused(refusal);
            }
            let sent = Instant::now();
            let (receipt, tried) = stack.try_once_watched(node, &self.next);
            let metrics = Arc::clone(&self.metrics);
            let paid = (price, self.patience.own_use);
            let unsettled = Unsettled::new(self.hold.take(), receipt, paid, metrics);
            let tried = tried_once(tried.await, node).await;
            let (failure, refused) = match tried {
                Tried::Answered(answer) => {
                    let sent = Sent {
                        unsettled,
                        at: sent,
                    };
                    return self.deliver(answer, attempt, sent, permit).await;
                }
                Tried::Refused(whole) => {
                    let refusal = NodeRefusal::read(whole.status.as_u16(), &whole.body);
                    (Failure::Refused(refusal), Some(whole))
                }
                Tried::Failed(failure) => (failure, None),
                Tried::NeverCame => {
                    self.pool.part_with(&stack, node);
                    (Failure::Failed, None)
                }
            };
            self.hold = unsettled.failed();
            let units = UnitBounds {
                signed: self.next.max_units(),
                most: (self.sealed_units)
                    .unwrap_or_else(|| self.pool.offer().most_units(&self.next)),
            };
            lease = match (retries.after(failure, units), refused) {
                (Decision::PassOn, Some(whole)) => {
                    return self.faulted.by(attempt, owner, whole);
                }
                (Decision::Again(mend), _) => self.mend(mend, stack, node).await,
                (Decision::Elsewhere { busy: true }, _) => {
                    attempt.went(Outcome::Busy);
                    return AtNode::Next { busy: true };
                }
                (Decision::Elsewhere { busy: false } | Decision::PassOn, _) => {
                    attempt.went(Outcome::Failed);
                    return AtNode::Next { busy: false };
                }
            };
        }
    }

    /// Does what the next try at the same node needs, and says which stack pays for it.
    async fn mend(
        &mut self,
        mend: Mend,
        stack: StackHandle,
        node: NodeId,
    ) -> Result<StackHandle, LeaseError> {
        self.metrics.retried(mend.into());
        self.next.mend(self.pool.runtime().request_id(), mend);
        match mend {
            Mend::RaiseCeiling(_) | Mend::SignAnew => Ok(stack),
            Mend::RaiseUnits(_) => self.lease(node).await,
            Mend::RenewLease => {
                let (units, timeout) = (self.next.max_units(), self.patience.lease_timeout);
                self.pool.renew(node, units, timeout).await
            }
            Mend::NewStack => {
                self.pool.retire_ended(&stack, node).await?;
                self.lease(node).await
            }
        }
    }

    async fn lease(&self, node: NodeId) -> Result<StackHandle, LeaseError> {
        let (units, timeout) = (self.next.max_units(), self.patience.lease_timeout);
        self.pool.lease(node, units, timeout).await
    }

    fn no_lease(&mut self, mut attempt: Attempt, error: &LeaseError) -> AtNode {
        self.lacked = Lacked::after(self.lacked, error);
        let (node, model) = (attempt.node(), &self.pool.offer().model);
        tracing::warn!(error = %WithCauses(error), %node, model, "no lease");
        attempt.went(if error.is_nodes_fault() {
            Outcome::Failed
        } else {
            Outcome::Nothing
        });
        AtNode::Next { busy: false }
    }

    /// The node answers: the whole answer, or a stream from its first bytes on.
    async fn deliver(
        &mut self,
        answer: Answer,
        attempt: Attempt,
        sent: Sent,
        permit: &mut Option<ConcurrencyPermit>,
    ) -> AtNode {
        // a later try has an id of its own
        Span::current().record("served_as", tracing::field::display(answer.request_id));
        if self.stream {
            self.deliver_stream(answer, attempt, sent, permit).await
        } else {
            self.deliver_whole(answer, attempt, sent).await
        }
    }

    async fn deliver_whole(&mut self, answer: Answer, mut attempt: Attempt, sent: Sent) -> AtNode {
        let Sent { unsettled, at } = sent;
        // a user who leaves meanwhile pays by the receipt that comes later
        let left = self.answered_within.saturating_sub(at.elapsed());
        let whole = match answer.whole_within(left).await {
            Ok(Some(whole)) => whole,
            failed => {
                self.hold = unsettled.failed();
                return broke_off(attempt, failed.err().as_ref());
            }
        };
        let Some(receipt) = &whole.receipt else {
            self.hold = unsettled.failed();
            return broke_off(attempt, None);
        };
        let took = at.elapsed();
        let tokens = u32::try_from(receipt.usage.output.max(1)).unwrap_or(u32::MAX);
        let each = match self.measure() {
            Measure::PerToken => took / tokens,
            Measure::Embedding | Measure::FirstToken => took,
        };
        attempt.went(Outcome::Answered(self.measure(), each));
        unsettled.settle(receipt);
        self.metrics.first_byte(self.endpoint, self.begun.elapsed());
        AtNode::Answered(Reply::Whole(WholeReply::from(whole)))
    }

    async fn deliver_stream(
        &mut self,
        answer: Answer,
        mut attempt: Attempt,
        sent: Sent,
        permit: &mut Option<ConcurrencyPermit>,
    ) -> AtNode {
        let (headers, mut rest) = (relayed(&answer.headers, &answer.salt), answer.body);
        let left = self
            .patience
            .answer_begins
            .saturating_sub(sent.at.elapsed());
        let first = match timeout(left, rest.first_event()).await {
            Ok(Ok(Some(first))) => first,
            failed => {
                if failed.is_err() {
                    rest.gave_up_waiting();
                }
                self.hold = sent.unsettled.failed();
                let error = failed.ok().and_then(Result::err);
                return broke_off(attempt, error.as_ref());
            }
        };
        if rest.is_refusal() {
            self.hold = sent.unsettled.failed();
            return match sealed_refusal(headers, first, rest).await {
                // nobody here can tell whether it is full or finds fault with the request, and a refusal is free
                Some(refusal) => {
                    self.refused.get_or_insert(refusal);
                    attempt.went(Outcome::Nothing);
                    AtNode::Next { busy: false }
                }
                None => broke_off(attempt, None),
            };
        }
        let arrived = Instant::now();
        self.metrics.first_byte(self.endpoint, arrived - self.begun);
        // the receipt is known when the stream has ended, or, where its user has left, when the node was
        // asked; until then the money stays held
        sent.unsettled.settle_later();
        AtNode::Answered(Reply::Stream(StreamReply {
            headers,
            sealed: self.sealed,
            first,
            rest,
            in_flight: StreamInFlight {
                attempt,
                took: arrived - sent.at,
                metrics: Arc::clone(&self.metrics),
                span: Span::current(),
                _permit: permit.take(),
            },
        }))
    }

    /// Holds the worst case at this price.
    fn afford(&mut self, price: Price) -> Result<(), Refusal> {
        let units = self.next.max_units();
        let worst = Amount::cost(price, units);
        if let Some(hold) = &mut self.hold {
            return match hold.raise(worst) {
                true => Ok(()),
                false => Err(self.over_budget(units, worst)),
            };
        }
        match self.account.reserve(worst) {
            Ok(hold) => {
                self.hold = Some(hold);
                Ok(())
            }
            Err(NoHold::TooMany) => Err(too_many_unsettled()),
            Err(NoHold::TooDear) => Err(self.over_budget(units, worst)),
        }
    }

    fn over_budget(&self, units: ComputeUnits, worst: Amount) -> Refusal {
        let left = self.account.left();
        let shorter = self.shorter(|price| price.affords(left));
        over_budget(units, worst, left, shorter)
    }

    fn measure(&self) -> Measure {
        Measure::of(self.endpoint, self.stream)
    }
}

/// A request that was sent.
struct Sent {
    unsettled: Unsettled,
    at: Instant,
}
