//! One request from its budget to its answer: try a node, mend what can be mended, try another,
//! until the first byte is here. After that it is too late to change one's mind.
//!
//! Nothing is paid twice for it: a refusal costs nothing, and a node that answered too late or
//! broke off is paid by its own receipt, out of the gateway's stack, never out of the user's budget.

use crate::{
    body::Asked,
    budget::{Account, Amount, Hold},
    errors::{Remedy, exhausted, remedy},
    gateway::{Place, Shared, User},
    metrics::Retry,
    pool::{Pool, Trip},
    router::{Measure, Outcome},
    serve,
};
use atoma_client::{Answer, ClientError, ReceiptWait, RequestOptions, WholeAnswer};
use atoma_types::{
    ComputeUnits, NodeId, Price,
    http::{RECEIPT, REQUEST_ID},
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderName};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Tried again at one node at most this often: once for the units, once for a used-up lease.
const SAME_NODE_AGAIN_MAX: usize = 2;
/// Of a node's headers, what the user gets.
const RELAYED: [HeaderName; 3] = [
    http::header::CONTENT_TYPE,
    HeaderName::from_static(RECEIPT),
    HeaderName::from_static(REQUEST_ID),
];

/// A request with money held for it.
pub(crate) struct Order {
    shared: Arc<Shared>,
    account: Arc<Account>,
    pool: Arc<Pool>,
    endpoint: Endpoint,
    stream: bool,
    max_units: ComputeUnits,
    hold: Option<Hold>,
    begun: Instant,
}

/// A stream under way. Dropped, it frees its place.
pub(crate) struct Voyage {
    shared: Arc<Shared>,
    trip: Trip,
    took: Duration,
    _place: Option<Place>,
}

/// How an attempt at one node ended.
enum Attempt {
    /// This is the user's answer.
    Answered(Response),
    /// Another node, please.
    Next(Outcome),
    /// No other node can help.
    Refused(Refusal),
}

