//! The accept loop.

use axum::{Router, serve::ListenerExt};
use std::io;
use tokio::net::TcpListener;

/// Serves until `stop`, then lets requests under way finish.
///
/// # Errors
/// If the socket fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // without Nagle's delay; a socket that doesn't take the option serves all the same
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, routes)
        .with_graceful_shutdown(stop)
        .await
}
