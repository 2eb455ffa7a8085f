//! One accept loop for everything that serves HTTP here, with limits on all that a stranger can do to
//! us before a handler runs, and after.
//!
//! ```text
//! accept -> admission      as many connections in all, and from one address, as allowed
//!        -> connection     HTTP/1.1 or HTTP/2; first byte, head and idleness timed; pings
//!        -> socket         a write that stays blocked fails (WriteTimeout)
//!        -> service        requests counted from head to the end of the answer
//!        -> request body   must keep coming, must come to its end
//!        -> routes
//!        -> response body  over HTTP/2: a stream that nobody reads is reset
//! ```
//!
//! All times come from tokio's clock, so tests may pause it. Nothing here sets a timer per frame.

mod activity;
mod admission;
mod body_room;
mod connection;
mod counters;
mod descriptors;
mod limits;
mod read_body;
mod request_body;
mod respond;
mod service;
mod stream_timeout;
mod write_timeout;

pub use body_room::{BodyRoom, FREE_BODY_BYTES, HeldRoom, RoomFull};
pub use counters::{Closed, Counters};
pub use limits::{Limits, ZeroLimit};
pub use read_body::{BodyError, BodyLimit, read_body, read_body_within};
pub use respond::{JSON, RETRY_AFTER_SECONDS, json};

use admission::Admission;
use atoma_runtime::Listener;
use axum::Router;
use connection::Connections;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// When accepting fails (no file descriptors left), wait before trying again instead of spinning.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that runs. Dropping it drops its connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    closing: CancellationToken,
    abort: CancellationToken,
    connections: TaskTracker,
    acceptor: JoinHandle<()>,
    /// Cancel both tokens when the server is dropped.
    _guards: [DropGuard; 2],
}

impl Server {
    /// Serves `routes` on `listener` until the server is closed or dropped, and counts in `counters`.
    /// Must be called within a tokio runtime. The process's limit on open files is raised as far as the
    /// system allows.
    ///
    /// # Errors
    /// If the listener has no address.
    pub fn start(
        listener: impl Into<Listener>,
        routes: Router,
        limits: Limits,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let listener = listener.into();
        let address = listener.local_addr()?;
        let (closing, abort) = (CancellationToken::new(), CancellationToken::new());
        let connections = TaskTracker::new();
        let max = descriptors::connections(limits.max_connections, descriptors::raise());
        if max < limits.max_connections {
            let configured = limits.max_connections;
            tracing::warn!(
                max,
                configured,
                "the limit on open files allows fewer connections"
            );
        }
        let acceptor = Acceptor {
            listener,
            admission: Admission::new(
                max,
                limits.max_connections_per_address,
                Arc::clone(&counters),
            ),
            tasks: connections.clone(),
            closing: closing.clone(),
            connections: Arc::new(Connections::new(
                routes,
                limits,
                counters,
                closing.clone(),
                abort.clone(),
            )),
        };
        Ok(Self {
            address,
            _guards: [closing.clone().drop_guard(), abort.clone().drop_guard()],
            closing,
            abort,
            connections,
            acceptor: tokio::spawn(acceptor.run()),
        })
    }

    /// The address that the server listens on; with port 0 asked for, the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections and no more requests, lets those under way end within `grace`, then
    /// drops them. When this returns, no connection is left.
    pub async fn close(mut self, grace: Duration) {
        self.closing.cancel();
        self.connections.close();
        if timeout(grace, self.connections.wait()).await.is_err() {
            let left = self.connections.len();
            tracing::warn!(left, "the grace is over; dropping the rest");
        }
        self.abort.cancel();
        self.connections.wait().await;
        // it ends with the token
        let _ = (&mut self.acceptor).await;
    }
}

struct Acceptor {
    listener: Listener,
    admission: Arc<Admission>,
    connections: Arc<Connections>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Acceptor {
    async fn run(mut self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.closing.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let permit = match self.admission.enter(peer.ip()) {
                Ok(permit) => permit,
                Err(reason) => {
                    tracing::debug!(reason = reason.as_str(), "a connection was refused");
                    continue;
                }
            };
            let connections = Arc::clone(&self.connections);
            self.tasks.spawn(async move {
                connections.serve(socket).await;
                drop(permit);
            });
        }
    }
}
