//! One connection with nobody but its user to drive it.

use super::connector;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{self, SendRequest, handshake},
    },
};
use hyper_rustls::MaybeHttpsStream;
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

pub(crate) type Stream = MaybeHttpsStream<connector::Stream>;
pub(crate) type Outgoing = Request<Full<Bytes>>;

/// A connection and the means to use it.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes; `None` once it is over.
    driver: Option<Box<http1::Connection<Stream, Full<Bytes>>>>,
}

impl Connection {
    pub(crate) async fn new(stream: Stream) -> Result<Self, hyper::Error> {
        let (sender, driver) = handshake(stream).await?;
        Ok(Self {
            sender,
            driver: Some(Box::new(driver)),
        })
    }

    /// Sends a request and waits for the answer's head. The error holds the request if it was
    /// never begun.
    pub(crate) async fn exchange(
        &mut self,
        request: Outgoing,
    ) -> Result<Response<Incoming>, TrySendError<Outgoing>> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|cx| {
            drive(&mut self.driver, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Lets the connection read and write what it can; `cx` is woken when it can do more.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driver, cx);
    }

    /// Whether the next request may use it. From then on nobody is woken by it.
    pub(crate) fn is_free(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }
}

/// A connection that has ended is dropped at once: that tells whoever waits for it. What it ended
/// with they learn by their own channels.
fn drive(driver: &mut Option<Box<http1::Connection<Stream, Full<Bytes>>>>, cx: &mut Context<'_>) {
    let over = match driver {
        Some(driver) => Pin::new(driver).poll(cx).is_ready(),
        None => false,
    };
    if over {
        *driver = None;
    }
}

/// Polls for something that the connection brings, and drives it if that isn't here yet.
pub(crate) fn poll_with<T>(
    connection: &mut Option<Connection>,
    cx: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    // asking first tells the connection that its reader is there
    match (poll(cx), connection) {
        (Poll::Pending, Some(connection)) => {
            connection.drive(cx);
            poll(cx)
        }
        (polled, _) => polled,
    }
}
