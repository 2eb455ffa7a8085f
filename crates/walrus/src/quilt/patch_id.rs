//! Ids of patches.

use crate::{
    BlobId,
    coding::{CodingError, WireError},
    wire::Reader,
};
use atoma_types::ParseBlobIdError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, str::FromStr};

/// `quilt id | 01 | first column u16 le | end column u16 le`; text: base64url, 50 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuiltPatchId {
    /// The quilt's blob id.
    pub quilt: BlobId,
    /// The first column of the quilt that the patch fills.
    pub start: u16,
    /// The column behind its last.
    pub end: u16,
}

impl fmt::Display for QuiltPatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.quilt.0.to_vec();
        bytes.push(super::VERSION);
        bytes.extend_from_slice(&self.start.to_le_bytes());
        bytes.extend_from_slice(&self.end.to_le_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for QuiltPatchId {
    type Err = CodingError;

    fn from_str(text: &str) -> Result<Self, CodingError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseBlobIdError)?;
        let mut reader = Reader::new(&bytes);
        let quilt = BlobId(reader.array()?);
        reader.tag(super::VERSION)?;
        let (start, end) = (reader.u16()?, reader.u16()?);
        reader.end()?;
        if start >= end {
            return Err(WireError::Inconsistent.into());
        }
        Ok(Self { quilt, start, end })
    }
}
