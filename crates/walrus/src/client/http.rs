//! Requests and their answers, limited in time and length.

use super::error::ClientError;
use crate::api::ErrorBody;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{error::Error, fmt, time::Duration};
use url::Url;

/// A server that takes no connection by then is taken for dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed before servers usually do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Errors and results are shorter.
pub(super) const MAX_JSON: u64 = 1 << 20;

/// The pool of connections.
#[derive(Clone)]
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// An answer that isn't a refusal.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// How an answer is limited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

impl Http {
    pub(super) fn new() -> Result<Self, ClientError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(|e| ClientError::Config(format!("TLS: {e}")))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Ok(Self(client))
    }

    /// Sends a request; refusals are errors.
    pub(super) async fn send(
        &self,
        url: &Url,
        request: http::request::Builder,
        body: Bytes,
        limits: Limits,
    ) -> Result<Answer, ClientError> {
        let request = request
            .uri(url.as_str())
            .header(header::HOST, host(url))
            .body(Full::new(body))
            .map_err(|e| ClientError::Config(format!("{url}: {e}")))?;
        let answer = self.answer(url, request, limits.bytes);
        tokio::time::timeout(limits.time, answer)
            .await
            .map_err(|_| ClientError::TimedOut {
                url: name(url),
                after: limits.time,
            })?
    }

    async fn answer(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        most: u64,
    ) -> Result<Answer, ClientError> {
        let response = self.0.request(request).await.map_err(|error| {
            let (url, reason) = (name(url), describe(&error));
            if error.is_connect() {
                ClientError::Unreachable { url, reason }
            } else {
                ClientError::Broken { url, reason }
            }
        })?;
        let (parts, body) = response.into_parts();
        let good = parts.status.is_success();
        let most = if good { most } else { MAX_JSON };
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        let body = Limited::new(body, limit).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ClientError::TooLong {
                    url: name(url),
                    max: most,
                }
            } else {
                ClientError::Broken {
                    url: name(url),
                    reason: describe(&*error),
                }
            }
        });
        if !good {
            return Err(refused(url, parts.status, &body.map(|b| b.to_bytes())));
        }
        Ok(Answer {
            headers: parts.headers,
            body: body?.to_bytes(),
        })
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

/// A refusal, with its reason if it has one in the usual form. The words of one that hasn't are
/// left out: anything might stand there.
fn refused(url: &Url, status: StatusCode, body: &Result<Bytes, ClientError>) -> ClientError {
    let error = body.as_ref().ok();
    let error = error.and_then(|body| serde_json::from_slice::<ErrorBody>(body).ok());
    let reason = error.as_ref().and_then(ErrorBody::reason);
    ClientError::Refused {
        url: name(url),
        status: status.as_u16(),
        reason: reason.unwrap_or_default().to_owned(),
        message: error.map_or_else(|| "no reason given".to_owned(), |body| body.error.message),
    }
}

/// A server's name for errors, without path, query or password.
pub(super) fn name(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A path below a server's URL. Its own path stays in front.
pub(super) fn at(base: &Url, segments: &[&str]) -> Result<Url, ClientError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| ClientError::Config(format!("{base} can't have a path")))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// An error with its causes: the outermost often says nothing.
fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
