//! A request on its way to another node: the other one's bytes as they come, this node's receipt behind them.
//!
//! What is passed on runs in a task of its own. Whoever asked may leave at any time, and pays what the other node's
//! receipt says of it then, whenever that comes; until an answer has begun, nothing is lost and the request may still be
//! served here.
//!
//! Whoever leaves keeps the units reserved until it is clear what their request cost: the other node has shown its
//! receipt, or has refused it for good, or the lease between the two nodes is closed. **Who gains?**
//!
//! | Who | What | What comes of it |
//! |---|---|---|
//! | user | leaves what takes the other node long | pays it once its receipt is there; as long as it isn't, their own units are reserved |
//! | user and other node, one party | leave at once, and show a receipt late | the first user's units pay it; a receipt after the other node's word that there is none counts among answers that never came (at the client of this node), so that soon nothing more is signed for it |
//! | user and other node, one party | leave many, and never show receipts | so many are waited for ([`Forwarder::waits_for_too_much`]), and the other node's lane at this one's client has room for no more |
//! | other node | shows none, ever | is paid nothing that isn't shown or demanded; the user's units are free once it is clear |
//! | user and other node, one party | the answer breaks off before its last line, and its receipt comes later | in time the user pays what they have every byte of; the second that this node pays alone within an hour is the last for an hour ([`Forwarder::charged_for_a_break`]) |
//! | user and other node, one party | the other node refuses what was signed at once, and claims it | no more is signed at once than the window, one request, or an eighth of what it has receipts for here ([`RequestTry::earned`]) |
//! | nobody | the other node is slow, and this one's patience is over | the user is served here or by a third and pays for that alone; what comes of the first try within ten minutes this node pays, whose patience it was, and the other isn't blamed; what doesn't counts among answers that never came |
//! | other node | is late on purpose, to be paid for what nobody gets | it rests after each, longer each time ([`Forwarder::rest`]); what it can be paid is what the operator lets stacks with others hold, of whom they can name ([`ForwardConfig`](crate::ForwardConfig)) |

