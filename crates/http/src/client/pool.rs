//! Sending requests over connections that are there, or new ones.

use super::{
    Body, Error,
    connection::{Connection, Outgoing},
    connector::Connector,
    idle::{IdleConnections, Origin, PoolSlot},
    resolver::Resolver,
};
use atoma_runtime::Sockets;
use http::{HeaderValue, Response, Uri, header::HOST, uri::PathAndQuery};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use std::{fmt, future::poll_fn, mem, sync::Arc, time::Duration};
use tower::Service;

/// How a pool treats its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// A server that takes no connection by then is taken for dead.
    pub connect_timeout: Duration,
    /// A connection that was idle for so long is closed, preferably before the server does it.
    pub idle_timeout: Duration,
    /// Idle connections kept for each server.
    pub idle_per_server: usize,
    /// So long after the last byte TCP asks whether the other side is still there.
    pub keepalive: Option<Duration>,
}

impl PoolOptions {
    /// For a single request, or few now and then: nothing is kept open.
    pub const ONE_REQUEST: Self = Self {
        connect_timeout: Duration::from_secs(5),
        idle_timeout: Duration::ZERO,
        idle_per_server: 0,
        keepalive: None,
    };
}

/// A pool of connections. Clones share them.
#[derive(Clone)]
pub struct Pool(Arc<PoolInner>);

struct PoolInner {
    connector: HttpsConnector<Connector>,
    options: PoolOptions,
    idle: Arc<IdleConnections>,
}

impl Pool {
    /// An empty pool over TCP. Servers over TLS are held against the Web's usual roots.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(options: PoolOptions) -> Result<Self, Error> {
        Self::over(Sockets::Tcp, options)
    }

    /// As [`new`](Self::new), over any network.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn over(sockets: Sockets, options: PoolOptions) -> Result<Self, Error> {
        Self::with(sockets, options, false)
    }

    /// As [`over`](Self::over), to [public](crate::is_public) addresses alone: for URLs that strangers
    /// have chosen. Names are looked at when they are resolved, for they may lead elsewhere the next time.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn public_only(sockets: Sockets, options: PoolOptions) -> Result<Self, Error> {
        Self::with(sockets, options, true)
    }

    fn with(sockets: Sockets, options: PoolOptions, public_only: bool) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(public_only));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(options.connect_timeout));
        tcp.set_keepalive(options.keepalive);
        let connector = Connector {
            tcp,
            sockets,
            public_only,
        };
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|error| Error::Connect(error.into()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self(Arc::new(PoolInner {
            connector,
            options,
            idle: Arc::new(IdleConnections::new(
                options.idle_timeout,
                options.idle_per_server,
            )),
        })))
    }

    /// Sends a request to its URL's server and waits for the head of the answer. A connection that
    /// the server has closed meanwhile is replaced by another one, as long as nothing was sent.
    /// Nothing limits the time but the connect timeout: see [`Pool::ask`] for whole answers.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Connect`] if nothing was sent, [`Error::Broken`] otherwise.
    pub async fn send(&self, mut request: Outgoing) -> Result<Response<Body>, Error> {
        let origin = address(&mut request)?;
        loop {
            let (mut connection, reused) = match self.0.idle.take(&origin) {
                Some(connection) => (connection, true),
                None => (self.0.connect(&origin).await?, false),
            };
            match connection.exchange(request).await {
                Ok(response) => {
                    let idle = Arc::clone(&self.0.idle);
                    let slot = PoolSlot { idle, origin };
                    return Ok(response.map(|incoming| Body::new(incoming, connection, slot)));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if reused => request = unsent,
                    Some(_) | None => return Err(Error::Broken(error.into_error())),
                },
            }
        }
    }
}

impl PoolInner {
    async fn connect(&self, origin: &Origin) -> Result<Connection, Error> {
        let url = Uri::builder()
            .scheme(origin.scheme.clone())
            .authority(origin.authority.clone())
            .path_and_query("/")
            .build()
            .map_err(|_| Error::Url)?;
        let mut connector = self.connector.clone();
        let stream = async {
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(url).await
        };
        let stream = stream.await.map_err(Error::Connect)?;
        Connection::new(stream).await.map_err(Error::Broken)
    }
}

/// Makes a request ready for the wire: a `Host`, and of its URL the path alone. Says where it goes.
fn address(request: &mut Outgoing) -> Result<Origin, Error> {
    let parts = mem::take(request.uri_mut()).into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err(Error::Url);
    };
    let path = parts.path_and_query;
    *request.uri_mut() = path.unwrap_or(PathAndQuery::from_static("/")).into();
    if !request.headers().contains_key(HOST) {
        // without the name and password that may stand before it
        let host = authority.as_str();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = HeaderValue::from_str(host).map_err(|_| Error::Url)?;
        request.headers_mut().insert(HOST, host);
    }
    Ok(Origin { scheme, authority })
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("options", &self.0.options)
            .field("idle", &self.0.idle.count())
            .finish_non_exhaustive()
    }
}
