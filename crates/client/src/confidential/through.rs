//! Asking through a gateway that nobody has to trust: the request is sealed to up to four nodes, the gateway chooses and
//! pays, and reads neither question nor answer. What it can do is to say no, and to lose what it was given.

use super::{
    Attested, SealedAnswer,
    opening::{Opening, first},
    seal::{Sealing, is_stream},
};
use crate::{Client, ClientError};
use atoma_channel::{MEDIA_TYPE, limits::MAX_RECIPIENTS};
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::{AnswerLimits, Body, Pieces, Pool, PoolOptions};
use atoma_types::{
    http::SALT,
    message::{CommitmentKind, Endpoint, Salt},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use std::{fmt, sync::Arc, time::Duration};

/// An answer begins by then: a whole one when it is complete.
const BEGINS: Duration = Duration::from_secs(300);
/// One that stands still for so long is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// What a gateway refuses with.
const REFUSAL: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), 64 << 10);

/// A gateway, and the key with which it lets its user in.
#[derive(Clone)]
pub struct Through {
    url: String,
    key: String,
    pool: Pool,
}

/// An answer that came through a gateway and was opened here.
pub struct ThroughAnswer {
    /// 200, what the node refused with within the seal, or what the gateway did in clear.
    pub status: StatusCode,
    /// Whether it is a stream of events.
    pub is_stream: bool,
    /// Its bytes in clear. The last ones come once the receipt is good; an error instead of them says that it isn't.
    pub body: stream::BoxStream<'static, Result<Bytes, ClientError>>,
}

impl Through {
    /// A gateway at this URL.
    ///
    /// # Errors
    /// If connections with TLS can't be set up.
    pub fn new(client: &Client, url: &str, key: String) -> Result<Self, ClientError> {
        let options = PoolOptions {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            idle_per_server: 64,
            keepalive: None,
        };
        let sockets = client.runtime().sockets.clone();
        let url = url.trim_end_matches('/');
        Ok(Self {
            url: url.trim_end_matches("/v1").to_owned(),
            key,
            pool: Pool::over(sockets, options).map_err(ClientError::Tls)?,
        })
    }
}

impl Client {
    /// Asks through a gateway.
    ///
    /// # Errors
    /// If none of the nodes is attested, the gateway can't be reached, or what begins isn't a sealed answer.
    pub async fn ask_through(
        &self,
        gateway: &Through,
        asked: Sealing<'_>,
    ) -> Result<ThroughAnswer, ClientError> {
        let attested = self.recipients(&asked).await?;
        let (bytes, opener) = self.seal_to(&attested, &asked)?;
        let response = self.send_through(gateway, asked.endpoint, bytes).await?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            let words = body.whole(REFUSAL).await.unwrap_or_default();
            return Ok(refused(parts.status, words));
        }
        let Some(salt) = salt(&parts.headers) else {
            // without it nobody can hold a receipt against the answer
            return Err(ClientError::Receipt {
                node: first(&attested),
                reason: ReceiptError::Missing,
            });
        };
        let opener = opener.committing(salt.hasher(CommitmentKind::Answer));
        let is_stream = is_stream(asked.endpoint, asked.text);
        let answer = SealedAnswer::new(opener, is_stream);
        let mut opening = Opening::new(attested, answer, Pieces::new(body, SILENCE));
        // until something is said it may still be a refusal
        let said = opening.first_words().await?;
        if let Some((status, words)) = opening.refusal() {
            return Ok(refused(status, words));
        }
        Ok(ThroughAnswer {
            status: parts.status,
            is_stream,
            body: stream::iter([Ok(said)]).chain(opening.rest()).boxed(),
        })
    }

    /// Up to four nodes whose evidence is good; the reason why none is, otherwise.
    async fn recipients(&self, asked: &Sealing<'_>) -> Result<Vec<Arc<Attested>>, ClientError> {
        let (mut good, mut refused) = (Vec::new(), ClientError::NoPolicy);
        for &node in asked.nodes {
            match self.attested(node, asked.task).await {
                Ok(attested) => good.push(attested),
                Err(error) => refused = error,
            }
            if good.len() == MAX_RECIPIENTS {
                break;
            }
        }
        match good.is_empty() {
            true => Err(refused),
            false => Ok(good),
        }
    }

    async fn send_through(
        &self,
        gateway: &Through,
        endpoint: Endpoint,
        sealed: Vec<u8>,
    ) -> Result<Response<Body>, ClientError> {
        let url = format!("{}{}", gateway.url, endpoint.as_str());
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(header::AUTHORIZATION, format!("Bearer {}", gateway.key))
            .body(Full::new(Bytes::from(sealed)));
        let broken = |source| ClientError::Gateway {
            url: gateway.url.clone(),
            source,
        };
        let request = request.map_err(|_| broken(atoma_http::client::Error::Url))?;
        match tokio::time::timeout(BEGINS, gateway.pool.send(request)).await {
            Ok(answered) => answered.map_err(broken),
            Err(_) => Err(ClientError::TimedOut {
                what: "the gateway's answer",
                after: BEGINS,
            }),
        }
    }
}

fn salt(headers: &HeaderMap) -> Option<Salt> {
    headers.get(SALT)?.to_str().ok()?.parse().ok()
}

/// A refusal, in clear or opened.
fn refused(status: StatusCode, words: Bytes) -> ThroughAnswer {
    ThroughAnswer {
        status,
        is_stream: false,
        body: stream::iter([Ok(words)]).boxed(),
    }
}

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Through")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ThroughAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThroughAnswer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
