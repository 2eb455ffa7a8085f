//! Whose pack it is, and where in its node's log.

use super::{MAX_RECORDS, error::PackError};
use atoma_types::{Address, NetworkId, NodeId, TimestampMs, hash::Hash32};
use atoma_walrus::wire::Reader;
use std::ops::Range;

/// How many bytes it has.
pub(super) const HEADER_BYTES: usize = 128;
/// Its bytes before the hash over them.
const HASHED_BYTES: usize = 96;
pub(super) const MAGIC: &[u8; 8] = b"ATOMAPCK";
const VERSION: u16 = 1;

/// What is known of a pack when it is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Id of the ledger's network that the receipts are for.
    pub network: NetworkId,
    /// The node that wrote the pack.
    pub node: NodeId,
    /// The number of the first record in the node's log. Far below `u64::MAX`.
    pub first_seq: u64,
    /// When it was begun, which is when its first record came.
    pub created: TimestampMs,
}

impl Header {
    /// Where it is in a pack.
    pub const RANGE: Range<u64> = 0..HEADER_BYTES as u64;

    /// Encodes it in its own byte layout.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[16..48].copy_from_slice(&self.network.0);
        out[48..80].copy_from_slice(self.node.0.as_bytes());
        out[80..88].copy_from_slice(&self.first_seq.to_le_bytes());
        out[88..96].copy_from_slice(&self.created.0.to_le_bytes());
        let hash = Hash32::of(&out[..HASHED_BYTES]);
        out[HASHED_BYTES..].copy_from_slice(&hash.0);
        out
    }

    /// Reads one.
    ///
    /// # Errors
    /// If the bytes aren't a header of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader::new(bytes);
        if reader.array()? != *MAGIC {
            return Err(PackError::Format("it doesn't begin like one"));
        }
        let version = reader.u16()?;
        if version != VERSION {
            return Err(PackError::Version(version));
        }
        if reader.array()? != [0; 6] {
            return Err(PackError::Format("unused bytes aren't zero"));
        }
        let header = Self {
            network: NetworkId(reader.array()?),
            node: NodeId(Address::new(reader.array()?)),
            first_seq: reader.u64()?,
            created: TimestampMs(reader.u64()?),
        };
        let hash = reader.array()?;
        reader.end()?;
        if Hash32::of(&bytes[..HASHED_BYTES]).0 != hash {
            return Err(PackError::Hash("header"));
        }
        header.check()?;
        Ok(header)
    }

    /// Numbers of records mustn't overflow.
    pub(super) fn check(&self) -> Result<(), PackError> {
        let last = self.first_seq.checked_add(MAX_RECORDS as u64);
        last.map(|_| ())
            .ok_or(PackError::Format("the records' numbers overflow"))
    }
}
