//! Names to addresses, perhaps to public ones alone.

use crate::is_public;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    vec,
};
use tower::Service;

/// The system's resolver.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    system: GaiResolver,
    public_only: bool,
}

impl Resolver {
    /// With `public_only`, a name that leads to other addresses leads nowhere.
    pub(crate) fn new(public_only: bool) -> Self {
        Self {
            system: GaiResolver::new(),
            public_only,
        }
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<vec::IntoIter<SocketAddr>>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (lookup, public_only) = (self.system.call(name), self.public_only);
        Box::pin(async move {
            let allowed = |address: &SocketAddr| !public_only || is_public(address.ip());
            let found: Vec<SocketAddr> = lookup.await?.filter(allowed).collect();
            if found.is_empty() {
                return Err(not_public());
            }
            Ok(found.into_iter())
        })
    }
}

/// Nothing is sent to an address that isn't the public's.
pub(crate) fn not_public() -> io::Error {
    let message = "it leads to no public address";
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}
