//! The accept loop: what stands between a socket and the routes.
//!
//! Written out because the defaults of servers are wrong for small streamed chunks (no
//! TCP_NODELAY: a stall of 40 ms a stream), for slow senders (no limit on the time for headers) and
//! for those who don't read.

use crate::stall::Impatient;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

/// Headers must be here by then; also how long an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// After a failed accept (no file descriptors left): don't spin.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// Headers longer than this are refused; an SDK sends about 1 KiB.
const HEADER_BYTES: usize = 64 * 1024;

/// Serves until `stop`, then lets requests under way finish within `drain`.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: Router,
    max_connections: usize,
    stop: CancellationToken,
    drain: Duration,
) {
    let slots = Arc::new(Semaphore::new(max_connections));
    let open = GracefulShutdown::new();
    let aborted = CancellationToken::new();
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES);
    loop {
        // the slot first: connections above the limit wait in the kernel's queue
        let slot = tokio::select! {
            slot = Arc::clone(&slots).acquire_owned() => slot,
            () = stop.cancelled() => break,
        };
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            () = stop.cancelled() => break,
        };
        let service = TowerToHyperService::new(routes.clone());
        let connection =
            open.watch(server.serve_connection(TokioIo::new(Impatient::new(stream)), service));
        let aborted = aborted.clone();
        tokio::spawn(async move {
            tokio::select! {
                // errors are the other side's: it left, or sent what isn't HTTP
                _ = connection => {}
                () = aborted.cancelled() => {}
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, open.shutdown()).await.is_err() {
        tracing::warn!("requests under way were cut off: the drain timeout is over");
        aborted.cancel();
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "cannot set TCP_NODELAY");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
