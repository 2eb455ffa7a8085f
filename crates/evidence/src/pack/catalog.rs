//! What a pack holds: enough to find any record, to check it and to prove it.

use super::{
    error::PackError,
    footer::{FOOTER_BYTES, Footer, INDEX_HEAD, ROW},
    header::{HEADER_BYTES, Header},
    record::{MAX_RECORD, MIN_RECORD, Record},
};
use atoma_types::{
    RequestId,
    hash::Hash32,
    merkle::{MerkleTree, Proof},
};
use atoma_walrus::wire::Reader;
use bytes::Bytes;
use std::ops::Range;

const MAGIC: &[u8; INDEX_HEAD] = b"ATIX";

/// A record's row in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which request it is about, by the record's own word.
    pub request_id: RequestId,
    /// Its leaf in the pack's tree.
    pub leaf: Hash32,
    pub(super) offset: u64,
    pub(super) length: u32,
}

impl Entry {
    /// Where the record is in the pack.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        // within the pack: where the entry was made or read, that was seen to
        self.offset..self.offset + u64::from(self.length)
    }
}

/// Bytes of a pack beside its records.
pub(super) fn bytes_around(records: usize) -> u64 {
    (HEADER_BYTES + INDEX_HEAD + records * ROW + FOOTER_BYTES) as u64
}

/// Header, index and tree of a closed pack.
#[derive(Clone, Debug)]
pub struct Catalog {
    header: Header,
    entries: Vec<Entry>,
    tree: MerkleTree,
}

impl Catalog {
    /// The entries follow on each other and on the header.
    pub(super) fn new(header: Header, entries: Vec<Entry>) -> Self {
        let leaves = entries.iter().map(|entry| entry.leaf).collect();
        Self {
            header,
            entries,
            tree: MerkleTree::from_leaves(leaves),
        }
    }

    /// Reads one from the bytes at [`Header::RANGE`] and at [`Footer::index_range`].
    ///
    /// # Errors
    /// If they aren't those of the footer, or break a rule.
    pub fn from_parts(header: &[u8], index: &[u8], footer: &Footer) -> Result<Self, PackError> {
        footer.check(header, index)?;
        let header = Header::from_bytes(header)?;
        let mut reader = Reader::new(index);
        if reader.array()? != *MAGIC {
            return Err(PackError::Format("the index doesn't begin like one"));
        }
        let mut entries = Vec::with_capacity(index.len() / ROW);
        let mut at = HEADER_BYTES as u64;
        for row in reader.rest().chunks(ROW) {
            let mut row = Reader::new(row);
            let entry = Entry {
                request_id: RequestId(row.array()?),
                leaf: Hash32(row.array()?),
                offset: row.u64()?,
                length: row.u32()?,
            };
            if entry.offset != at || !(MIN_RECORD..=MAX_RECORD).contains(&(entry.length as usize)) {
                return Err(PackError::Format("a record isn't where it should be"));
            }
            // offsets stay below the pack's length plus one record
            at = entry.range().end;
            if at > footer.index_offset {
                return Err(PackError::Format("a record goes on into the index"));
            }
            entries.push(entry);
        }
        if at != footer.index_offset || entries.len() != footer.count {
            return Err(PackError::Format("the index isn't of all records"));
        }
        let catalog = Self::new(header, entries);
        if catalog.root() != footer.root {
            return Err(PackError::Hash("root"));
        }
        Ok(catalog)
    }

    /// Index and footer: what closes a pack after its records.
    pub(super) fn tail(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for entry in &self.entries {
            out.extend_from_slice(&entry.request_id.0);
            out.extend_from_slice(&entry.leaf.0);
            out.extend_from_slice(&entry.offset.to_le_bytes());
            out.extend_from_slice(&entry.length.to_le_bytes());
        }
        let footer = Footer::new(
            self.records_end(),
            self.entries.len(),
            self.root(),
            &self.header,
            &out,
        );
        out.extend_from_slice(&footer.to_bytes());
        out
    }

    fn records_end(&self) -> u64 {
        self.entries
            .last()
            .map_or(HEADER_BYTES as u64, |entry| entry.range().end)
    }

    /// Whose pack it is.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its records in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The root over its records.
    #[must_use]
    pub fn root(&self) -> Hash32 {
        self.tree.root()
    }

    /// The pack's length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        bytes_around(self.entries.len()) + self.records_end() - HEADER_BYTES as u64
    }

    /// The numbers of its records in the node's log.
    #[must_use]
    pub fn seqs(&self) -> Range<u64> {
        // the header's check left room for these
        self.header.first_seq..self.header.first_seq + self.entries.len() as u64
    }

    /// The place of the record with a number in the node's log.
    #[must_use]
    pub fn place_of_seq(&self, seq: u64) -> Option<usize> {
        let place = usize::try_from(seq.checked_sub(self.header.first_seq)?).ok()?;
        (place < self.entries.len()).then_some(place)
    }

    /// The places of the records about a request. Ids are the users' choice, so there may be many.
    pub fn places_of(&self, request_id: RequestId) -> impl Iterator<Item = usize> {
        let entries = self.entries.iter().enumerate();
        entries
            .filter(move |(_, entry)| entry.request_id == request_id)
            .map(|(place, _)| place)
    }

    /// Where the record at a place is.
    ///
    /// # Errors
    /// If there's none.
    pub fn entry(&self, place: usize) -> Result<&Entry, PackError> {
        self.entries.get(place).ok_or(PackError::NoRecord(place))
    }

    /// The path that proves the record at a place.
    #[must_use]
    pub fn prove(&self, place: usize) -> Option<Proof> {
        self.tree.prove(place)
    }

    /// Reads the record at a place from the bytes at its range.
    ///
    /// # Errors
    /// If they aren't that record.
    pub fn check(&self, place: usize, bytes: &Bytes) -> Result<Record, PackError> {
        let entry = self.entry(place)?;
        let (record, leaf) = Record::from_bytes(bytes)?;
        if leaf != entry.leaf || record.request_id() != entry.request_id {
            return Err(PackError::WrongRecord(place));
        }
        Ok(record)
    }
}
