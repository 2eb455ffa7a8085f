//! Where the node listens, and how users find it.

use crate::{config::NodeConfig, error::NodeError};
use atoma_http::server::{Counters, Limits, Server};
use atoma_runtime::{Listener, Sockets};
use axum::Router;
use std::{net::SocketAddr, sync::Arc};

/// A socket that waits for its server.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: Listener,
    pub address: SocketAddr,
}

impl Bound {
    pub(crate) async fn to(sockets: &Sockets, address: SocketAddr) -> Result<Self, NodeError> {
        let failed = |source| NodeError::Listen { address, source };
        let listener = sockets.listen(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn serve(
        self,
        router: Router,
        limits: Limits,
        counters: Arc<Counters>,
    ) -> Result<Server, NodeError> {
        let address = self.address;
        Server::start(self.listener, router, limits, counters)
            .map_err(|source| NodeError::Listen { address, source })
    }
}

/// The URL that the ledger tells users.
pub(crate) fn public_url(config: &NodeConfig, bound: SocketAddr) -> Result<String, NodeError> {
    match &config.public_url {
        Some(url) => Ok(url.trim_end_matches('/').to_owned()),
        None if bound.ip().is_unspecified() => Err(NodeError::NoUrl(bound)),
        None => Ok(format!("http://{bound}")),
    }
}
