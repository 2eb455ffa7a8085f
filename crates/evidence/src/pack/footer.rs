//! The end of a pack, from which a reader begins.

use super::{
    MAX_PACK, MAX_RECORDS,
    error::PackError,
    header::{HEADER_BYTES, Header},
};
use atoma_types::hash::Hash32;
use atoma_walrus::wire::Reader;
use std::ops::Range;

/// How many bytes it has.
pub(super) const FOOTER_BYTES: usize = 88;
/// Its bytes before the hash over the directory.
const HASHED_BYTES: usize = 48;
const MAGIC: &[u8; 8] = b"ATOMAEND";
/// Bytes of the index beside its rows.
pub(super) const INDEX_HEAD: usize = 4;
/// Bytes of a row of the index.
pub(super) const ROW: usize = 60;

/// Where the index is, and what holds the pack together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    pub(super) index_offset: u64,
    pub(super) count: usize,
    pub(super) root: Hash32,
    hash: Hash32,
}

impl Footer {
    pub(super) fn new(
        index_offset: u64,
        count: usize,
        root: Hash32,
        header: &Header,
        index: &[u8],
    ) -> Self {
        let mut footer = Self {
            index_offset,
            count,
            root,
            hash: Hash32::ZERO,
        };
        footer.hash = footer.directory_hash(&header.to_bytes(), index);
        footer
    }

    /// Where it is in a pack of `length` bytes.
    ///
    /// # Errors
    /// If no pack is so short or so long.
    pub fn range(length: u64) -> Result<Range<u64>, PackError> {
        if length > MAX_PACK {
            return Err(PackError::TooLarge {
                what: "a pack",
                size: length,
                max: MAX_PACK,
            });
        }
        if length < (HEADER_BYTES + INDEX_HEAD + FOOTER_BYTES) as u64 {
            return Err(PackError::Format("it is too short"));
        }
        Ok(length - FOOTER_BYTES as u64..length)
    }

    /// Reads the footer of a pack of `length` bytes.
    ///
    /// # Errors
    /// If the bytes aren't one, or of a pack of another length.
    pub fn from_bytes(bytes: &[u8], length: u64) -> Result<Self, PackError> {
        let range = Self::range(length)?;
        let mut reader = Reader::new(bytes);
        let index_offset = reader.u64()?;
        let count = reader.u32()? as usize;
        let zero = reader.u32()?;
        let footer = Self {
            index_offset,
            count,
            root: Hash32(reader.array()?),
            hash: Hash32(reader.array()?),
        };
        if reader.array()? != *MAGIC {
            return Err(PackError::Format("it doesn't end like one"));
        }
        reader.end()?;
        if zero != 0 {
            return Err(PackError::Format("unused bytes aren't zero"));
        }
        if count > MAX_RECORDS {
            return Err(PackError::Format("too many records"));
        }
        let end = index_offset.checked_add((INDEX_HEAD + count * ROW) as u64);
        if index_offset < HEADER_BYTES as u64 || end != Some(range.start) {
            return Err(PackError::Format("the index isn't where it should be"));
        }
        Ok(footer)
    }

    /// Encodes it in its own byte layout.
    pub(super) fn to_bytes(&self) -> [u8; FOOTER_BYTES] {
        let mut out = [0; FOOTER_BYTES];
        out[..HASHED_BYTES].copy_from_slice(&self.hashed());
        out[48..80].copy_from_slice(&self.hash.0);
        out[80..].copy_from_slice(MAGIC);
        out
    }

    fn hashed(&self) -> [u8; HASHED_BYTES] {
        let mut out = [0; HASHED_BYTES];
        out[..8].copy_from_slice(&self.index_offset.to_le_bytes());
        // at most MAX_RECORDS
        out[8..12].copy_from_slice(&(self.count as u32).to_le_bytes());
        out[16..].copy_from_slice(&self.root.0);
        out
    }

    fn directory_hash(&self, header: &[u8], index: &[u8]) -> Hash32 {
        Hash32::of_parts(&[header, index, &self.hashed()])
    }

    /// Fails unless header and index are those of this footer.
    pub(super) fn check(&self, header: &[u8], index: &[u8]) -> Result<(), PackError> {
        let good = self.directory_hash(header, index) == self.hash;
        good.then_some(()).ok_or(PackError::Hash("directory"))
    }

    /// Where the index is.
    #[must_use]
    pub fn index_range(&self) -> Range<u64> {
        let length = (INDEX_HEAD + self.count * ROW) as u64;
        self.index_offset..self.index_offset + length
    }

    /// The root over the records.
    #[must_use]
    pub fn root(&self) -> Hash32 {
        self.root
    }
}