impl Order {
    /// Holds what the request may cost at the cheapest node; 402 if that is too much.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        user: &User,
        pool: Arc<Pool>,
        endpoint: Endpoint,
        asked: &Asked<'_>,
    ) -> Result<Self, Refusal> {
        let offer = pool.offer();
        let cheapest = offer.sellers.iter().map(|seller| seller.price).min();
        let max_units =
            asked.max_units(endpoint, &offer.weights, offer.policy.default_output_tokens);
        let mut order = Self {
            shared: Arc::clone(shared),
            account: Arc::clone(&user.account),
            pool,
            endpoint,
            stream: asked.stream && endpoint != Endpoint::Embeddings,
            max_units,
            hold: None,
            begun: Instant::now(),
        };
        order.afford(cheapest.ok_or_else(|| exhausted(false))?)?;
        Ok(order)
    }

    /// Holds the worst case at this price.
    fn afford(&mut self, price: Price) -> Result<(), Refusal> {
        let worst = Amount::cost(price, self.max_units);
        let held = match &mut self.hold {
            Some(hold) => hold.raise(worst),
            None => {
                self.hold = self.account.reserve(worst);
                self.hold.is_some()
            }
        };
        if held {
            return Ok(());
        }
        let message = format!(
            "the key's budget does not cover this request: it may cost up to {} units, {worst}",
            self.max_units.0
        );
        Err(Refusal::new(RefusalCode::BudgetExceeded, message).needed(worst.whole().0))
    }

    /// Runs it to the first byte of its answer.
    pub(crate) async fn run(mut self, body: Bytes, place: Place) -> Result<Response, Refusal> {
        let mut place = Some(place);
        let mut tried: Vec<NodeId> = Vec::new();
        let mut all_busy = true;
        while tried.len() < self.shared.config.limits.max_tries {
            let Some(trip) = self.pool.pick(self.measure(), &tried) else {
                break;
            };
            tried.push(trip.node());
            match self.attempt(trip, &body, &mut place).await {
                Attempt::Answered(response) => return Ok(response),
                Attempt::Refused(refusal) => return Err(refusal),
                Attempt::Next(outcome) => {
                    let busy = outcome == Outcome::Busy;
                    all_busy &= busy;
                    let reason = if busy { Retry::Busy } else { Retry::Failed };
                    self.shared.metrics.retried(reason);
                }
            }
        }
        Err(exhausted(all_busy && !tried.is_empty()))
    }

    /// One node: signs, sends, and signs again where the node says what it lacks.
    async fn attempt(
        &mut self,
        mut trip: Trip,
        body: &Bytes,
        place: &mut Option<Place>,
    ) -> Attempt {
        let node = trip.node();
        let Some(asked) = self.pool.offer().seller(node).map(|seller| seller.price) else {
            return Attempt::Next(Outcome::Nothing);
        };
        let timeout = Duration::from(self.shared.config.limits.lease_timeout);
        let mut lease = self.pool.lease(node, self.max_units, timeout).await;
        for _ in 0..=SAME_NODE_AGAIN_MAX {
            let stack = match lease {
                Ok(stack) => stack,
                Err(error) => {
                    tracing::warn!(%error, %node, model = self.pool.offer().model, "no lease");
                    let outcome = if error.is_nodes_fault() {
                        Outcome::Failed
                    } else {
                        Outcome::Nothing
                    };
                    trip.went(outcome);
                    return Attempt::Next(outcome);
                }
            };
            // the lease's price is what the node is paid, even if it asks for another one now
            let price = stack.price(node).unwrap_or(asked);
            if let Err(refusal) = self.afford(price) {
                return Attempt::Refused(refusal);
            }
            let options = RequestOptions {
                max_units: Some(self.max_units),
                ..RequestOptions::default()
            };
            let sent = Instant::now();
            let remedy = match stack
                .request(node, self.endpoint, body.clone(), options)
                .await
            {
                Ok(answer) if answer.status.is_success() => {
                    return self.deliver(answer, trip, sent, price, place).await;
                }
                Ok(answer) => {
                    let status = answer.status;
                    let Ok(whole) = answer.whole().await else {
                        trip.went(Outcome::Failed);
                        return Attempt::Next(Outcome::Failed);
                    };
                    match remedy(status.as_u16(), &whole.body) {
                        Remedy::PassOn => return Attempt::Answered(passed_on(whole)),
                        remedy => remedy,
                    }
                }
                // another request was quicker to take the room
                Err(ClientError::NoRoom { .. }) => Remedy::Relet,
                Err(error) => {
                    tracing::warn!(%error, %node, "a node failed");
                    Remedy::Elsewhere
                }
            };
            lease = match remedy {
                Remedy::MoreUnits(needed) => {
                    self.max_units = self.max_units.max(ComputeUnits(needed));
                    self.shared.metrics.retried(Retry::MoreUnits);
                    self.pool.lease(node, self.max_units, timeout).await
                }
                Remedy::Relet => {
                    self.shared.metrics.retried(Retry::Relet);
                    self.pool.relet(node, self.max_units, timeout).await
                }
                Remedy::NewStack => {
                    self.shared.metrics.retried(Retry::Relet);
                    self.pool.retire(&stack);
                    self.pool.lease(node, self.max_units, timeout).await
                }
                Remedy::Busy => {
                    trip.went(Outcome::Busy);
                    return Attempt::Next(Outcome::Busy);
                }
                Remedy::Elsewhere | Remedy::PassOn => {
                    trip.went(Outcome::Failed);
                    return Attempt::Next(Outcome::Failed);
                }
            };
        }
        trip.went(Outcome::Failed);
        Attempt::Next(Outcome::Failed)
    }

    /// The node answers: the whole answer, or a stream from its first bytes on.
    async fn deliver(
        &mut self,
        mut answer: Answer,
        mut trip: Trip,
        sent: Instant,
        price: Price,
        place: &mut Option<Place>,
    ) -> Attempt {
        let failed = |trip: &mut Trip, error: Option<ClientError>| {
            let node = trip.node();
            let error = error.map(|error| error.to_string());
            tracing::warn!(error = error.as_deref(), %node, "an answer broke off");
            trip.went(Outcome::Failed);
            Attempt::Next(Outcome::Failed)
        };
        if !self.stream {
            let whole = match answer.whole().await {
                Ok(whole) => whole,
                Err(error) => return failed(&mut trip, Some(error)),
            };
            let Some(receipt) = &whole.receipt else {
                return failed(&mut trip, None);
            };
            let took = sent.elapsed();
            let tokens = u32::try_from(receipt.usage.output.max(1)).unwrap_or(u32::MAX);
            let each = if self.endpoint == Endpoint::Embeddings {
                took
            } else {
                took / tokens
            };
            trip.went(Outcome::Answered(self.measure(), each));
            self.settle(price, receipt.units);
            self.shared
                .metrics
                .first_byte(self.endpoint, self.begun.elapsed());
            return Attempt::Answered(passed_on(whole));
        }
        let receipt = answer.receipt();
        let (headers, mut rest) = (answer.headers, answer.body);
        let first = match rest.next().await {
            Some(Ok(first)) => first,
            Some(Err(error)) => return failed(&mut trip, Some(error)),
            None => return failed(&mut trip, None),
        };
        self.shared
            .metrics
            .first_byte(self.endpoint, self.begun.elapsed());
        self.settle_later(price, receipt);
        let voyage = Voyage {
            shared: Arc::clone(&self.shared),
            trip,
            took: sent.elapsed(),
            _place: place.take(),
        };
        let mut response = serve::stream(first, rest, voyage);
        relay_headers(&headers, response.headers_mut());
        Attempt::Answered(response)
    }

    fn settle(&mut self, price: Price, units: ComputeUnits) {
        self.shared.metrics.units.inc_by(units.0);
        if let Some(hold) = self.hold.take() {
            hold.settle(Amount::cost(price, units));
        }
    }

    /// The receipt is known when the stream has ended, or, where its user has left, when the node
    /// was asked. Until then the money stays held.
    fn settle_later(&mut self, price: Price, receipt: ReceiptWait) {
        let Some(hold) = self.hold.take() else {
            return;
        };
        let metrics = Arc::clone(&self.shared.metrics);
        tokio::spawn(async move {
            // no valid receipt, no charge
            if let Some(receipt) = receipt.await {
                metrics.units.inc_by(receipt.units.0);
                hold.settle(Amount::cost(price, receipt.units));
            }
        });
    }

    fn measure(&self) -> Measure {
        match self.endpoint {
            Endpoint::Embeddings => Measure::Embedding,
            _ if self.stream => Measure::FirstToken,
            _ => Measure::PerToken,
        }
    }
}

impl Voyage {
    /// The stream has ended as it should.
    pub(crate) fn arrived(&mut self) {
        self.trip
            .went(Outcome::Answered(Measure::FirstToken, self.took));
    }

    /// The stream broke off.
    pub(crate) fn broke(&mut self, error: &ClientError) {
        tracing::warn!(%error, node = %self.trip.node(), "a stream broke off");
        self.shared.metrics.broken.inc();
        self.trip.went(Outcome::Failed);
    }
}

/// The node's answer as it came: its bytes are what its receipt vouches for.
fn passed_on(whole: WholeAnswer) -> Response {
    let mut response = Response::new(Body::from(whole.body));
    *response.status_mut() = whole.status;
    relay_headers(&whole.headers, response.headers_mut());
    response
}

fn relay_headers(from: &HeaderMap, to: &mut HeaderMap) {
    for name in &RELAYED {
        if let Some(value) = from.get(name) {
            to.insert(name, value.clone());
        }
    }
}
