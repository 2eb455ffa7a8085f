//! Requests and their answers, limited in time and length.

use super::{bad_config::BadConfig, error::ClientError};
use crate::api::ErrorBody;
use atoma_http::client::{AnswerLimits, Error, Pool, PoolOptions};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body_util::Full;
use std::time::Duration;
use url::Url;

/// A server that takes no connection by then is taken for dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections are closed before servers usually do.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Idle connections kept for each server: as many as blobs are read or stored at once, and more.
const IDLE_PER_SERVER: usize = 64;
/// Errors and results are shorter.
pub(super) const MAX_JSON: u64 = 1 << 20;

/// The pool of connections.
#[derive(Clone, Debug)]
pub(super) struct Http(Pool);

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
        let pool = Pool::new(PoolOptions {
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            idle_per_server: IDLE_PER_SERVER,
            keepalive: None,
        });
        pool.map(Self).map_err(|error| BadConfig::Tls(error).into())
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
            .body(Full::new(body))
            .map_err(|source| BadConfig::Url {
                url: url.to_string(),
                source,
            })?;
        let max_bytes = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
        let within = AnswerLimits::within(limits.time, max_bytes);
        let answer = self.0.ask(request, within).await;
        let (parts, body) = answer.map_err(|e| failed(url, limits, e))?.into_parts();
        if !parts.status.is_success() {
            return Err(refused(url, parts.status, &body));
        }
        Ok(Answer {
            headers: parts.headers,
            body,
        })
    }
}

fn failed(url: &Url, limits: Limits, error: Error) -> ClientError {
    let url = name(url);
    match error {
        Error::TooLong { .. } => ClientError::TooLong {
            url,
            max: limits.bytes,
        },
        error if error.is_timeout() => ClientError::TimedOut {
            url,
            after: limits.time,
        },
        error if error.is_connect() => ClientError::Unreachable { url, source: error },
        error => ClientError::Broken { url, source: error },
    }
}

/// A refusal, with its reason if it has one in the usual form. The words of one that hasn't are
/// left out: anything might stand there.
fn refused(url: &Url, status: StatusCode, body: &[u8]) -> ClientError {
    let error = serde_json::from_slice::<ErrorBody>(body).ok();
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

/// A path below a server's URL. Its own path stays in front.
pub(super) fn at(base: &Url, segments: &[&str]) -> Result<Url, ClientError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| BadConfig::NoPath(base.to_string()))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}