use super::{admitted::Admitted, inference::Inference, passed_bytes, respond};
use crate::{
    forward::{Forwarder, Seller},
    held::Held,
    in_flight::RequestInFlight,
    metrics::Forwarded,
    pricing::Plan,
};
use atoma_client::{
    Answer, AnswerBody, ClientError, ReceiptWait, RequestTry, SecondRecord, VerifiedReceipt,
    WholeAnswer,
    retry::{Mend, NodeRefusal, Remedy},
};
use atoma_evidence::second::joined_text;
use atoma_openai::frames;
use atoma_runtime::WithCauses;
use atoma_types::{
    NodeId,
    refusal::{Refusal, RefusalCode},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::StreamExt;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// Nodes that are asked for one request.
const TRIES: usize = 2;
/// Pieces of a stream that wait for a slow user.
const PIECES: usize = 16;
/// A user has left, and the node stops, or the other node's answer broke off: so long its receipt is still waited for, which
/// says what is to be paid.
const LAST_WORD: Duration = Duration::from_secs(10);

/// What became of passing a request on.
pub(super) enum Passed {
    Answer(Response),
    /// It was taken, and nothing came of it.
    Refused(Refusal),
    /// Nobody has taken it.
    Back(Box<Admitted>),
}

impl Passed {
    /// For a request that can't be served here: the refusal that it gets if nobody has taken it.
    pub(super) fn or_refuse(self, refusal: Refusal) -> Result<Response, Refusal> {
        match self {
            Self::Answer(response) => Ok(response),
            Self::Refused(refusal) => Err(refusal),
            Self::Back(_) => Err(refusal),
        }
    }
}

/// A request that is passed on.
struct PassingOn {
    inference: Arc<Inference>,
    forwarder: Arc<Forwarder>,
    /// Nobody waits for the answer any more.
    gone: CancellationToken,
}

/// What asking others came to.
enum Asked {
    Whole(Bytes, Arc<VerifiedReceipt>),
    Stream(NodeId, Begin),
    Nobody,
    Left(ReceiptWait),
}

/// A stream that has begun, and who waits for its receipt.
struct Begin {
    first: Bytes,
    rest: AnswerBody,
    receipt: ReceiptWait,
}

/// How an answer begins.
enum Begun {
    Whole(WholeAnswer),
    Stream(Bytes, AnswerBody),
}

/// Why one node gave no answer.
enum Failed {
    /// It can't now; another may.
    Node { busy: bool },
    /// It finds fault with the request. Whether there is one, this node says when it has a place: a stranger's word
    /// about it is nobody's, and another may take the request.
    Request,
}

/// Passes a request on, if another node has a place for it. It is asked for once.
pub(super) async fn pass_on(inference: &Arc<Inference>, mut admitted: Admitted) -> Passed {
    let Some(forwarder) = inference.forwarder.as_ref().filter(|_| admitted.may_go) else {
        return Passed::Back(Box::new(admitted));
    };
    if forwarder.waits_for_too_much(admitted.request.message().stack) {
        return Passed::Back(Box::new(admitted));
    }
    admitted.may_go = false;
    if let Err(refusal) = passed_bytes::check(inference, &admitted).await {
        return Passed::Refused(refusal);
    }
    let gone = CancellationToken::new();
    let guard = gone.clone().drop_guard();
    let (told, passed) = oneshot::channel();
    let passing = PassingOn {
        inference: inference.clone(),
        forwarder: forwarder.clone(),
        gone,
    };
    forwarder
        .tracker
        .spawn(passing.run(admitted, told).instrument(Span::current()));
    let passed = passed.await;
    guard.disarm();
    passed.unwrap_or_else(|_| {
        let message = "the work broke off";
        Passed::Refused(Refusal::new(RefusalCode::Internal, message))
    })
}

impl PassingOn {
    async fn run(self, admitted: Admitted, told: oneshot::Sender<Passed>) {
        let metrics = &self.inference.billing.metrics;
        let max = admitted.request.message().max_units;
        let now = self.inference.billing.clock.now();
        let held = Held::reserve(&admitted.lease, &admitted.request, max, max, now);
        let Ok(held) = held else {
            let _ = told.send(Passed::Back(Box::new(admitted)));
            return;
        };
        // who waits for what is told here has left, if it can't be told
        match self.ask(&admitted).await {
            Asked::Nobody => {
                drop(held);
                metrics.forwarded(Forwarded::Nobody);
                let _ = told.send(Passed::Back(Box::new(admitted)));
            }
            Asked::Whole(body, second) => {
                let in_flight = self.in_flight(admitted, held);
                let _ = told.send(self.whole(in_flight, body, &second).await);
            }
            Asked::Stream(node, begin) => {
                let in_flight = self.in_flight(admitted, held);
                let (sender, receiver) = mpsc::channel(PIECES);
                let body = futures::stream::unfold(receiver, |mut receiver| async {
                    let bytes: Bytes = receiver.recv().await?;
                    Some((Ok::<_, Infallible>(bytes), receiver))
                });
                let response = respond::event_stream(Body::from_stream(body));
                let _ = told.send(Passed::Answer(response));
                self.stream(in_flight, (node, begin), sender).await;
            }
            Asked::Left(receipt) => {
                let in_flight = self.in_flight(admitted, held);
                self.left(in_flight, receipt).await;
            }
        }
    }

    /// Takes the request over: from here on it is paid or released as any other.
    fn in_flight(&self, mut admitted: Admitted, held: Held) -> RequestInFlight {
        let words = admitted.words(&self.inference);
        let Admitted {
            request,
            task,
            permit,
            ..
        } = admitted;
        let plan = Plan::whole(task.weights, request.message().max_units);
        RequestInFlight::of(&self.inference.billing, held, task, plan, words, permit)
    }

    /// Asks the cheapest that has room, and another one if that fails.
    async fn ask(&self, admitted: &Admitted) -> Asked {
        let (lease, units) = (&admitted.lease, admitted.request.message().max_units);
        let (mut tried, mut faulted) = (Vec::new(), None);
        while tried.len() < TRIES {
            let chosen = self
                .forwarder
                .choose(lease.task, lease.price, units, &tried);
            let Some(seller) = chosen else { break };
            tried.push(seller.node);
            match self.ask_one(&seller, admitted).await {
                Ok(asked) => {
                    // nobody knows yet what comes of it where the user has left
                    let taken = !matches!(asked, Asked::Left(_));
                    if let Some(node) = faulted.filter(|_| taken) {
                        self.forwarder.rest(node, false);
                    }
                    return asked;
                }
                Err(Failed::Node { busy }) => self.forwarder.rest(seller.node, busy),
                // whoever refuses all that is passed on would else have it end here
                Err(Failed::Request) => faulted = faulted.or(Some(seller.node)),
            }
        }
        Asked::Nobody
    }

    async fn ask_one(&self, seller: &Seller, admitted: &Admitted) -> Result<Asked, Failed> {
        let Seller { stack, node } = seller;
        let id = || self.inference.runtime.request_id();
        let (salt, body) = (admitted.salt.clone(), admitted.body.clone());
        let mut request = RequestTry::passing_on(id(), &admitted.request, salt, body)
            .answered_within(self.forwarder.patience())
            .paid_late()
            .earned();
        let mut raised = false;
        loop {
            let (receipt, tried) = stack.try_once_watched(*node, &request);
            let begun = tokio::select! {
                biased;
                () = self.gone.cancelled() => return Ok(Asked::Left(receipt)),
                begun = async { begin(tried.await?).await } => begun,
            };
            let answer = match begun {
                Ok(Begun::Stream(first, rest)) => {
                    self.forwarder.answered(*node);
                    let begin = Begin {
                        first,
                        rest,
                        receipt,
                    };
                    return Ok(Asked::Stream(*node, begin));
                }
                Ok(Begun::Whole(answer)) if answer.status.is_success() => {
                    // what nobody has signed for is no answer
                    let Some(second) = answer.receipt else {
                        tracing::warn!(%node, "an answer to what was passed on has no receipt");
                        return Err(Failed::Node { busy: false });
                    };
                    self.forwarder.answered(*node);
                    return Ok(Asked::Whole(answer.body, second));
                }
                Ok(Begun::Whole(refused)) => refused,
                Err(error) => {
                    tracing::info!(error = %WithCauses(&error), %node, "a request could not be passed on");
                    // others have used up the room since, or what it has earned
                    let busy = matches!(
                        error,
                        ClientError::NoRoom { .. } | ClientError::NotEarned { .. }
                    );
                    return Err(Failed::Node { busy });
                }
            };
            let (status, said) = (answer.status.as_u16(), &answer.body);
            tracing::debug!(status, %node, "another node refused what was passed on");
            match NodeRefusal::read(status, said).remedy() {
                Remedy::PassOn | Remedy::Mend(Mend::RaiseUnits(_)) => return Err(Failed::Request),
                Remedy::Mend(mend @ Mend::RaiseCeiling(_)) if !raised => {
                    raised = true;
                    request.mend(id(), mend);
                }
                // it has restarted since the user signed
                Remedy::Busy | Remedy::Mend(Mend::SignAnew) => {
                    return Err(Failed::Node { busy: true });
                }
                Remedy::Elsewhere | Remedy::Mend(_) => return Err(Failed::Node { busy: false }),
            }
        }
    }

    async fn whole(
        &self,
        mut in_flight: RequestInFlight,
        body: Bytes,
        second: &VerifiedReceipt,
    ) -> Passed {
        let body = in_flight.sending(body);
        match self.receipt(&mut in_flight, second).await {
            Ok(text) => {
                self.inference
                    .billing
                    .metrics
                    .forwarded(Forwarded::Answered);
                Passed::Answer(respond::paid_answer(body, &text))
            }
            Err(refusal) => Passed::Refused(refusal),
        }
    }

    async fn stream(
        &self,
        mut in_flight: RequestInFlight,
        (node, begin): (NodeId, Begin),
        user: mpsc::Sender<Bytes>,
    ) {
        let Begin {
            first,
            mut rest,
            receipt,
        } = begin;
        let mut next = first;
        loop {
            if !next.is_empty() {
                let next = in_flight.sending(next);
                if user.send(next).await.is_err() {
                    drop(rest);
                    return self.left(in_flight, receipt).await;
                }
            }
            let item = tokio::select! {
                biased;
                () = user.closed() => {
                    drop(rest);
                    return self.left(in_flight, receipt).await;
                }
                item = rest.next() => item,
            };
            next = match item {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => {
                    drop(rest);
                    self.broke(node, &error);
                    // where it said so itself, its words were passed on
                    if !matches!(error, ClientError::GaveUp { .. }) {
                        let _ = user.send(frames::broken(&broken_off().to_json())).await;
                    }
                    drop(user);
                    return self.broken(in_flight, receipt, node).await;
                }
                None => break,
            };
        }
        let ended = match receipt.await {
            Some(second) => self.receipt(&mut in_flight, &second).await,
            None => Err(broken_off()),
        };
        let last = match ended {
            Ok(text) => {
                self.inference
                    .billing
                    .metrics
                    .forwarded(Forwarded::Answered);
                frames::receipt_and_done(&text)
            }
            Err(refusal) => frames::broken(&refusal.to_json()),
        };
        let _ = user.send(last).await;
    }

    fn broke(&self, node: NodeId, error: &ClientError) {
        self.inference.billing.metrics.forwarded(Forwarded::Broken);
        self.forwarder.rest(node, false);
        tracing::warn!(error = %WithCauses(error), %node, "an answer that was passed on broke off");
    }

    /// The other node's answer broke off. If it charges for all that the user has, the user pays that; later, or for other
    /// bytes, this node does, and soon asks the other one nothing more.
    async fn broken(&self, mut in_flight: RequestInFlight, mut receipt: ReceiptWait, node: NodeId) {
        in_flight.gives_place_back();
        let is_paid_here = match timeout(LAST_WORD, &mut receipt).await {
            Ok(None) => false,
            Ok(Some(second)) => in_flight.commit_broken(&record(&second)).is_none(),
            Err(_) => {
                in_flight.release();
                let stops = self.forwarder.stopping.cancelled();
                tokio::select! {
                    biased;
                    second = receipt => second.is_some(),
                    () = stops => false,
                }
            }
        };
        in_flight.release();
        if is_paid_here {
            self.forwarder.charged_for_a_break(node);
        }
    }

    /// Ends the request with this node's receipt, and puts the second record behind it.
    async fn receipt(
        &self,
        in_flight: &mut RequestInFlight,
        second: &VerifiedReceipt,
    ) -> Result<String, Refusal> {
        let record = record(second);
        let pending = in_flight.commit_second(&record)?;
        let first = pending.durable(&self.inference.billing).await?;
        Ok(joined_text(&first.to_text(), Some(&record)))
    }

    /// The user has left, and the other node was told. What its receipt says is paid, whenever it comes; nothing once it
    /// is clear that there is none.
    async fn left(&self, mut in_flight: RequestInFlight, receipt: ReceiptWait) {
        let metrics = &self.inference.billing.metrics;
        metrics.forwarded(Forwarded::Left);
        let _left = self.forwarder.user_left(in_flight.stack());
        in_flight.gives_place_back();
        let stops = async {
            self.forwarder.stopping.cancelled().await;
            tokio::time::sleep(LAST_WORD).await;
        };
        let second = tokio::select! {
            biased;
            second = receipt => second,
            () = stops => None,
        };
        match second {
            Some(second) => {
                metrics.left.inc();
                if let Err(refusal) = in_flight.commit_left(&record(&second)) {
                    tracing::warn!(%refusal, "what was passed on is not paid");
                }
            }
            None => in_flight.release(),
        }
    }
}

/// Waits until an answer is here, or a stream has said something.
async fn begin(answer: Answer) -> Result<Begun, ClientError> {
    let node = answer.node;
    if !answer.status.is_success() || !answer.body.is_stream() {
        return answer.whole().await.map(Begun::Whole);
    }
    let mut body = answer.body.only_covered();
    match body.first_event().await? {
        Some(first) => Ok(Begun::Stream(first, body)),
        // an answer without a word, whose receipt is good
        None => Err(ClientError::GaveUp { node }),
    }
}

/// The second record, of the other node's checked receipt.
fn record(second: &VerifiedReceipt) -> SecondRecord {
    SecondRecord::new(second.request().clone(), second.signed().clone())
}

fn broken_off() -> Refusal {
    let message =
        "the node that the request was passed on to broke off: the answer is not complete";
    Refusal::new(RefusalCode::Unavailable, message)
}
