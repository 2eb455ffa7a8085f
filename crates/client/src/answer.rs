//! What a node answers: bytes passed on as they come, hashed on the way, and a receipt that is
//! checked before the end is passed on.

use crate::{
    ClientError, MalformedAnswer, NodeInfo, VerifiedReceipt,
    confidential::{PassedAnswer, SealedAnswer},
    error_frame::ErrorFrames,
    in_flight::InFlight,
    lines::Lines,
    pace::{MAX_WHOLE_BYTES, Pace, SILENCE_TIMEOUT},
    receipt_scanner::{ScanError, Scanner},
    usage::Visible,
};
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::{Body, Pieces};
use atoma_types::{
    NodeId, RequestId,
    hash::Hasher,
    http::RECEIPT,
    message::{CommitmentKind, Salt},
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, future::BoxFuture};
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::oneshot;

/// A node's answer, or its refusal.
#[derive(Debug)]
pub struct Answer {
    /// The node that answers.
    pub node: NodeId,
    /// The request's id, as at `/v1/receipts/{id}`.
    pub request_id: RequestId,
    /// 200, or what the node refused with.
    pub status: StatusCode,
    /// The response's headers as the node sent them.
    pub headers: HeaderMap,
    /// The request's salt, under which its header and its receipt commit to request and answer.
    pub salt: Salt,
    /// The response's bytes as they come.
    pub body: AnswerBody,
    receipt: Option<oneshot::Receiver<Arc<VerifiedReceipt>>>,
}

/// An answer that has arrived to its end.
#[derive(Clone, Debug)]
pub struct WholeAnswer {
    /// The node that answered.
    pub node: NodeId,
    /// The request's id, as at `/v1/receipts/{id}`.
    pub request_id: RequestId,
    /// 200, or what the node refused with.
    pub status: StatusCode,
    /// The response's headers as the node sent them.
    pub headers: HeaderMap,
    /// The request's salt, under which its header and its receipt commit to request and answer.
    pub salt: Salt,
    /// The response's bytes, to which the receipt's `response_hash` commits.
    pub body: Bytes,
    /// Its receipt; a refusal has none.
    pub receipt: Option<Arc<VerifiedReceipt>>,
}

/// Resolves to the receipt once it is verified, even if the answer was dropped before its end and
/// the node had to be asked for it. `None` where there is none: a refusal, a bad receipt, a request
/// that was never served.
#[derive(Debug)]
pub struct ReceiptWait(Option<oneshot::Receiver<Arc<VerifiedReceipt>>>);

/// The body's bytes, unchanged. The last item is an error if the answer broke off or its receipt
/// is missing or bad; then the end of a stream (`data: [DONE]`) was not passed on. Dropped early,
/// it cancels the request at the node.
pub struct AnswerBody(Kind);

enum Kind {
    Small(Option<Bytes>),
    Served(Box<Served>),
    Over,
}

struct Served {
    node: NodeId,
    pieces: Pieces,
    pace: Pace,
    in_flight: InFlight,
    proof: Proof,
    /// Of a stream only what its receipt's hash covers is passed on.
    only_covered: bool,
    /// How much of it can be read.
    visible: Visible,
    /// What was opened before anybody asked for it.
    ready: Bytes,
}

/// How the receipt comes.
enum Proof {
    /// In a header; the hash covers the whole body.
    Header {
        text: Option<String>,
        hasher: Hasher,
    },
    /// In a stream's last comment.
    Comment {
        scanner: Scanner,
        errors: ErrorFrames,
        lines: Lines,
        /// An event has come that is no error.
        begun: bool,
        verified: bool,
    },
    /// Behind a sealed answer's end.
    Sealed {
        answer: Box<SealedAnswer>,
        verified: bool,
    },
    /// Behind a sealed answer's end, which is somebody else's to open.
    Passed(Box<PassedAnswer>),
}

/// What an answer is for whoever asked here.
pub(crate) enum Form {
    Plain,
    /// It is opened here.
    Opened(Box<SealedAnswer>),
    /// It is passed on sealed.
    Passed,
}

// === impl Answer ===

