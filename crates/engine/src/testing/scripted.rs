//! A server that does what a test tells it, for what real ones don't do on demand.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status that is answered.
    pub status: u16,
    /// What the body says it is.
    pub content_type: &'static str,
    /// The body that is answered.
    pub body: Bytes,
    /// What comes after it.
    pub then: Then,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The answer ends as it should.
    End,
    /// Nothing more comes, and the connection stays open.
    Hang,
    /// The connection breaks off in the middle.
    Break,
}

impl Reply {
    /// An answer whose body is a JSON document.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.into(),
            then: Then::End,
        }
    }

    /// A stream of events, as its bytes.
    pub fn stream(body: impl Into<Bytes>) -> Self {
        Self {
            content_type: "text/event-stream",
            ..Self::json(200, body)
        }
    }

    /// The same, ending otherwise.
    #[must_use]
    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }
}

type Script = dyn Fn(&str, &[u8]) -> Reply + Send + Sync;

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct Scripted {
    address: SocketAddr,
    accept: tokio::task::AbortHandle,
}

impl Scripted {
    /// Listens on a free port and answers by `script`, which gets each request's path and body.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start(
        script: impl Fn(&str, &[u8]) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accept = tokio::spawn(accept(listener, Arc::new(script))).abort_handle();
        Ok(Self { address, accept })
    }

    /// Base URL of the server, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// Connections end with the accepting task: they live in its set.
async fn accept(listener: TcpListener, script: Arc<Script>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let script = script.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, script.clone()));
            let connection = hyper::server::conn::http1::Builder::new();
            // a peer that breaks off ends its own connection only
            let _ = connection
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

type Body = StreamBody<BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>>;

async fn answer(
    request: Request<Incoming>,
    script: Arc<Script>,
) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let Reply {
        status,
        content_type,
        body,
        then,
    } = script(&path, &body);
    let said = stream::iter([Ok(Frame::data(body))]);
    let stream = match then {
        Then::End => said.boxed(),
        Then::Hang => said.chain(stream::pending()).boxed(),
        Then::Break => {
            let broken = async {
                // what was said is on its way by then
                tokio::task::yield_now().await;
                Err(std::io::ErrorKind::ConnectionReset.into())
            };
            said.chain(stream::once(broken)).boxed()
        }
    };
    let mut response = Response::new(StreamBody::new(stream));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let kind = header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
