//! Quilts through the API.

use super::{
    WalrusClient,
    error::{ClientError, Lie},
    http::name,
    store::{StoreRequest, Stored, put_url, read_json},
};
use crate::{
    BlobId,
    api::{METADATA_FIELD, QuiltBlobMetadata, QuiltStoreResult},
    coding::blob_id,
    quilt::{PatchContent, Quilt, QuiltBlob, QuiltError, QuiltPatchId, build, check_identifier},
};
use atoma_runtime::Random;
use bytes::Bytes;

/// A stored quilt and its blobs' ids, as computed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredQuilt {
    /// The blob that the quilt was stored as.
    pub stored: Stored,
    /// Its blobs by name, sorted.
    pub patches: Vec<(String, QuiltPatchId)>,
}

impl WalrusClient {
    /// Stores blobs in one quilt. The quilt is also made here, and the publisher's must be the same.
    ///
    /// # Errors
    /// As [`Self::store`]; and if the blobs don't make a quilt.
    pub async fn store_quilt(
        &self,
        blobs: Vec<QuiltBlob>,
        request: StoreRequest,
    ) -> Result<StoredQuilt, ClientError> {
        let (form, content_type) = form(&blobs, &*self.config.runtime.random)?;
        let params = self.params;
        let computed = move || -> Result<_, ClientError> {
            let layout = build(params, blobs)?;
            let id = blob_id(params, &layout.bytes)?;
            Ok((layout, id))
        };
        let (layout, id) = self.computing(computed).await??;
        let size = layout.bytes.len() as u64;
        let patches: Vec<(String, QuiltPatchId)> = layout
            .index
            .patches
            .into_iter()
            .map(|patch| {
                let (start, end) = (patch.start, patch.end);
                let quilt = id;
                (patch.identifier, QuiltPatchId { quilt, start, end })
            })
            .collect();
        let stored = self
            .retry(|attempt| {
                self.store_quilt_once(
                    id,
                    size,
                    &patches,
                    (form.clone(), &content_type),
                    request,
                    attempt,
                )
            })
            .await?;
        if self.config.read_back {
            self.read_back(id, &layout.bytes.into()).await?;
        }
        Ok(StoredQuilt { stored, patches })
    }

    async fn store_quilt_once(
        &self,
        id: BlobId,
        size: u64,
        patches: &[(String, QuiltPatchId)],
        (form, content_type): (Bytes, &str),
        request: StoreRequest,
        attempt: u32,
    ) -> Result<Stored, ClientError> {
        let publisher = self
            .config
            .publisher
            .as_ref()
            .ok_or(ClientError::NoPublisher)?;
        let url = put_url(publisher, "quilts", request)?;
        let body = match self.upload(&url, Some(content_type), form, request).await {
            Err(error) if error.is_transient() && !error.is_harmless() => {
                self.await_arrival(id, attempt).await;
                return Err(error);
            }
            other => other?,
        };
        let result: QuiltStoreResult = read_json(&url, &body)?;
        let stored = self.check(publisher, id, size, request, result.blob_store_result)?;
        let same = |(identifier, patch): &(String, QuiltPatchId)| {
            let patch = patch.to_string();
            let said = &mut result.stored_quilt_blobs.iter();
            said.any(|said| said.identifier == *identifier && said.quilt_patch_id == patch)
        };
        if !patches.iter().all(same) {
            return Err(ClientError::LyingPublisher {
                url: name(publisher),
                lie: Lie::PatchesElsewhere,
            });
        }
        Ok(stored)
    }

    /// Reads a quilt, all of it, checked like any blob, and one of its blobs by name.
    ///
    /// # Errors
    /// As [`Self::read`]; and if it isn't a quilt or has none of that name.
    pub async fn read_from_quilt(
        &self,
        quilt: BlobId,
        identifier: &str,
    ) -> Result<PatchContent, ClientError> {
        let blob = self.read(quilt).await?;
        Ok(Quilt::open(self.params, &blob)?.read(identifier)?)
    }

    /// Reads a quilt, checked, and one of its blobs by its columns.
    ///
    /// # Errors
    /// As [`Self::read`]; and if it isn't a quilt or has no such patch.
    pub async fn read_patch(&self, patch: QuiltPatchId) -> Result<PatchContent, ClientError> {
        let blob = self.read(patch.quilt).await?;
        Ok(Quilt::open(self.params, &blob)?.read_columns(patch.start, patch.end)?)
    }
}

/// A form with the blobs as fields, and their tags.
fn form(blobs: &[QuiltBlob], random: &dyn Random) -> Result<(Bytes, String), ClientError> {
    // 128 random bits stand in no blob
    let boundary = format!("atoma-{}", hex::encode(random.bytes::<16>()));
    let mut form = Vec::new();
    let mut field = |name: &str, kind: &str, data: &[u8]| {
        let head = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"{kind}\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(data);
        form.extend_from_slice(b"\r\n");
    };
    let tagged: Vec<QuiltBlobMetadata> = blobs
        .iter()
        .filter(|blob| !blob.tags.is_empty())
        .map(|blob| QuiltBlobMetadata {
            identifier: blob.identifier.clone(),
            tags: blob.tags.clone(),
        })
        .collect();
    if !tagged.is_empty() {
        let json = serde_json::to_vec(&tagged).map_err(|e| ClientError::Internal(e.into()))?;
        field(METADATA_FIELD, "\r\ncontent-type: application/json", &json);
    }
    for blob in blobs {
        check_identifier(&blob.identifier)?;
        // forms have no agreed way to write these in a name
        if blob.identifier.contains(['"', '\\', '%']) {
            return Err(QuiltError::Identifier(blob.identifier.clone()).into());
        }
        let kind = "\r\ncontent-type: application/octet-stream";
        field(&blob.identifier, kind, &blob.data);
    }
    form.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((
        form.into(),
        format!("multipart/form-data; boundary={boundary}"),
    ))
}
