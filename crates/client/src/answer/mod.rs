//! What a node answers: bytes passed on as they come, hashed on the way, and a receipt that is
//! checked before the end is passed on.
//!
//! ```text
//! Answer, WholeAnswer   what a caller holds
//! body                  the bytes as a stream, whatever they are
//! proof                 the ways in which a receipt comes: header, comment, behind a sealed answer's end
//! arriving              what is watched of an answer, whichever way that is
//! late                  answers that nobody waits for any more
//! ```

mod arriving;
mod body;
mod comment;
mod late;
mod proof;
mod sealed;

pub use body::AnswerBody;
pub(crate) use late::{LATE, read_on};
pub(crate) use proof::Form;

use crate::{
    ClientError, Ended, MalformedAnswer, NodeInfo, VerifiedReceipt,
    in_flight::InFlight,
    pace::{MAX_WHOLE_BYTES, Pace},
};
use atoma_http::client::Body;
use atoma_types::{NodeId, RequestId, message::Salt};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, future::BoxFuture};
use http::{HeaderMap, Response, StatusCode};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::oneshot, time::timeout};

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
    receipt: Option<oneshot::Receiver<Ended>>,
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
pub struct ReceiptWait(Option<oneshot::Receiver<Ended>>);

// === impl Answer ===

/// An answer that is being served.
pub(crate) fn served(
    (request_id, salt): (RequestId, Salt),
    (response, form, pace): (Response<Body>, Form, Pace),
    node: &NodeInfo,
    in_flight: InFlight,
    receipt: oneshot::Receiver<Ended>,
) -> Answer {
    let (mut parts, body) = response.into_parts();
    let proof = form.proof(&mut parts.headers, &salt);
    Answer {
        node: node.id,
        request_id,
        status: parts.status,
        headers: parts.headers,
        salt,
        body: AnswerBody::served(body, proof, node.id, (pace, in_flight)),
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
        body: AnswerBody::small(body),
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
    pub fn whole(mut self) -> BoxFuture<'static, Result<WholeAnswer, ClientError>> {
        Box::pin(async move { self.collect().await })
    }

    /// The same for so long; `None` if it isn't here by then. Then it is left, and read on by nobody: see
    /// [`AnswerBody::gave_up_waiting`].
    ///
    /// # Errors
    ///
    /// As [`Answer::whole`].
    pub fn whole_within(
        mut self,
        longest: Duration,
    ) -> BoxFuture<'static, Result<Option<WholeAnswer>, ClientError>> {
        Box::pin(async move {
            match timeout(longest, self.collect()).await {
                Ok(whole) => whole.map(Some),
                Err(_) => {
                    self.body.gave_up_waiting();
                    Ok(None)
                }
            }
        })
    }

    async fn collect(&mut self) -> Result<WholeAnswer, ClientError> {
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
            headers: std::mem::take(&mut self.headers),
            salt: self.salt.clone(),
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
        self.body.of_refusal()
    }
}

impl Future for ReceiptWait {
    type Output = Option<Arc<VerifiedReceipt>>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(receiver) => Pin::new(receiver).poll(cx).map(|ended| match ended {
                Ok(Ended::Receipt(receipt)) => Some(receipt),
                Ok(Ended::Refused(_) | Ended::Nothing) | Err(_) => None,
            }),
            None => Poll::Ready(None),
        }
    }
}

impl ReceiptWait {
    pub(crate) fn on(receipt: oneshot::Receiver<Ended>) -> Self {
        Self(Some(receipt))
    }

    /// Waits for the same, for who pays for somebody else: where there is no receipt, what was signed stays good. Resolves
    /// once.
    pub async fn ended(&mut self) -> Ended {
        match &mut self.0 {
            Some(receiver) => receiver.await.unwrap_or(Ended::Nothing),
            None => Ended::Nothing,
        }
    }
}