/// An answer that is being served.
pub(crate) fn served(
    (request_id, salt): (RequestId, Salt),
    (response, form, pace): (Response<Body>, Form, Pace),
    node: &NodeInfo,
    in_flight: InFlight,
    receipt: oneshot::Receiver<Arc<VerifiedReceipt>>,
) -> Answer {
    let (mut parts, body) = response.into_parts();
    let text = parts.headers.get(RECEIPT);
    let text = text
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let is_stream = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let commitment = salt.hasher(CommitmentKind::Answer);
    let proof = match form {
        Form::Opened(answer) => {
            opened_headers(&mut parts.headers, answer.is_stream());
            Proof::Sealed {
                answer,
                verified: false,
            }
        }
        Form::Passed => Proof::Passed(Box::new(PassedAnswer::committing(commitment))),
        Form::Plain if is_stream && text.is_none() => Proof::Comment {
            scanner: Scanner::over(commitment),
            errors: ErrorFrames::default(),
            lines: Lines::default(),
            begun: false,
            verified: false,
        },
        Form::Plain => Proof::Header {
            text,
            hasher: commitment,
        },
    };
    let served = Served {
        node: node.id,
        pieces: Pieces::new(body, SILENCE_TIMEOUT),
        pace,
        in_flight,
        visible: Visible::new(proof.is_stream()),
        ready: Bytes::new(),
        proof,
        only_covered: false,
    };
    Answer {
        node: node.id,
        request_id,
        status: parts.status,
        headers: parts.headers,
        salt,
        body: AnswerBody(Kind::Served(Box::new(served))),
        receipt: Some(receipt),
    }
}

/// A node's refusal, which is small and has no receipt.
pub(crate) fn refused(
    node: NodeId,
    (request_id, salt): (RequestId, Salt),
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    Answer {
        node,
        request_id,
        status,
        headers,
        salt,
        body: AnswerBody(Kind::Small(Some(body))),
        receipt: None,
    }
}

impl Answer {
    /// The receipt, once there is one. The first call gets it; take it before the body.
    pub fn receipt(&mut self) -> ReceiptWait {
        ReceiptWait(self.receipt.take())
    }

    /// Waits for all of it, and for the receipt.
    ///
    /// # Errors
    ///
    /// If the answer breaks off, stands still for a minute or creeps, is longer than what was paid for or
    /// than 64 MiB, or its receipt is missing or bad.
    pub fn whole(self) -> BoxFuture<'static, Result<WholeAnswer, ClientError>> {
        Box::pin(self.collect())
    }

    async fn collect(mut self) -> Result<WholeAnswer, ClientError> {
        let receipt = self.receipt();
        // most come in one piece, which isn't copied
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(bytes) = self.body.next().await {
            let bytes = bytes?;
            if first.len().max(rest.len()) + bytes.len() > MAX_WHOLE_BYTES {
                return Err(ClientError::Malformed {
                    node: self.node,
                    reason: MalformedAnswer::TooLong {
                        max_bytes: MAX_WHOLE_BYTES,
                    },
                });
            }
            if first.is_empty() {
                first = bytes;
                continue;
            }
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&bytes);
        }
        let receipt = if self.status.is_success() {
            receipt.await
        } else {
            None
        };
        Ok(WholeAnswer {
            node: self.node,
            request_id: self.request_id,
            status: self.status,
            headers: self.headers,
            salt: self.salt,
            body: if rest.is_empty() {
                first
            } else {
                rest.freeze()
            },
            receipt,
        })
    }

    /// The body of a refusal.
    pub(crate) fn small_body(&self) -> Option<&Bytes> {
        match &self.body.0 {
            Kind::Small(body) => body.as_ref(),
            Kind::Served(_) | Kind::Over => None,
        }
    }
}

impl Future for ReceiptWait {
    type Output = Option<Arc<VerifiedReceipt>>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(receiver) => Pin::new(receiver).poll(cx).map(Result::ok),
            None => Poll::Ready(None),
        }
    }
}

impl ReceiptWait {
    pub(crate) fn on(receipt: oneshot::Receiver<Arc<VerifiedReceipt>>) -> Self {
        Self(Some(receipt))
    }
}

// === impl AnswerBody ===

impl AnswerBody {
    /// Passes on what the receipt's hash covers and nothing else: of a stream all before the receipt's line. For
    /// who puts a receipt of their own behind it.
    #[must_use]
    pub fn only_covered(mut self) -> Self {
        if let Kind::Served(served) = &mut self.0 {
            served.only_covered = true;
        }
        self
    }

