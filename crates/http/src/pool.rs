//! Connections that wait for their next request.

use crate::{
    Body, Error,
    line::{Line, Outgoing},
};
use http::{
    HeaderValue, Response, Uri,
    header::HOST,
    uri::{Authority, PathAndQuery, Scheme},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::poll_fn,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, time::sleep};
use tower::Service;

/// What a pool allows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A server that takes no connection by then is taken for dead.
    pub connect_timeout: Duration,
    /// A connection that was idle for so long is closed, preferably before the server does it.
    pub idle_timeout: Duration,
    /// Idle connections kept for each server.
    pub idle_per_server: usize,
    /// So long after the last byte TCP asks whether the other side is still there.
    pub keepalive: Option<Duration>,
}

/// A pool of connections. Clones share them.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    connector: HttpsConnector<HttpConnector>,
    limits: Limits,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The one that was used last comes last, and is used first.
    lines: HashMap<Origin, VecDeque<(Instant, Line)>>,
    /// A task looks for those that were idle too long.
    tended: bool,
}

/// Where requests go: the key of the pool.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Origin {
    scheme: Scheme,
    authority: Authority,
}

/// Where a connection belongs.
pub(crate) struct Home {
    shared: Arc<Shared>,
    origin: Origin,
}

impl Pool {
    /// An empty pool. Servers over TLS are held against the Web's usual roots.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(limits: Limits) -> Result<Self, Error> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits.connect_timeout));
        connector.set_keepalive(limits.keepalive);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|error| Error::Connect(error.into()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self(Arc::new(Shared {
            connector,
            limits,
            idle: Mutex::default(),
        })))
    }

    /// Sends a request to its URL's server and waits for the head of the answer. A connection that
    /// the server has closed meanwhile is replaced by another one, as long as nothing was sent.
    pub async fn send(&self, mut request: Outgoing) -> Result<Response<Body>, Error> {
        let origin = address(&mut request)?;
        loop {
            let (mut line, reused) = match self.0.take(&origin) {
                Some(line) => (line, true),
                None => (self.0.connect(&origin).await?, false),
            };
            match line.exchange(request).await {
                Ok(response) => {
                    let shared = Arc::clone(&self.0);
                    let home = Home { shared, origin };
                    return Ok(response.map(|incoming| Body::new(incoming, line, home)));
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if reused => request = unsent,
                    Some(_) | None => return Err(Error::Broken(error.into_error())),
                },
            }
        }
    }
}

impl Shared {
    /// The idle connection that was used last and still stands.
    fn take(&self, origin: &Origin) -> Option<Line> {
        loop {
            let (since, mut line) = self.idle.lock().lines.get_mut(origin)?.pop_back()?;
            if since.elapsed() < self.limits.idle_timeout && line.is_free() {
                return Some(line);
            }
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<Line, Error> {
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
        Line::new(stream).await.map_err(Error::Broken)
    }

    /// Closes what was idle too long. True if nothing idle is left.
    fn tend(&self) -> bool {
        let mut over = Vec::new();
        let mut idle = self.idle.lock();
        idle.lines.retain(|_, lines| {
            while let Some((since, _)) = lines.front()
                && since.elapsed() >= self.limits.idle_timeout
            {
                over.extend(lines.pop_front());
            }
            !lines.is_empty()
        });
        idle.tended = !idle.lines.is_empty();
        let empty = !idle.tended;
        // closing takes time that nobody should wait for
        drop(idle);
        drop(over);
        empty
    }
}

impl Home {
    /// Takes a connection back that is free again.
    pub(crate) fn put(&self, line: Line) {
        let mut idle = self.shared.idle.lock();
        let lines = match idle.lines.get_mut(&self.origin) {
            Some(lines) => lines,
            None => idle.lines.entry(self.origin.clone()).or_default(),
        };
        if lines.len() >= self.shared.limits.idle_per_server {
            return;
        }
        lines.push_back((Instant::now(), line));
        let tended = mem::replace(&mut idle.tended, true);
        drop(idle);
        if !tended {
            self.tend_later();
        }
    }

    /// Looks after the idle ones until there are none or the pool is gone.
    fn tend_later(&self) {
        let Ok(runtime) = Handle::try_current() else {
            // the next request closes them
            self.shared.idle.lock().tended = false;
            return;
        };
        let shared = Arc::downgrade(&self.shared);
        let pause = self.shared.limits.idle_timeout;
        runtime.spawn(async move {
            loop {
                sleep(pause).await;
                if shared.upgrade().is_none_or(|shared| shared.tend()) {
                    return;
                }
            }
        });
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
        let idle = self.0.idle.lock();
        let idle: usize = idle.lines.values().map(VecDeque::len).sum();
        f.debug_struct("Pool")
            .field("limits", &self.0.limits)
            .field("idle", &idle)
            .finish_non_exhaustive()
    }
}
