//! Asking through a gateway that nobody has to trust: the request is sealed to up to four nodes, the gateway chooses and
//! pays, and reads neither question nor answer. What it can do is to say no, and to lose what it was given.

use super::{Attested, SealedAnswer};
use crate::{Client, ClientError};
use atoma_channel::{MEDIA_TYPE, Order, limits::MAX_RECIPIENTS, seal_request};
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::{AnswerLimits, Body, Pieces, Pool, PoolOptions};
use atoma_keys::Verifier;
use atoma_types::{
    Address, ComputeUnits, NodeId, TaskId,
    hash::Hash32,
    http::SALT,
    message::{CommitmentKind, Endpoint, MAX_REQUEST_LIFETIME, Receipt, Salt, Signed},
};
use bytes::{Bytes, BytesMut};
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

/// What is asked, and who may answer.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Whose nodes answer.
    pub task: TaskId,
    /// Nodes of it, the best first; those whose evidence isn't good are left out.
    pub nodes: &'a [NodeId],
    /// What is asked for.
    pub endpoint: Endpoint,
    /// The body in clear.
    pub text: &'a [u8],
    /// The most that it may cost.
    pub max_units: ComputeUnits,
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
        let first = attested.first().ok_or(ClientError::NoPolicy)?;
        let sealed = |source| ClientError::Sealed {
            node: first.verdict.node,
            source,
        };
        let now = self.runtime().now();
        let confidential = self.inner.config.confidential.as_ref();
        let order = Order {
            network: self.ledger().network(),
            task: asked.task,
            endpoint: asked.endpoint,
            max_units: asked.max_units,
            issued_at: now,
            expires_at: now.saturating_add(MAX_REQUEST_LIFETIME),
            padding: confidential.map(|one| one.padding).unwrap_or_default(),
        };
        let keys: Vec<_> = attested.iter().map(|one| one.keyset.clone()).collect();
        let random = &*self.runtime().random;
        let (bytes, opener) = seal_request(&order, &keys, asked.text, random).map_err(sealed)?;
        let response = self.send_through(gateway, asked.endpoint, bytes).await?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            let words = body.whole(REFUSAL).await.unwrap_or_default();
            return Ok(refused(parts.status, words));
        }
        let opener = match salt(&parts.headers) {
            Some(salt) => opener.committing(salt.hasher(CommitmentKind::Answer)),
            // without it nobody can hold a receipt against the answer
            None => return Err(bad(first, ReceiptError::Missing)),
        };
        let is_stream = super::seal::is_stream(asked.endpoint, asked.text);
        let mut opening = Opening {
            answer: SealedAnswer::new(opener, is_stream),
            pieces: Pieces::new(body, SILENCE),
            attested,
            verified: false,
            over: false,
        };
        // until something is said it may still be a refusal
        let mut first = Bytes::new();
        while first.is_empty() && !opening.over {
            first = opening.next().await?;
        }
        let failed = opening.answer.failed().filter(|failed| !failed.late);
        if let Some(failed) = failed {
            let status = StatusCode::from_u16(failed.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(refused(status, failed.body.clone()));
        }
        let rest = stream::unfold(opening, |mut opening| async move {
            loop {
                if opening.over {
                    return None;
                }
                match opening.next().await {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => return Some((Ok(bytes), opening)),
                    Err(error) => {
                        opening.over = true;
                        return Some((Err(error), opening));
                    }
                }
            }
        });
        Ok(ThroughAnswer {
            status: parts.status,
            is_stream,
            body: stream::iter([Ok(first)]).chain(rest).boxed(),
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

/// An answer that is being opened.
struct Opening {
    answer: SealedAnswer,
    pieces: Pieces,
    /// Who may answer.
    attested: Vec<Arc<Attested>>,
    verified: bool,
    over: bool,
}

impl Opening {
    /// The next bytes, which may be none.
    async fn next(&mut self) -> Result<Bytes, ClientError> {
        let node = self.node();
        let sealed = |source| ClientError::Sealed { node, source };
        let came = self.pieces.next().await;
        let came = came.map_err(|source| ClientError::Broken { node, source })?;
        let Some(bytes) = came else {
            self.over = true;
            self.answer.end().map_err(sealed)?;
            return match self.answer.failed() {
                Some(failed) if failed.late => Err(ClientError::GaveUp { node }),
                Some(_) => Ok(Bytes::new()),
                None if self.verified => Ok(Bytes::new()),
                None => Err(ClientError::Receipt {
                    node,
                    reason: ReceiptError::Missing,
                }),
            };
        };
        let mut pieces = self.answer.feed(&bytes).map_err(sealed)?;
        if let Some((receipt, covered)) = pieces.receipt.take() {
            let node = self.node();
            let checked = self.check(node, &receipt, covered);
            checked.map_err(|reason| ClientError::Receipt { node, reason })?;
            self.verified = true;
            let mut text = BytesMut::from(&pieces.text[..]);
            text.extend_from_slice(&self.answer.take_last());
            return Ok(text.freeze());
        }
        Ok(pieces.text.freeze())
    }

    /// Who answers, as far as it is known.
    fn node(&self) -> NodeId {
        let asked = self.attested.first().map(|one| one.verdict.node);
        self.answer
            .node()
            .or(asked)
            .unwrap_or(NodeId(Address::ZERO))
    }

    /// A receipt of the guest that answered, over these very bytes. What it says of units is between gateway and node.
    fn check(&self, node: NodeId, receipt: &str, covered: Hash32) -> Result<(), ReceiptError> {
        let receipt = Signed::<Receipt>::from_text(receipt)?;
        let guest = self.attested.iter().find(|one| one.verdict.node == node);
        let key = guest.ok_or(ReceiptError::Signature)?.receipt_key;
        let verifier = Verifier::new(&key).map_err(|_| ReceiptError::Signature)?;
        receipt
            .verify(&verifier)
            .map_err(|_| ReceiptError::Signature)?;
        if receipt.message().response_hash != covered {
            return Err(ReceiptError::ResponseHash);
        }
        Ok(())
    }
}

fn bad(attested: &Attested, reason: ReceiptError) -> ClientError {
    ClientError::Receipt {
        node: attested.verdict.node,
        reason,
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