    /// Whether it is a stream of events whose receipt comes at its end.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(&self.0, Kind::Served(served) if served.proof.is_stream())
    }

    /// Whether an event of a stream has come that says something and is no error. Comments and empty lines
    /// are no answer.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let Kind::Served(served) = &self.0 else {
            return false;
        };
        match &served.proof {
            Proof::Header { .. } => false,
            Proof::Comment { begun, .. } => *begun,
            Proof::Sealed { answer, .. } => answer.has_begun(),
            Proof::Passed(answer) => answer.has_begun(),
        }
    }

    /// Waits until a sealed answer has said something. Gives the refusal that it is, if it is one.
    pub(crate) async fn begin(&mut self) -> Result<Option<(StatusCode, Bytes)>, ClientError> {
        let Kind::Served(served) = &mut self.0 else {
            return Ok(None);
        };
        loop {
            match poll_fn(|cx| served.poll_next(cx)).await {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    served.ready = bytes;
                    return Ok(None);
                }
                Some(Err(error)) => {
                    served.in_flight.unanswered();
                    return Err(error);
                }
                None => break,
            }
        }
        let refused = served.refusal();
        self.0 = Kind::Over;
        Ok(refused)
    }
}

impl Stream for AnswerBody {
    type Item = Result<Bytes, ClientError>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = match &mut self.0 {
            Kind::Over => None,
            Kind::Small(body) => body.take().map(Ok),
            Kind::Served(served) => ready!(served.poll_next(cx)),
        };
        if let (Some(Err(_)), Kind::Served(served)) = (&item, &self.0) {
            served.in_flight.unanswered();
        }
        if !matches!(item, Some(Ok(_))) {
            self.0 = Kind::Over;
        }
        Poll::Ready(item)
    }
}

