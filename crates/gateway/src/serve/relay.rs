//! A streamed answer on its way to the user: the node's bytes, unchanged, its receipt among them.

use super::respond::event_stream;
use crate::reply::{StreamInFlight, StreamReply};
use atoma_client::{AnswerBody, ClientError};
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures::Stream;
use http_body::Frame;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// The response that relays a stream whose first bytes are here.
pub(super) fn stream(reply: StreamReply) -> Response {
    let body = Body::new(Relay {
        first: Some(reply.first),
        rest: Some(reply.rest),
        sealed: reply.sealed,
        in_flight: reply.in_flight,
    });
    event_stream(body, reply.headers)
}

/// Dropped before its end (the user left), it drops the node's stream with it, which cancels the
/// work there.
struct Relay {
    first: Option<Bytes>,
    rest: Option<AnswerBody>,
    sealed: bool,
    in_flight: StreamInFlight,
}

impl http_body::Body for Relay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let frame = |bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        if let Some(first) = this.first.take() {
            return frame(first);
        }
        let Some(rest) = &mut this.rest else {
            return Poll::Ready(None);
        };
        match Pin::new(rest).poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(bytes))) => frame(bytes),
            Poll::Ready(Some(Err(error))) => {
                this.rest = None;
                this.in_flight.broke(&error);
                // a sealed answer that isn't whole says so by itself
                match last_words(&error).filter(|_| !this.sealed) {
                    Some(words) => frame(words),
                    None => Poll::Ready(None),
                }
            }
            Poll::Ready(None) => {
                this.rest = None;
                this.in_flight.ended();
                Poll::Ready(None)
            }
        }
    }
}

/// Too late for a status: SDKs raise an error when a stream holds one. None where the node's own is there.
fn last_words(error: &ClientError) -> Option<Bytes> {
    let message = match error {
        ClientError::GaveUp { .. } => return None,
        ClientError::Receipt { .. } => {
            "the node's receipt does not fit its answer: do not trust it"
        }
        _ => "the node broke off: the answer is not complete",
    };
    let refusal = Refusal::new(RefusalCode::Unavailable, message);
    Some(Bytes::from(format!("data: {}\n\n", refusal.to_json())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{Address, NodeId};

    #[test]
    fn a_node_that_says_itself_that_it_cannot_go_on_needs_no_second_error() {
        let node = NodeId(Address::ZERO);
        assert_eq!(last_words(&ClientError::GaveUp { node }), None);
        let words = last_words(&ClientError::Overflow).unwrap();
        let words = std::str::from_utf8(&words).unwrap();
        assert!(words.starts_with("data: {\"error\":"), "{words}");
        assert!(words.contains("broke off"), "{words}");
    }
}
