//! An answer's bytes as they are passed on: a stream that ends well only if the receipt is good.

use super::{arriving::Arriving, proof::Proof};
use crate::{
    ClientError,
    in_flight::InFlight,
    pace::{Pace, SILENCE_TIMEOUT},
};
use atoma_http::client::{Body, Error, Pieces};
use atoma_types::NodeId;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, future::BoxFuture};
use http::StatusCode;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::OwnedSemaphorePermit;

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
    pieces: Pieces,
    arriving: Arriving,
    proof: Proof,
    /// What was opened before anybody asked for it.
    ready: Bytes,
}

impl AnswerBody {
    /// A body that is here as a whole, as a refusal's is.
    pub(super) fn small(body: Bytes) -> Self {
        Self(Kind::Small(Some(body)))
    }

    /// Of an answer whose receipt comes like this.
    pub(super) fn served(
        body: Body,
        proof: Proof,
        node: NodeId,
        (pace, in_flight): (Pace, InFlight),
    ) -> Self {
        Self(Kind::Served(Box::new(Served {
            pieces: Pieces::new(body, SILENCE_TIMEOUT),
            arriving: Arriving::new(node, proof.is_stream(), pace, in_flight),
            ready: Bytes::new(),
            proof,
        })))
    }

    /// Passes on what the receipt's hash covers and nothing else: of a stream all before the receipt's line. For
    /// who puts a receipt of their own behind it.
    #[must_use]
    pub fn only_covered(mut self) -> Self {
        if let Kind::Served(served) = &mut self.0 {
            served.proof.only_covered();
        }
        self
    }

    /// All of it, of a refusal.
    pub(super) fn of_refusal(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Small(body) => body.as_ref(),
            Kind::Served(_) | Kind::Over => None,
        }
    }

    /// A place among the answers that are read on by nobody, if there is one.
    pub(super) fn place_among_late(&self) -> Option<OwnedSemaphorePermit> {
        match &self.0 {
            Kind::Served(served) => served.arriving.in_flight.place_among_late(),
            Kind::Small(_) | Kind::Over => None,
        }
    }

    /// There is nothing to wait for any more.
    pub(super) fn never_came(&self) {
        if let Kind::Served(served) = &self.0 {
            served.arriving.in_flight.unanswered();
        }
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
        matches!(&self.0, Kind::Served(served) if served.proof.has_begun())
    }

    /// Whether what has come of a sealed answer that is passed on says that its node has refused; why is for those who can
    /// open it.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(&self.0, Kind::Served(served) if served.proof.is_marked_refused())
    }

    /// A stream's bytes up to its first event, which are few: before it nothing is an answer. None if it ends without
    /// one, or isn't a stream.
    ///
    /// # Errors
    ///
    /// As the stream's last item.
    pub fn first_event(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, ClientError>> {
        Box::pin(async move {
            let mut before = BytesMut::new();
            while self.is_stream() {
                let Some(bytes) = self.next().await.transpose()? else {
                    break;
                };
                if self.has_begun() && before.is_empty() {
                    return Ok(Some(bytes));
                }
                before.extend_from_slice(&bytes);
                if self.has_begun() {
                    return Ok(Some(before.freeze()));
                }
            }
            Ok(None)
        })
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
                    served.arriving.in_flight.unanswered();
                    return Err(error);
                }
                None => break,
            }
        }
        let refused = served.proof.refusal();
        if refused.is_some() {
            served.arriving.in_flight.was_refused();
        }
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
        if let (Some(Err(error)), Kind::Served(served)) = (&item, &self.0)
            && !served.is_its_readers_fault(error)
        {
            served.arriving.in_flight.unanswered();
        }
        if !matches!(item, Some(Ok(_))) {
            self.0 = Kind::Over;
        }
        Poll::Ready(item)
    }
}

impl Served {
    /// A node ends the connection of a reader that takes nothing. They have left it.
    fn is_its_readers_fault(&self, error: &ClientError) -> bool {
        let ClientError::Broken { source, .. } = error else {
            return false;
        };
        let is_too_slow = matches!(source, Error::TooSlow(_) | Error::TooLong { .. });
        !is_too_slow && self.arriving.pace.has_rested()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        if !self.ready.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.ready))));
        }
        self.arriving.pace.is_read();
        let Poll::Ready(next) = self.pieces.poll_next(cx) else {
            self.arriving.pace.waits();
            return Poll::Pending;
        };
        let item = match next {
            Ok(None) => self.proof.end(&mut self.arriving).err().map(Err),
            Ok(Some(bytes)) => Some(self.proof.pass(bytes, &mut self.arriving)),
            Err(source) => Some(Err(self.arriving.broken(source))),
        };
        Poll::Ready(item)
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerBody")
    }
}
