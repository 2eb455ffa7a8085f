//! An answer's body, which drives its connection and gives it back at its end.

use super::{
    connection::{Connection, poll_with},
    idle::PoolSlot,
};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};

/// How long [`Body::finish`] waits for the end: a server that has said its last word sends it in
/// the next packet.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// Pieces that [`Body::finish`] reads over: more isn't an end.
const END_PIECES: usize = 8;

/// The body of an answer. Dropped before its end, it closes the connection.
pub struct Body {
    incoming: Incoming,
    /// Until the end.
    connection: Option<Connection>,
    slot: PoolSlot,
}

impl Body {
    pub(crate) fn new(incoming: Incoming, connection: Connection, slot: PoolSlot) -> Self {
        let mut body = Self {
            incoming,
            connection: Some(connection),
            slot,
        };
        if body.incoming.is_end_stream() {
            body.end();
        }
        body
    }

    /// Wants nothing more of an answer that is complete by its own account, such as a stream of events
    /// after its last one. Reads on to the body's end, in the background if that isn't here yet, so that
    /// the next request may have the connection.
    pub fn finish(mut self) {
        let mut pieces = 0;
        if self
            .poll_end(&mut pieces, &mut Context::from_waker(Waker::noop()))
            .is_pending()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(END_TIMEOUT, async move {
                poll_fn(|cx| self.poll_end(&mut pieces, cx)).await;
            }));
        }
    }

    /// Ready at the end, and when what comes isn't one.
    fn poll_end(&mut self, pieces: &mut usize, cx: &mut Context<'_>) -> Poll<()> {
        while *pieces < END_PIECES {
            match ready!(http_body::Body::poll_frame(Pin::new(self), cx)) {
                Some(Ok(_)) => *pieces += 1,
                Some(Err(_)) | None => break,
            }
        }
        Poll::Ready(())
    }

    /// Everything has arrived: the next request may have the connection.
    fn end(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && connection.is_free()
        {
            self.slot.put(connection);
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let incoming = &mut this.incoming;
        let polled = poll_with(&mut this.connection, cx, |cx| {
            Pin::new(&mut *incoming).poll_frame(cx)
        });
        match &polled {
            Poll::Ready(None) => this.end(),
            Poll::Ready(Some(Ok(_))) if this.incoming.is_end_stream() => this.end(),
            Poll::Ready(Some(Err(_))) => this.connection = None,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}
