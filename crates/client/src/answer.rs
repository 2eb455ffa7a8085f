//! What a node answers: bytes passed on as they come, hashed on the way, and a receipt that is
//! checked before the end is passed on.

use crate::{
    ClientError, MalformedAnswer, NodeInfo, VerifiedReceipt,
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
use http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE};
use std::{
    fmt,
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
}

// === impl Answer ===

/// An answer that is being served.
pub(crate) fn served(
    (request_id, salt): (RequestId, Salt),
    response: Response<Body>,
    node: &NodeInfo,
    pace: Pace,
    in_flight: InFlight,
    receipt: oneshot::Receiver<Arc<VerifiedReceipt>>,
) -> Answer {
    let (parts, body) = response.into_parts();
    let text = parts.headers.get(RECEIPT);
    let text = text
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let is_stream = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
    let commitment = salt.hasher(CommitmentKind::Answer);
    let proof = if is_stream && text.is_none() {
        Proof::Comment {
            scanner: Scanner::over(commitment),
            errors: ErrorFrames::default(),
            lines: Lines::default(),
            begun: false,
            verified: false,
        }
    } else {
        Proof::Header {
            text,
            hasher: commitment,
        }
    };
    let served = Served {
        node: node.id,
        pieces: Pieces::new(body, SILENCE_TIMEOUT),
        pace,
        in_flight,
        visible: Visible::new(matches!(proof, Proof::Comment { .. })),
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
        matches!(&self.0, Kind::Served(served) if matches!(served.proof, Proof::Comment { .. }))
    }

    /// Whether an event of a stream has come that says something and is no error. Comments and empty lines
    /// are no answer.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let Kind::Served(served) = &self.0 else {
            return false;
        };
        matches!(served.proof, Proof::Comment { begun: true, .. })
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
        if !matches!(item, Some(Ok(_))) {
            self.0 = Kind::Over;
        }
        Poll::Ready(item)
    }
}

impl Served {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
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
        }
        Ok(bytes)
    }

    /// The body is over: is its receipt there and good?
    fn end(&mut self) -> Result<(), ClientError> {
        let checked = match &mut self.proof {
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

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerBody")
    }
}
