//! The two ports: users' and operator's.

use crate::config::GatewayConfig;
use atoma_http::server::{Counters, Limits, Server};
use atoma_runtime::{Listener, Sockets};
use axum::Router;
use std::{io, net::SocketAddr, sync::Arc};

/// A port that is taken. Connections wait until it is served.
#[derive(Debug)]
pub(crate) struct Port {
    socket: Listener,
    address: SocketAddr,
}

/// The users' port and, if there is one, the operator's.
#[derive(Debug)]
pub(crate) struct Ports {
    public: Port,
    admin: Option<Port>,
}

/// A port can't be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ListenError {
    /// The address that the configuration names.
    pub address: SocketAddr,
    #[source]
    source: io::Error,
}

impl Port {
    async fn bind(sockets: &Sockets, address: SocketAddr) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let socket = sockets.listen(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    fn serve(
        self,
        routes: Router,
        limits: Limits,
        connections: Arc<Counters>,
    ) -> Result<Server, ListenError> {
        let address = self.address;
        Server::start(self.socket, routes, limits, connections)
            .map_err(|source| ListenError { address, source })
    }
}

impl Ports {
    /// Takes the ports that the configuration names.
    ///
    /// # Errors
    ///
    /// If one of them is in use or not this machine's.
    pub(crate) async fn bind(config: &GatewayConfig) -> Result<Self, ListenError> {
        Ok(Self {
            public: Port::bind(&config.runtime.sockets, config.listen).await?,
            admin: match config.admin_listen {
                Some(address) => Some(Port::bind(&config.runtime.sockets, address).await?),
                None => None,
            },
        })
    }

    /// The users' address, with the port that the system chose where it was 0.
    pub(crate) fn public(&self) -> SocketAddr {
        self.public.address
    }

    /// The operator's address, likewise.
    pub(crate) fn admin(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|port| port.address)
    }

    /// Serves both ports until the servers are closed; `connections` counts the users'.
    ///
    /// # Errors
    ///
    /// If a port has lost its address.
    pub(crate) fn serve(
        self,
        limits: &Limits,
        routes: Router,
        admin_routes: Router,
        connections: Arc<Counters>,
    ) -> Result<Vec<Server>, ListenError> {
        let mut servers = vec![self.public.serve(routes, limits.clone(), connections)?];
        if let Some(port) = self.admin {
            servers.push(port.serve(admin_routes, Limits::for_operator(), Arc::default())?);
        }
        Ok(servers)
    }
}
