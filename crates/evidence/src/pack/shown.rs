//! What the ledger carries to an attester: its wrap, where the record lies, and what shows that it lay there when it was
//! shown. All but the wrap, which is for the attester alone, is for everyone to read. So it needs nothing of the node that
//! it looks at, which might answer some and not others.
//!
//! ```text
//! shown, 188 bytes
//!   0  112  wrap
//! 112   32  id of the pack's blob
//! 144    8  offset of the record in it
//! 152    4  its length
//! 156   32  digest of the transaction that certified the blob, or extended its time
//! ```

use super::{
    BodyKeys, Record, SaltedBody,
    error::PackError,
    record::{MAX_RECORD, MIN_RECORD},
    wrap::WRAP_BYTES,
};
use atoma_ledger::Digest;
use atoma_types::message::{CommitmentKind, EvidenceLeaf, Receipt, RequestHeader, Signed};
use atoma_walrus::{
    BlobId,
    client::{ClientError, WalrusClient},
    wire::Reader,
};
use bytes::Bytes;
use std::ops::Range;

/// Where a record lies on Walrus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The pack's blob.
    pub blob: BlobId,
    /// The record's bytes in it.
    pub range: Range<u64>,
}

/// What an attester is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The keys of the record's bodies, wrapped for the attester.
    pub wrap: Vec<u8>,
    /// Where the record lies.
    pub place: Place,
    /// The transaction that certified the pack, or extended its time.
    pub certified_by: Digest,
}

/// The bodies of a record, which are those that header and receipt commit to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownBodies {
    /// The request's body, with its salt.
    pub request: SaltedBody,
    /// The answer's body, with its salt.
    pub answer: SaltedBody,
}

// === impl Shown ===

impl Shown {
    /// As it stands on the ledger.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Range { start, end } = self.place.range;
        // a record is far below 4 GiB
        let length = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
        let (offset, length) = (start.to_le_bytes(), length.to_le_bytes());
        let parts: [&[u8]; 5] = [
            &self.wrap,
            &self.place.blob.0,
            &offset,
            &length,
            self.certified_by.inner(),
        ];
        parts.concat()
    }

    /// Reads what stands on the ledger.
    ///
    /// # Errors
    /// If the bytes name no place that a record can have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader::new(bytes);
        let wrap = reader.take(WRAP_BYTES)?.to_vec();
        let blob = BlobId(reader.array()?);
        let (start, length) = (reader.u64()?, reader.u32()?);
        let certified_by = Digest::new(reader.array()?);
        reader.end()?;
        let long = (MIN_RECORD..=MAX_RECORD).contains(&(length as usize));
        let end = start.checked_add(length.into()).filter(|_| long);
        let end = end.ok_or(PackError::Format("no record can lie there"))?;
        let place = Place {
            blob,
            range: start..end,
        };
        Ok(Self {
            wrap,
            place,
            certified_by,
        })
    }
}

// === impl Place ===

impl Place {
    /// The record of a leaf, if it lies here; `None` if something else does. An aggregator's word about a part of a blob
    /// proves nothing against a node: then the whole is read, whose id proves it.
    ///
    /// # Errors
    /// If Walrus can't be asked, doesn't give the blob, or lies.
    pub async fn fetch(
        &self,
        client: &WalrusClient,
        leaf: &EvidenceLeaf,
    ) -> Result<Option<Record>, ClientError> {
        let part = client.read_range_unchecked(self.blob, self.range.clone());
        match part.await {
            Ok(bytes) => {
                if let Some(record) = record_of(&bytes, leaf) {
                    return Ok(Some(record));
                }
            }
            Err(error) if error.is_transient() => return Err(error),
            Err(_) => {}
        }
        let blob = match client.read_certified(self.blob).await {
            Ok(blob) => blob,
            // no pack is so long
            Err(ClientError::TooLong { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let range = usize::try_from(self.range.start).ok()..usize::try_from(self.range.end).ok();
        let (Some(start), Some(end)) = (range.start, range.end) else {
            return Ok(None);
        };
        let within = end <= blob.len();
        Ok(within
            .then(|| blob.slice(start..end))
            .and_then(|bytes| record_of(&bytes, leaf)))
    }
}

/// The record in these bytes, if it is that of the leaf.
fn record_of(bytes: &Bytes, leaf: &EvidenceLeaf) -> Option<Record> {
    let (record, _) = Record::from_bytes(bytes).ok()?;
    let found = record.evidence_leaf().ok()??;
    (found == *leaf).then_some(record)
}

// === impl ShownBodies ===

impl ShownBodies {
    /// Opens a record's bodies with their keys.
    ///
    /// # Errors
    /// If one is missing, can't be opened, or isn't what was signed.
    pub fn open(
        record: &Record,
        keys: &BodyKeys,
        header: &Signed<RequestHeader>,
        receipt: &Signed<Receipt>,
    ) -> Result<Self, PackError> {
        let [request, answer] = keys.read(record)?;
        let missing = || PackError::Format("the record lacks a body");
        let bodies = Self {
            request: request.ok_or_else(missing)?,
            answer: answer.ok_or_else(missing)?,
        };
        if bodies.request.commitment(CommitmentKind::Request) != header.message().body_hash {
            return Err(PackError::Hash("request's body"));
        }
        let answered = receipt.message().response_hash;
        if bodies.answer.commitment(CommitmentKind::Answer) != answered {
            return Err(PackError::Hash("answer's body"));
        }
        Ok(bodies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_comes_back_and_a_place_for_no_record_is_refused() {
        let shown = Shown {
            wrap: vec![7; WRAP_BYTES],
            place: Place {
                blob: BlobId([3; 32]),
                range: 128..1_000,
            },
            certified_by: Digest::new([5; 32]),
        };
        let bytes = shown.to_bytes();
        assert_eq!(bytes.len(), 188);
        assert_eq!(Shown::from_bytes(&bytes).unwrap(), shown);
        for length in [0, MIN_RECORD as u32 - 1, u32::MAX] {
            let mut other = bytes.clone();
            other[152..156].copy_from_slice(&length.to_le_bytes());
            assert!(Shown::from_bytes(&other).is_err(), "{length}");
        }
        let mut beyond = bytes.clone();
        beyond[144..152].fill(0xff);
        assert!(Shown::from_bytes(&beyond).is_err());
        for length in [0, 112, 156, 187] {
            assert!(Shown::from_bytes(&bytes[..length]).is_err());
        }
    }
}
