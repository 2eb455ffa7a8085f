//! The two ports: users' and operator's.

use crate::{
    config::{GatewayConfig, Limits},
    listen,
};
use axum::Router;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The operator's port needs few connections.
const ADMIN_CONNECTIONS: usize = 64;

/// A port that is taken. Connections wait until it is served.
#[derive(Debug)]
pub(crate) struct Port {
    socket: TcpListener,
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
    async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let failed = |source| ListenError { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
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
            public: Port::bind(config.listen).await?,
            admin: match config.admin_listen {
                Some(address) => Some(Port::bind(address).await?),
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

    /// Serves until `stop`, and then until requests under way have ended.
    pub(crate) fn serve(
        self,
        limits: &Limits,
        routes: Router,
        admin_routes: Router,
        stop: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let drain = Duration::from(limits.drain_timeout);
        let serve = |port: Port, routes, connections| {
            let server = listen::serve(port.socket, routes, connections, stop.clone(), drain);
            tokio::spawn(server)
        };
        let mut servers = vec![serve(self.public, routes, limits.max_connections)];
        servers.extend(
            self.admin
                .map(|port| serve(port, admin_routes, ADMIN_CONNECTIONS)),
        );
        servers
    }
}
