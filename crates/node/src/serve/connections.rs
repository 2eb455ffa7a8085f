//! Accepting connections and serving HTTP/1.1 and HTTP/2 on them, with limits on everything that
//! a stranger can do to us before a handler runs.

use super::stall::StallGuard;
use crate::{config::Limits, metrics::Metrics, shared::Shared};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Bytes of a request's head. Ours have two headers of a few hundred; the rest is room for what
/// proxies add.
const MAX_HEAD_BYTES: usize = 32 << 10;
/// Streams of one HTTP/2 connection at once: a gateway's share of the node.
const MAX_H2_STREAMS: u32 = 1_024;
/// When accepting fails (out of descriptors), wait before trying again instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server. Dropping it drops its connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub address: SocketAddr,
    /// No new connections, no new requests on the open ones.
    closing: CancellationToken,
    /// Drops whatever is left.
    abort: CancellationToken,
    connections: TaskTracker,
    acceptor: JoinHandle<()>,
    /// Cancel both tokens when the server is dropped.
    _guards: [DropGuard; 2],
}

/// Serves `router` on `listener` until the server is closed.
pub(crate) fn serve(
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    shared: &Arc<Shared>,
) -> Server {
    let (closing, abort) = (CancellationToken::new(), CancellationToken::new());
    let connections = TaskTracker::new();
    let acceptor = Acceptor {
        listener,
        router,
        limits: shared.limits.clone(),
        shared: shared.clone(),
        places: Arc::new(Semaphore::new(shared.limits.max_connections.max(1))),
        closing: closing.clone(),
        abort: abort.clone(),
        connections: connections.clone(),
    };
    Server {
        address,
        _guards: [closing.clone().drop_guard(), abort.clone().drop_guard()],
        closing,
        abort,
        connections,
        acceptor: tokio::spawn(acceptor.run()),
    }
}

impl Server {
    /// Stops accepting, lets running requests end for `grace`, then drops them.
    pub(crate) async fn close(mut self, grace: Duration) {
        self.closing.cancel();
        self.connections.close();
        if tokio::time::timeout(grace, self.connections.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                left = self.connections.len(),
                "the grace is over; dropping the rest"
            );
        }
        self.abort.cancel();
        self.connections.wait().await;
        // it ends with the token
        let _ = (&mut self.acceptor).await;
    }
}

struct Acceptor {
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    closing: CancellationToken,
    abort: CancellationToken,
    connections: TaskTracker,
}

impl Acceptor {
    async fn run(self) {
        let builder = self.builder();
        loop {
            let next = async {
                // the semaphore is never closed
                let place = self.places.clone().acquire_owned().await.ok()?;
                Some((place, self.listener.accept().await))
            };
            let accepted = tokio::select! {
                () = self.closing.cancelled() => return,
                accepted = next => accepted,
            };
            match accepted {
                None => return,
                Some((place, Ok((socket, _)))) => self.spawn(builder.clone(), socket, place),
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let head_timeout = Duration::from_millis(self.limits.head_timeout_ms);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(MAX_HEAD_BYTES);
        let max_head = u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_H2_STREAMS)
            .max_header_list_size(max_head);
        builder
    }

    fn spawn(
        &self,
        builder: auto::Builder<TokioExecutor>,
        socket: TcpStream,
        place: OwnedSemaphorePermit,
    ) {
        // each token is a write of its own and must leave at once
        let _ = socket.set_nodelay(true);
        let stall = Duration::from_millis(self.limits.stall_timeout_ms);
        let io = TokioIo::new(StallGuard::new(socket, stall));
        let service = TowerToHyperService::new(self.router.clone());
        let (closing, abort) = (self.closing.clone(), self.abort.clone());
        let shared = self.shared.clone();
        self.connections.spawn(async move {
            let _open = Open::count(&shared.metrics);
            let connection = builder.serve_connection(io, service);
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection.as_mut() => ended,
                        () = abort.cancelled() => Ok(()),
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
}

/// Counts a connection while it is open.
struct Open<'a>(&'a Metrics);

impl<'a> Open<'a> {
    fn count(metrics: &'a Metrics) -> Self {
        metrics.connections.inc();
        Self(metrics)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}
