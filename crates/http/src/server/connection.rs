//! One connection: HTTP/1.1 or HTTP/2, whichever the client begins with, until somebody ends it.

use super::{
    Limits,
    activity::{Activity, Timeouts, Verdict},
    counters::{Closed, Counters},
    service::RouteService,
    stream_timeout::StreamExecutor,
    write_timeout::WriteTimeout,
};
use atoma_runtime::{Socket, WithCauses};
use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Bytes of a request's head. Ours have two headers of a few hundred, SDKs send about 1 KiB; the rest
/// is room for what proxies add.
const MAX_HEAD_BYTES: u32 = 32 << 10;
/// Bytes of bodies that an HTTP/2 client may send before a handler reads them, on a stream and on the
/// connection alike: enough for a fast upload from far away, and all that a connection can make us hold.
const HTTP2_WINDOW_BYTES: u32 = 1 << 20;
/// Bytes of answers that an HTTP/2 stream holds for a slow reader. Frames are smaller.
const HTTP2_SEND_BUFFER_BYTES: usize = 128 << 10;
/// How long a connection that is closed may take to say so (HTTP/2 has words for it).
const GOODBYE: Duration = Duration::from_secs(1);

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Connections {
    routes: Router,
    limits: Arc<Limits>,
    timeouts: Timeouts,
    builder: auto::Builder<StreamExecutor>,
    counters: Arc<Counters>,
    /// No new requests on open connections.
    closing: CancellationToken,
    /// Drops whatever is left.
    abort: CancellationToken,
}

impl Connections {
    pub(super) fn new(
        routes: Router,
        limits: Limits,
        counters: Arc<Counters>,
        closing: CancellationToken,
        abort: CancellationToken,
    ) -> Self {
        Self {
            // once for all, instead of with each request
            routes: routes.with_state(()),
            timeouts: Timeouts::new(&limits),
            builder: builder(&limits, &counters),
            limits: Arc::new(limits),
            counters,
            closing,
            abort,
        }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(&self, socket: Socket) {
        // each token is a write of its own and must leave at once; a socket that doesn't take the
        // option serves all the same
        let _ = socket.set_nodelay();
        let activity = Arc::new(Activity::new());
        let write_timeout = Duration::from_millis(self.limits.write_timeout_ms);
        let socket = WatchedSocket {
            stream: WriteTimeout::new(socket, write_timeout),
            activity: Arc::clone(&activity),
        };
        let service = RouteService {
            routes: self.routes.clone(),
            limits: Arc::clone(&self.limits),
            activity: Arc::clone(&activity),
        };
        let connection = self.builder.serve_connection(TokioIo::new(socket), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            reason = Expiry::new(&activity, self.timeouts) => {
                self.counters.count(reason);
                connection.as_mut().graceful_shutdown();
                timeout(GOODBYE, connection).await.unwrap_or(Ok(()))
            }
            () = self.closing.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    ended = connection.as_mut() => ended,
                    reason = Expiry::new(&activity, self.timeouts) => {
                        self.counters.count(reason);
                        Ok(())
                    }
                    () = self.abort.cancelled() => {
                        self.counters.count(Closed::Stopped);
                        Ok(())
                    }
                }
            }
        };
        if let Err(error) = ended {
            if timed_out(&*error) {
                self.counters.count(Closed::WriteTimeout);
            }
            tracing::debug!(error = %WithCauses(&*error), "a connection broke");
        }
    }
}

fn builder(limits: &Limits, counters: &Arc<Counters>) -> auto::Builder<StreamExecutor> {
    let mut builder = auto::Builder::new(StreamExecutor {
        limit: Duration::from_millis(limits.write_timeout_ms),
        counters: Arc::clone(counters),
    });
    // no timer here: the time for heads is ours to watch, together with the rest
    builder.http1().max_buf_size(MAX_HEAD_BYTES as usize);
    let ping = Duration::from_millis(limits.ping_interval_ms);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping)
        .max_concurrent_streams(limits.max_streams)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES)
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES)
        .max_header_list_size(MAX_HEAD_BYTES);
    builder
}

/// Whether a write was blocked for too long: nothing else on a socket times out.
fn timed_out(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() == io::ErrorKind::TimedOut
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Ready when the connection's time is up.
struct Expiry<'a> {
    activity: &'a Activity,
    timeouts: Timeouts,
    timer: Pin<Box<Sleep>>,
    /// The task has been registered with the timer. It stays so: it is the same task all along.
    armed: bool,
}

impl<'a> Expiry<'a> {
    fn new(activity: &'a Activity, timeouts: Timeouts) -> Self {
        let first = match activity.verdict(&timeouts) {
            Verdict::Until(then) => then,
            Verdict::Over(_) => tokio::time::Instant::now(),
        };
        Self {
            activity,
            timeouts,
            timer: Box::pin(sleep_until(first)),
            armed: false,
        }
    }
}

impl Future for Expiry<'_> {
    type Output = Closed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Closed> {
        let this = self.get_mut();
        // this is asked with each frame, and almost never has anything to say
        if this.armed && !this.timer.is_elapsed() {
            return Poll::Pending;
        }
        loop {
            this.armed = true;
            ready!(this.timer.as_mut().poll(cx));
            match this.activity.verdict(&this.timeouts) {
                Verdict::Over(reason) => return Poll::Ready(reason),
                Verdict::Until(then) => this.timer.as_mut().reset(then),
            }
        }
    }
}

/// The socket, which tells when bytes come.
#[derive(Debug)]
struct WatchedSocket {
    stream: WriteTimeout<Socket>,
    activity: Arc<Activity>,
}

impl AsyncRead for WatchedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl AsyncWrite for WatchedSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
