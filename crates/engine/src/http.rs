//! The pool of connections to other servers, and the key that they get.

use std::time::Duration;

use ::http::{HeaderValue, Request, Response, header};
use atoma_http::client::{Body, Error, Pool, PoolOptions, get, post_json};
use bytes::Bytes;
use http_body_util::Full;

use crate::HttpSetupError;

/// A server that doesn't take a connection within this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Idle connections are kept shorter than any server that we know keeps them (5 s for uvicorn, which
/// serves vLLM and SGLang), so that requests don't meet a closing one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Idle connections kept for each server.
const IDLE_PER_SERVER: usize = 1_024;
/// Dead peers are noticed by TCP.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The client side of all servers of an engine, or of a hub.
#[derive(Clone)]
pub(crate) struct Http {
    pool: Pool,
    authorization: Option<HeaderValue>,
}

impl Http {
    /// `api_key` goes into each request's header and nowhere else.
    pub(crate) fn new(api_key: Option<&str>) -> Result<Self, HttpSetupError> {
        let pool = Pool::new(PoolOptions {
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            idle_per_server: IDLE_PER_SERVER,
            keepalive: Some(KEEPALIVE),
        })?;
        let authorization = match api_key {
            None => None,
            Some(key) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                    .map_err(|_| HttpSetupError::ApiKey)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self {
            pool,
            authorization,
        })
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response<Body>, Error> {
        let mut request = get(url);
        self.authorize(&mut request);
        self.send(request).await
    }

    pub(crate) async fn post(&self, url: &str, body: Bytes) -> Result<Response<Body>, Error> {
        let mut request = post_json(url, body);
        self.authorize(&mut request);
        self.send(request).await
    }

    /// Adds the key, for servers that may see it.
    pub(crate) fn authorize(&self, request: &mut Request<Full<Bytes>>) {
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, authorization.clone());
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, Error> {
        self.pool.send(request).await
    }
}
