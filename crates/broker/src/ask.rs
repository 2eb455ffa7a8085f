//! The guest's side: asking a broker for a model's key.

use crate::{NonceAnswer, key_path, nonces_path};
use atoma_http::client::{AnswerLimits, Error, Pool, PoolOptions};
use atoma_runtime::Sockets;
use atoma_tee::octets::Octets;
use atoma_types::{hash::Hash32, refusal::ErrorBody};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use std::time::Duration;

/// A nonce is made at once; evidence is judged and written down before the key comes. Neither is long.
const ANSWER: AnswerLimits = AnswerLimits::within(Duration::from_secs(30), 16 << 10);
/// Of what a broker says in words, no more than this is told.
const MAX_WORDS: usize = 1_000;

/// A broker at a URL. It needs no trust of whoever asks: what it gives opens the model, or nothing.
#[derive(Debug)]
pub struct KeyBroker {
    url: String,
    pool: Pool,
}

/// A broker gave no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Connections can't be set up.
    #[error("cannot set up connections to key brokers")]
    Setup(#[source] Error),
    /// It can't be reached.
    #[error("cannot ask the key broker at {url}")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// Why it can't.
        #[source]
        source: Error,
    },
    /// It keeps the key.
    #[error("the key broker at {url} refuses: {code}: {words}")]
    Refused {
        /// Where it is.
        url: String,
        /// The reason's stable code, or the HTTP status.
        code: String,
        /// The reason in words.
        words: String,
    },
    /// It isn't a broker.
    #[error("what answers at {0} isn't a key broker")]
    Malformed(String),
}

impl KeyBroker {
    /// The broker at this URL; `https://` or `http://`: what matters is sealed in any case.
    ///
    /// # Errors
    /// If connections with TLS can't be set up.
    pub fn new(url: &str, sockets: Sockets) -> Result<Self, AskError> {
        let pool = Pool::over(sockets, PoolOptions::ONE_REQUEST).map_err(AskError::Setup)?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { url, pool })
    }

    /// A nonce that nobody knew, for evidence to answer within two minutes.
    ///
    /// # Errors
    /// If there is none.
    pub async fn nonce(&self, model: Hash32) -> Result<Octets<32>, AskError> {
        let answer = self.post(nonces_path(model), Bytes::new()).await?;
        let answer: Result<NonceAnswer, _> = serde_json::from_slice(&answer);
        let answer = answer.map_err(|_| AskError::Malformed(self.url.clone()))?;
        Ok(answer.nonce)
    }

    /// The model's key, wrapped for the keyset of this evidence.
    ///
    /// # Errors
    /// If the broker refuses.
    pub async fn key(&self, model: Hash32, bundle: Vec<u8>) -> Result<Bytes, AskError> {
        self.post(key_path(model), bundle.into()).await
    }

    async fn post(&self, path: String, body: Bytes) -> Result<Bytes, AskError> {
        let unreachable = |source| AskError::Unreachable {
            url: self.url.clone(),
            source,
        };
        let request = Request::post(format!("{}{path}", self.url)).body(Full::new(body));
        let request = request.map_err(|_| unreachable(Error::Url))?;
        let answer = self.pool.ask(request, ANSWER).await.map_err(unreachable)?;
        if answer.status() == StatusCode::OK {
            return Ok(answer.into_body());
        }
        Err(self.refused(answer.status(), answer.body()))
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> AskError {
        let url = self.url.clone();
        let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
            return AskError::Malformed(url);
        };
        AskError::Refused {
            url,
            code: error.code.unwrap_or_else(|| status.as_u16().to_string()),
            words: error.message.chars().take(MAX_WORDS).collect(),
        }
    }
}
