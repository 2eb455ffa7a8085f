//! The storage confirmation: a node's promise to keep its slivers of a blob.

use crate::{BlobId, coding::WireError, wire::Reader};

/// App id, message type and version in front of a confirmation.
const INTENT: [u8; 3] = [1, 0, 3];

/// Whether the owner may delete the blob before it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Nobody can delete it before its end.
    Permanent,
    /// Yes, through the blob object of this id.
    Deletable {
        /// Id of the blob object through which it may be deleted.
        object: [u8; 32],
    },
}

/// `01 00 03 | epoch u32 le | blob id | 00` for permanent blobs, `.. | 01 | object id` for deletable
/// ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The Walrus epoch in which the promise is given.
    pub epoch: u32,
    /// Id of the blob that is kept.
    pub blob_id: BlobId,
    /// Whether the blob may be deleted before its time, and by which object.
    pub persistence: Persistence,
}

impl Confirmation {
    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = INTENT.to_vec();
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.blob_id.0);
        match self.persistence {
            Persistence::Permanent => bytes.push(0),
            Persistence::Deletable { object } => {
                bytes.push(1);
                bytes.extend_from_slice(&object);
            }
        }
        bytes
    }

    /// Reads a confirmation.
    ///
    /// # Errors
    /// If the bytes aren't one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        for byte in INTENT {
            reader.tag(byte)?;
        }
        let epoch = reader.u32()?;
        let blob_id = BlobId(reader.array()?);
        let persistence = match reader.u8()? {
            0 => Persistence::Permanent,
            1 => Persistence::Deletable {
                object: reader.array()?,
            },
            other => return Err(WireError::Tag(other)),
        };
        reader.end()?;
        Ok(Self {
            epoch,
            blob_id,
            persistence,
        })
    }
}