impl Served {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        if !self.ready.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.ready))));
        }
        let Poll::Ready(next) = self.pieces.poll_next(cx) else {
            self.pace.waits();
            return Poll::Pending;
        };
        let item = match next {
            Ok(None) => self.end().err().map(Err),
            Ok(Some(bytes)) => Some(self.pass(bytes)),
            Err(source) => Some(Err(ClientError::Broken {
                node: self.node,
                source,
            })),
        };
        Poll::Ready(item)
    }

    /// Takes note of bytes, and checks the receipt if it is complete with them.
    fn pass(&mut self, bytes: Bytes) -> Result<Bytes, ClientError> {
        let node = self.node;
        let broken = |source| ClientError::Broken { node, source };
        if matches!(self.proof, Proof::Sealed { .. }) {
            return self.open(&bytes);
        }
        self.pace.passed(bytes.len()).map_err(broken)?;
        self.visible.feed(&bytes);
        match &mut self.proof {
            Proof::Header { hasher, .. } => {
                hasher.update(&bytes);
            }
            Proof::Comment {
                scanner,
                errors,
                lines,
                begun,
                verified,
            } => {
                let mut covered = BytesMut::new();
                scanner.feed_to(&bytes, |piece| {
                    if self.only_covered {
                        covered.extend_from_slice(piece);
                    }
                });
                errors.feed(&bytes);
                if lines.feed(&bytes) {
                    self.pace.event();
                    *begun |= !errors.is_last();
                } else {
                    self.pace.no_event(lines.idle_bytes()).map_err(broken)?;
                }
                let checked = match scanner.scanned() {
                    Ok(_) if *verified => Ok(()),
                    Ok(scanned) => {
                        *verified = true;
                        let receipt = (self.in_flight)
                            .receipt(&scanned.receipt, (scanned.hash, *self.visible.said()));
                        receipt.map(|_| ())
                    }
                    Err(ScanError::Missing) => Ok(()),
                    Err(ScanError::Trailing) => Err(ReceiptError::TrailingBytes),
                };
                checked.map_err(|reason| self.bad(reason))?;
                if self.only_covered {
                    return Ok(covered.freeze());
                }
            }
            Proof::Sealed { .. } => {}
            Proof::Passed(answer) => {
                let fed = answer.feed(&bytes);
                let fed = fed.map_err(|source| ClientError::Sealed { node, source })?;
                if fed.frames > 0 {
                    self.pace.event();
                }
                if let Some((receipt, covered)) = fed.receipt {
                    let arrived = (covered, *self.visible.said());
                    let checked = self.in_flight.receipt(&receipt, arrived);
                    checked.map_err(|reason| self.bad(reason))?;
                }
            }
        }
        Ok(bytes)
    }

    /// Opens bytes of a sealed answer. What is counted is what they say: padding is nobody's.
    fn open(&mut self, bytes: &[u8]) -> Result<Bytes, ClientError> {
        let node = self.node;
        let broken = |source| ClientError::Broken { node, source };
        let Proof::Sealed { answer, verified } = &mut self.proof else {
            return Ok(Bytes::new());
        };
        let fed = answer.feed(bytes);
        let mut pieces = fed.map_err(|source| ClientError::Sealed { node, source })?;
        let said = pieces.said.iter().map(Bytes::len).sum();
        self.pace.passed(said).map_err(broken)?;
        for text in &pieces.said {
            self.visible.feed(text);
        }
        if pieces.event {
            self.pace.event();
        } else if answer.is_stream() {
            let idle = answer.lines.idle_bytes();
            self.pace.no_event(idle).map_err(broken)?;
        }
        let Some((receipt, covered)) = pieces.receipt else {
            return Ok(pieces.text.freeze());
        };
        let arrived = (covered, *self.visible.said());
        let checked = self.in_flight.receipt(&receipt, arrived);
        *verified = checked.is_ok();
        if *verified {
            pieces.text.extend_from_slice(&answer.take_last());
        }
        match checked {
            Ok(_) => Ok(pieces.text.freeze()),
            Err(reason) => Err(self.bad(reason)),
        }
    }

    /// What a sealed answer refused with, if it is a refusal: then nothing is to be paid.
    fn refusal(&mut self) -> Option<(StatusCode, Bytes)> {
        let Proof::Sealed { answer, .. } = &self.proof else {
            return None;
        };
        let failed = answer.failed().filter(|failed| !failed.late)?;
        let status = StatusCode::from_u16(failed.status);
        let refused = (
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            failed.body.clone(),
        );
        self.in_flight.was_refused();
        Some(refused)
    }

    /// The body is over: is its receipt there and good?
    fn end(&mut self) -> Result<(), ClientError> {
        let node = self.node;
        let checked = match &mut self.proof {
            Proof::Sealed { answer, verified } => {
                answer
                    .end()
                    .map_err(|source| ClientError::Sealed { node, source })?;
                match answer.failed() {
                    Some(failed) if failed.late => return Err(ClientError::GaveUp { node }),
                    Some(_) => Ok(()),
                    None if *verified => Ok(()),
                    None => Err(ReceiptError::Missing),
                }
            }
            Proof::Passed(answer) => {
                let end = answer.end();
                end.map_err(|source| ClientError::Sealed { node, source })?;
                if !answer.has_receipt() {
                    self.in_flight.was_refused();
                }
                return Ok(());
            }
            Proof::Header { text, hasher } => match text {
                Some(text) => {
                    let arrived = (hasher.finish(), *self.visible.said());
                    self.in_flight.receipt(text, arrived).map(|_| ())
                }
                None => Err(ReceiptError::Missing),
            },
            Proof::Comment { verified: true, .. } => Ok(()),
            // it said itself that the answer isn't complete: there is nothing to vouch for
            Proof::Comment { errors, .. } if errors.is_last() => {
                return Err(ClientError::GaveUp { node: self.node });
            }
            Proof::Comment { .. } => Err(ReceiptError::Missing),
        };
        checked.map_err(|reason| self.bad(reason))
    }

    fn bad(&self, reason: ReceiptError) -> ClientError {
        ClientError::Receipt {
            node: self.node,
            reason,
        }
    }
}

impl Proof {
    /// Whether the answer is a stream of events.
    fn is_stream(&self) -> bool {
        match self {
            Self::Header { .. } => false,
            Self::Comment { .. } => true,
            Self::Sealed { answer, .. } => answer.is_stream(),
            // whatever it is inside, it is passed on as it comes
            Self::Passed(_) => true,
        }
    }
}

/// What the answer is once it is opened.
fn opened_headers(headers: &mut HeaderMap, is_stream: bool) {
    let inside = match is_stream {
        true => "text/event-stream",
        false => "application/json",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(inside));
    headers.remove(CONTENT_LENGTH);
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerBody")
    }
}
