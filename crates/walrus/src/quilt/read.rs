//! Taking a quilt apart: its index, and the blobs that it names.

use super::{
    PREFIX, Tags, VERSION,
    build::HAS_TAGS,
    error::QuiltError,
    index::{MAX_INDEX_COLUMNS, MAX_TEXT, QuiltIndex, QuiltPatch, read_tags},
};
use crate::{
    coding::{Params, WireError},
    wire::Reader,
};

/// A blob that holds others.
#[derive(Clone, Debug)]
pub struct Quilt<'a> {
    bytes: &'a [u8],
    params: Params,
    symbol: usize,
    index: QuiltIndex,
}

/// One of a quilt's blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchContent {
    /// The name that it has in its quilt.
    pub identifier: String,
    /// Pairs of key and value that were stored with it.
    pub tags: Tags,
    /// The bytes that were stored.
    pub data: Vec<u8>,
}

impl<'a> Quilt<'a> {
    /// Reads the table of contents.
    ///
    /// # Errors
    /// If the bytes aren't a quilt for that many shards.
    pub fn open(params: Params, bytes: &'a [u8]) -> Result<Self, QuiltError> {
        let symbols = params.primary() * params.secondary();
        let symbol = bytes.len() / symbols;
        if symbol == 0 || !bytes.len().is_multiple_of(symbols) || symbol > usize::from(u16::MAX) {
            return Err(WireError::Inconsistent.into());
        }
        let mut quilt = Self {
            bytes,
            params,
            symbol,
            index: QuiltIndex::default(),
        };
        let column_bytes = symbol * params.primary();
        let most = MAX_INDEX_COLUMNS.min(params.secondary());
        let head = quilt.columns(0, PREFIX.div_ceil(column_bytes));
        let length = prefixed_length(&head)?;
        if length > most * column_bytes - PREFIX {
            return Err(WireError::Length.into());
        }
        let start = (length + PREFIX).div_ceil(column_bytes);
        let index = quilt.columns(0, start);
        // `start` is at most ten, the number of columns at most 667
        let columns = params.secondary() as u16;
        quilt.index =
            QuiltIndex::from_bytes(&index[PREFIX..PREFIX + length], start as u16, columns)?;
        Ok(quilt)
    }

    /// The quilt's patches: identifiers, tags and places.
    #[must_use]
    pub fn index(&self) -> &QuiltIndex {
        &self.index
    }

    /// The blob of that name.
    ///
    /// # Errors
    /// If there's none, or its bytes aren't a patch of that name.
    pub fn read(&self, identifier: &str) -> Result<PatchContent, QuiltError> {
        let patch = self.index.find(identifier).ok_or(QuiltError::NoPatch)?;
        self.read_patch(patch)
    }

    /// The blob in columns `start..end`, which must be a patch's.
    ///
    /// # Errors
    /// If they aren't, or the bytes aren't a patch.
    pub fn read_columns(&self, start: u16, end: u16) -> Result<PatchContent, QuiltError> {
        let there = |patch: &&QuiltPatch| (patch.start, patch.end) == (start, end);
        let patch = self.index.patches.iter().find(there);
        self.read_patch(patch.ok_or(QuiltError::NoPatch)?)
    }

    fn read_patch(&self, patch: &QuiltPatch) -> Result<PatchContent, QuiltError> {
        let content = patch_of_columns(&self.columns(patch.start.into(), patch.end.into()))?;
        if content.identifier != patch.identifier {
            return Err(WireError::Inconsistent.into());
        }
        Ok(content)
    }

    /// The bytes of columns, one after the other.
    fn columns(&self, start: usize, end: usize) -> Vec<u8> {
        let (rows, columns) = (self.params.primary(), self.params.secondary());
        let mut bytes = Vec::with_capacity((end - start) * rows * self.symbol);
        for column in start..end.min(columns) {
            for row in 0..rows {
                let at = (row * columns + column) * self.symbol;
                bytes.extend_from_slice(&self.bytes[at..at + self.symbol]);
            }
        }
        bytes
    }
}

/// The patch whose columns (the data of its secondary slivers, one after the other) these are.
///
/// # Errors
/// If they aren't a patch's.
pub fn patch_of_columns(bytes: &[u8]) -> Result<PatchContent, QuiltError> {
    let length = prefixed_length(bytes)?;
    let mut reader = Reader::new(bytes.get(PREFIX..).ok_or(WireError::TooShort)?);
    let mask = reader.u8()?;
    let mut reader = Reader::new(reader.take(length)?);
    let size = usize::from(reader.u16()?);
    let mut text = Reader::new(reader.take(size)?);
    let identifier = text.text(MAX_TEXT)?.to_owned();
    text.end()?;
    let mut tags = Tags::new();
    match mask {
        0 => {}
        HAS_TAGS => {
            let size = usize::from(reader.u16()?);
            let mut map = Reader::new(reader.take(size)?);
            tags = read_tags(&mut map)?;
            map.end()?;
        }
        other => return Err(WireError::Tag(other).into()),
    }
    Ok(PatchContent {
        identifier,
        tags,
        data: reader.rest().to_vec(),
    })
}

/// The length behind the version.
fn prefixed_length(bytes: &[u8]) -> Result<usize, WireError> {
    let mut reader = Reader::new(bytes);
    reader.tag(VERSION)?;
    usize::try_from(reader.u32()?).map_err(|_| WireError::Length)
}
