//! Connections as [`Sockets`] make them: TCP with the pool's options, or memory.

use super::resolver::{Resolver, not_public};
use crate::is_public;
use atoma_runtime::{Socket, Sockets};
use http::Uri;
use hyper::rt;
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use std::{
    error::Error,
    io::{self, IoSlice},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};
use tower::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// Connects to where a URL says.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tcp: HttpConnector<Resolver>,
    pub(crate) sockets: Sockets,
    /// Other addresses aren't connected to.
    pub(crate) public_only: bool,
}

/// A connection as hyper wants it.
pub(crate) struct Stream(TokioIo<Socket>);

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        if self.public_only && !may_be_public(&url) {
            return Box::pin(async { Err(not_public().into()) });
        }
        if let Sockets::Tcp = self.sockets {
            let connecting = self.tcp.call(url);
            return Box::pin(async move {
                let stream = Socket::Tcp(connecting.await?.into_inner());
                Ok(Stream(TokioIo::new(stream)))
            });
        }
        let sockets = self.sockets.clone();
        Box::pin(async move {
            let socket = sockets.connect(address(&url)?).await?;
            Ok(Stream(TokioIo::new(socket)))
        })
    }
}

/// False for an address that isn't public; of a name the resolver knows.
fn may_be_public(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().map_or(true, is_public)
}

/// Nobody looks names up in memory.
fn address(url: &Uri) -> io::Result<SocketAddr> {
    let authority = url.authority().map(http::uri::Authority::as_str);
    authority
        .and_then(|authority| authority.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{url} names no address")))
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
