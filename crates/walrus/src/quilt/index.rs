//! A quilt's table of contents.

use super::{PREFIX, Tags, VERSION};
use crate::{
    coding::{MAX_SHARDS, WireError},
    wire::{Reader, put_length, put_text},
};

/// The index may take so many columns.
pub const MAX_INDEX_COLUMNS: usize = 10;
/// Lengths of identifiers and of tags are stored in two bytes.
pub(super) const MAX_TEXT: usize = u16::MAX as usize;

/// What a quilt holds, sorted by identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuiltIndex {
    /// What is in the quilt, in its order.
    pub patches: Vec<QuiltPatch>,
}

/// A patch: one of a quilt's blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuiltPatch {
    /// The name that it has in its quilt.
    pub identifier: String,
    /// Pairs of key and value that were stored with it.
    pub tags: Tags,
    /// The first column of the quilt that the patch fills.
    pub start: u16,
    /// The column behind its last.
    pub end: u16,
}

impl QuiltIndex {
    /// The patch of that name.
    #[must_use]
    pub fn find(&self, identifier: &str) -> Option<&QuiltPatch> {
        let named = |patch: &&QuiltPatch| patch.identifier == identifier;
        self.patches.iter().find(named)
    }

    /// Its bytes with version and length in front.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, 0, 0, 0, 0];
        put_length(&mut bytes, self.patches.len());
        for patch in &self.patches {
            bytes.extend_from_slice(&patch.end.to_le_bytes());
            put_text(&mut bytes, &patch.identifier);
            put_tags(&mut bytes, &patch.tags);
        }
        // at most 666 patches of twice 64 KiB
        let length = (bytes.len() - PREFIX) as u32;
        bytes[1..PREFIX].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    /// Reads an index without its prefix, whose patches begin at column `start`.
    pub(super) fn from_bytes(
        bytes: &[u8],
        mut start: u16,
        columns: u16,
    ) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let count = reader.length(usize::from(MAX_SHARDS))?;
        let mut patches = Vec::with_capacity(count);
        for _ in 0..count {
            let end = reader.u16()?;
            if end <= start || end > columns {
                return Err(WireError::Inconsistent);
            }
            let identifier = reader.text(MAX_TEXT)?.to_owned();
            let tags = read_tags(&mut reader)?;
            patches.push(QuiltPatch {
                identifier,
                tags,
                start,
                end,
            });
            start = end;
        }
        reader.end()?;
        Ok(Self { patches })
    }
}

/// A BCS map: entries sorted by the bytes of their keys in BCS, so by length first.
pub(super) fn put_tags(out: &mut Vec<u8>, tags: &Tags) {
    let mut entries: Vec<(Vec<u8>, &str)> = tags
        .iter()
        .map(|(key, value)| {
            let mut bytes = Vec::new();
            put_text(&mut bytes, key);
            (bytes, value.as_str())
        })
        .collect();
    entries.sort_unstable();
    put_length(out, entries.len());
    for (key, value) in entries {
        out.extend_from_slice(&key);
        put_text(out, value);
    }
}

/// Reads a map. A key that comes twice is refused; the order isn't looked at.
pub(super) fn read_tags(reader: &mut Reader<'_>) -> Result<Tags, WireError> {
    let count = reader.length(MAX_TEXT)?;
    let mut tags = Tags::new();
    for _ in 0..count {
        let key = reader.text(MAX_TEXT)?.to_owned();
        let value = reader.text(MAX_TEXT)?.to_owned();
        if tags.insert(key, value).is_some() {
            return Err(WireError::Inconsistent);
        }
    }
    Ok(tags)
}
