//! Storing blobs at a publisher that isn't trusted.

use super::{
    BadConfig, Reply, WalrusClient,
    error::{ClientError, Lie},
    http::{Limits, MAX_JSON, at, name},
};
use crate::{
    BlobId, BlobObject, ObjectId,
    api::{BlobStoreResult, EventOrObject},
    coding::blob_id,
};
use bytes::Bytes;
use http::{Request, header};
use url::Url;

/// How a blob is to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreRequest {
    /// For how many epochs.
    pub epochs: u32,
    /// Whether its owner may delete it before its time.
    pub deletable: bool,
    /// Whose the object is to be.
    pub send_object_to: Option<ObjectId>,
    /// Whether it is registered and certified anew where it is kept for long enough already.
    pub force: bool,
}

impl StoreRequest {
    /// Permanently, for some epochs.
    #[must_use]
    pub const fn permanent(epochs: u32) -> Self {
        Self {
            epochs,
            deletable: false,
            send_object_to: None,
            force: false,
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The blob's id, as computed here.
    pub blob_id: BlobId,
    /// The new object; none if the blob was there before.
    pub object: Option<BlobObject>,
    /// The object that keeps it, as far as it is known.
    pub object_id: Option<ObjectId>,
    /// The epoch in which its storage is over.
    pub end_epoch: u32,
    /// In FROST; nothing if it was there before.
    pub cost: u64,
}

impl WalrusClient {
    /// Stores a blob; afterwards an aggregator has given back the same bytes.
    ///
    /// # Errors
    /// If the publisher can't be reached, refuses, fails or lies.
    pub fn store(&self, blob: Bytes, request: StoreRequest) -> Reply<'_, Stored> {
        Box::pin(async move {
            let (params, bytes) = (self.params, blob.clone());
            let id = self.computing(move || blob_id(params, &bytes)).await??;
            let stored = self
                .retry(|attempt| self.store_once(id, blob.clone(), request, attempt))
                .await?;
            if self.config.read_back {
                self.read_back(id, &blob).await?;
            }
            Ok(stored)
        })
    }

    async fn store_once(
        &self,
        id: BlobId,
        blob: Bytes,
        request: StoreRequest,
        attempt: u32,
    ) -> Result<Stored, ClientError> {
        let publisher = self
            .config
            .publisher
            .as_ref()
            .ok_or(ClientError::NoPublisher)?;
        let size = blob.len() as u64;
        let url = put_url(publisher, "blobs", request)?;
        let body = self.upload(&url, None, blob, request).await;
        let body = match body {
            Err(error) if error.is_transient() && !error.is_harmless() => {
                // it may be on its way: once it is there, asking again costs nothing
                self.await_arrival(id, attempt).await;
                return Err(error);
            }
            other => other?,
        };
        let result: BlobStoreResult = read_json(&url, &body)?;
        self.check(publisher, id, size, request, result)
    }

    /// Puts bytes to a URL.
    pub(super) async fn upload(
        &self,
        url: &Url,
        content_type: Option<&str>,
        body: Bytes,
        request: StoreRequest,
    ) -> Result<Bytes, ClientError> {
        let mut head = Request::put("/");
        if let Some(content_type) = content_type {
            head = head.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(tokens) = &self.config.tokens {
            let bytes = body.len() as u64;
            let token = tokens.token(bytes, request.epochs, request.send_object_to);
            let mut value = http::HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| BadConfig::Token)?;
            value.set_sensitive(true);
            head = head.header(header::AUTHORIZATION, value);
        }
        let limits = Limits {
            time: self.config.timeouts.store,
            bytes: MAX_JSON,
        };
        Ok(self.http.send(url, head, body, limits).await?.body)
    }

    /// Waits a little for a write of unknown outcome to be certified.
    pub(super) async fn await_arrival(&self, id: BlobId, attempt: u32) {
        let mut backoff = self.backoff();
        for _ in 0..=attempt {
            if matches!(self.lookup(id).await, Ok(Some(_))) {
                return;
            }
            self.rest(&mut backoff).await;
        }
    }

    /// What the publisher says, held against what is known here.
    pub(super) fn check(
        &self,
        publisher: &Url,
        id: BlobId,
        size: u64,
        request: StoreRequest,
        result: BlobStoreResult,
    ) -> Result<Stored, ClientError> {
        let lying = |lie| {
            let url = name(publisher);
            Err(ClientError::LyingPublisher { url, lie })
        };
        match result {
            BlobStoreResult::NewlyCreated {
                blob_object: object,
                cost,
                ..
            } => match self.lie_in(&object, id, size, request)? {
                Some(lie) => lying(lie),
                None => Ok(Stored {
                    blob_id: id,
                    object_id: Some(object.id),
                    end_epoch: object.storage.end_epoch,
                    object: Some(object),
                    cost,
                }),
            },
            BlobStoreResult::AlreadyCertified { blob_id: said, .. } if said != id => {
                lying(Lie::OtherId { said, id })
            }
            BlobStoreResult::AlreadyCertified {
                shown_by,
                end_epoch,
                ..
            } => Ok(Stored {
                blob_id: id,
                object: None,
                object_id: match shown_by {
                    EventOrObject::Object(object) => Some(object),
                    EventOrObject::Event { .. } => None,
                },
                end_epoch,
                cost: 0,
            }),
            BlobStoreResult::MarkedInvalid { .. } => lying(Lie::EncodedWrongly),
            BlobStoreResult::Error {
                failure_phase,
                error_msg,
                ..
            } => Err(ClientError::Failed {
                url: name(publisher),
                phase: failure_phase,
                message: error_msg,
            }),
        }
    }

    /// What is wrong with a new blob's object, if anything is.
    fn lie_in(
        &self,
        object: &BlobObject,
        id: BlobId,
        size: u64,
        request: StoreRequest,
    ) -> Result<Option<Lie>, ClientError> {
        let (said, storage) = (object.blob_id, &object.storage);
        let paid = storage.end_epoch.saturating_sub(object.registered_epoch);
        Ok(if said != id {
            Some(Lie::OtherId { said, id })
        } else if object.size != size {
            let said = object.size;
            Some(Lie::Size { said, size })
        } else if storage.storage_size < self.params.encoded_length(size)? {
            Some(Lie::SmallStorage)
        } else if object.deletable && !request.deletable {
            Some(Lie::Deletable)
        } else if paid < request.epochs {
            let asked = request.epochs;
            Some(Lie::Epochs { paid, asked })
        } else {
            None
        })
    }

    /// Reads what was just stored and compares it.
    pub(super) async fn read_back(&self, id: BlobId, blob: &Bytes) -> Result<(), ClientError> {
        let read = self.read_certified(id).await.map_err(|error| match error {
            ClientError::NotFound(_) => ClientError::LyingPublisher {
                url: self.config.publisher.as_ref().map(name).unwrap_or_default(),
                lie: Lie::NotThere(id),
            },
            other => other,
        })?;
        // the id is the same, so the bytes are
        debug_assert_eq!(read, *blob);
        Ok(())
    }
}

/// `PUT /v1/{kind}` with its query.
pub(super) fn put_url(
    publisher: &Url,
    kind: &str,
    request: StoreRequest,
) -> Result<Url, ClientError> {
    let mut url = at(publisher, &["v1", kind])?;
    let mut query = url.query_pairs_mut();
    query.append_pair("epochs", &request.epochs.to_string());
    if !request.deletable {
        query.append_pair("permanent", "true");
    }
    if request.force {
        query.append_pair("force", "true");
    }
    if let Some(owner) = request.send_object_to {
        query.append_pair("send_object_to", &owner.to_string());
    }
    drop(query);
    Ok(url)
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(
    url: &Url,
    body: &[u8],
) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|source| ClientError::NotJson {
        url: name(url),
        source,
    })
}

impl WalrusClient {
    /// Computes away from the tasks that talk.
    pub(super) async fn computing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ClientError> {
        let done = self.config.runtime.threads.blocking(work).await;
        done.map_err(|e| ClientError::Internal(e.into()))
    }
}
