//! Reading blobs, whole or in part, from an aggregator that isn't trusted.

use super::{
    Reply, WalrusClient,
    error::ClientError,
    http::{Limits, MAX_JSON, at, name},
};
use crate::{BlobId, coding::blob_id};
use bytes::Bytes;
use http::{Request, header};
use std::ops::Range;
use tokio::time::Instant;
use url::Url;

impl WalrusClient {
    /// Reads a blob. Its bytes give the id that was asked for, or it is an error.
    ///
    /// # Errors
    /// If no aggregator has it, can be reached and tells the truth; the error is the last one's.
    pub fn read(&self, id: BlobId) -> Reply<'_, Bytes> {
        Box::pin(self.retry(move |_| {
            self.any_aggregator(move |aggregator| Box::pin(self.read_from(aggregator, id)))
        }))
    }

    /// Reads a blob that is known to be certified: "not found" is not believed at once, since
    /// caches may remember it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_certified(&self, id: BlobId) -> Reply<'_, Bytes> {
        Box::pin(async move {
            let started = Instant::now();
            let mut backoff = self.backoff();
            loop {
                match self.read(id).await {
                    Err(ClientError::NotFound(_)) if started.elapsed() < self.config.stale_for => {
                        self.rest(&mut backoff).await;
                    }
                    other => return other,
                }
            }
        })
    }

    /// Reads some of a blob's bytes. **They aren't checked**: the caller must know a hash or a
    /// Merkle root of them.
    ///
    /// # Errors
    /// If no aggregator can be reached and has it, or the range isn't within the blob.
    pub fn read_range_unchecked(&self, id: BlobId, range: Range<u64>) -> Reply<'_, Bytes> {
        let length = range.end.saturating_sub(range.start);
        Box::pin(self.retry(move |_| {
            self.any_aggregator(move |aggregator| {
                Box::pin(self.range_from(aggregator, id, range.start, length))
            })
        }))
    }

    async fn range_from(
        &self,
        aggregator: &Url,
        id: BlobId,
        start: u64,
        length: u64,
    ) -> Result<Bytes, ClientError> {
        let mut url = at(aggregator, &["v1", "blobs", &id.to_string(), "byte-range"])?;
        url.query_pairs_mut()
            .append_pair("start", &start.to_string())
            .append_pair("length", &length.to_string());
        let body = self.get(&url, id, length).await?;
        if body.len() as u64 != length {
            return Err(ClientError::Length {
                url: name(aggregator),
                found: body.len(),
                expected: length,
            });
        }
        Ok(body)
    }

    /// Whether an aggregator has a blob, and its size. Not checked: aggregators may lie.
    ///
    /// # Errors
    /// If none can be reached.
    pub fn lookup(&self, id: BlobId) -> Reply<'_, Option<u64>> {
        Box::pin(async move {
            let ask = self
                .any_aggregator(move |aggregator| Box::pin(self.length_from(aggregator, id)))
                .await;
            match ask {
                Ok(size) => Ok(Some(size)),
                Err(ClientError::NotFound(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    async fn length_from(&self, aggregator: &Url, id: BlobId) -> Result<u64, ClientError> {
        let url = at(aggregator, &["v1", "blobs", &id.to_string()])?;
        let limits = Limits {
            time: self.config.timeouts.lookup,
            bytes: MAX_JSON,
        };
        let answer = self
            .http
            .send(&url, Request::head("/"), Bytes::new(), limits)
            .await;
        let answer = answer.map_err(|error| missing(error, id))?;
        let length = answer.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        length.ok_or_else(|| ClientError::NoLength {
            url: name(aggregator),
        })
    }

    async fn read_from(&self, aggregator: &Url, id: BlobId) -> Result<Bytes, ClientError> {
        let url = at(aggregator, &["v1", "blobs", &id.to_string()])?;
        let blob = self.get(&url, id, self.config.max_blob).await?;
        let (params, bytes) = (self.params, blob.clone());
        let found = self.computing(move || blob_id(params, &bytes)).await?;
        if found != Ok(id) {
            return Err(ClientError::LyingAggregator {
                url: name(aggregator),
                blob_id: id,
            });
        }
        Ok(blob)
    }

    /// `GET` of a blob's bytes.
    pub(super) async fn get(&self, url: &Url, id: BlobId, most: u64) -> Result<Bytes, ClientError> {
        let limits = Limits {
            time: self.config.timeouts.read,
            bytes: most,
        };
        let answer = self
            .http
            .send(url, Request::get("/"), Bytes::new(), limits)
            .await;
        Ok(answer.map_err(|error| missing(error, id))?.body)
    }

    /// Asks the aggregators in turn until one gives a good answer. Of several errors the most
    /// telling is returned: a lie before "not found", that before anything else.
    pub(super) async fn any_aggregator<'a, T>(
        &'a self,
        ask: impl Fn(&'a Url) -> Reply<'a, T>,
    ) -> Result<T, ClientError> {
        let rank = |error: &ClientError| match error {
            ClientError::LyingAggregator { .. } => 2,
            // one that can't answer now may have it
            error if error.is_transient() => 1,
            _ => 0,
        };
        let mut worst: Option<ClientError> = None;
        for aggregator in &self.config.aggregators {
            match ask(aggregator).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    if let ClientError::LyingAggregator { url, blob_id } = &error {
                        tracing::warn!(%url, blob = %blob_id, "an aggregator lies");
                    }
                    if worst
                        .as_ref()
                        .is_none_or(|worst| rank(&error) > rank(worst))
                    {
                        worst = Some(error);
                    }
                }
            }
        }
        let Some(worst) = worst else {
            panic!("no client is made without an aggregator");
        };
        Err(worst)
    }
}

fn missing(error: ClientError, id: BlobId) -> ClientError {
    match error {
        ClientError::Refused { status: 404, .. } => ClientError::NotFound(id),
        other => other,
    }
}
