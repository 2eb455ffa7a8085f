//! What a blob id commits to.

use super::{
    axis::Axis,
    error::CodingError,
    hash::{Forest, LEAF, hash_each},
    id,
    node::Node,
    params::{MAX_SHARDS, Params},
    sliver::Sliver,
};
use crate::wire::{Reader, WireError, put_length};
use atoma_types::{BlobId, chain::WALRUS_ENCODING_RS2};

/// The only version of the metadata's format.
const VERSION: u8 = 0;
/// Tag of a node that is a digest.
pub(crate) const DIGEST_NODE: u8 = 1;

/// The hashes of a pair of slivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairHashes {
    /// Merkle root of the primary sliver, row `i`.
    pub primary: Node,
    /// Merkle root of the secondary sliver, column `n-1-i`.
    pub secondary: Node,
}

/// A blob's size and the hashes of all its slivers, with the root and the id that follow from them.
///
/// BCS: `id | 0 | 1 | size u64 le | uleb(n) | n * (1 primary hash | 1 secondary hash)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobMetadata {
    params: Params,
    size: u64,
    hashes: Vec<PairHashes>,
    root: Node,
    id: BlobId,
}

impl BlobMetadata {
    /// The metadata of a blob of `size` bytes with these hashes.
    ///
    /// # Errors
    /// If the blob is too large or the number of hashes isn't the number of shards.
    pub fn new(params: Params, size: u64, hashes: Vec<PairHashes>) -> Result<Self, CodingError> {
        params.symbol_size(size)?;
        if hashes.len() != params.n() {
            return Err(WireError::Inconsistent.into());
        }
        let leaves: Vec<[u8; 65]> = hashes
            .iter()
            .map(|pair| {
                let mut message = [LEAF; 65];
                message[1..33].copy_from_slice(&pair.primary);
                message[33..].copy_from_slice(&pair.secondary);
                message
            })
            .collect();
        let mut tree = Forest::new(1, leaves.len());
        let inputs = leaves.iter().map(<[u8; 65]>::as_slice).enumerate();
        hash_each(inputs, |pair, hash| tree.set(0, pair, hash));
        let root = tree.roots()[0];
        Ok(Self {
            params,
            size,
            hashes,
            root,
            id: id::derive(&root, size),
        })
    }

    /// How many shards the blob is coded for.
    #[must_use]
    pub fn params(&self) -> Params {
        self.params
    }

    /// The blob's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes, by pair.
    #[must_use]
    pub fn hashes(&self) -> &[PairHashes] {
        &self.hashes
    }

    /// The Merkle root over all pairs; Move's `u256` reads it little-endian.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The blob's id, which is a hash of this metadata.
    #[must_use]
    pub fn blob_id(&self) -> BlobId {
        self.id
    }

    /// The hash that a sliver must have; `None` out of range.
    #[must_use]
    pub fn hash_of(&self, axis: Axis, index: u16) -> Option<&Node> {
        match axis {
            Axis::Primary => Some(&self.hashes.get(usize::from(index))?.primary),
            Axis::Secondary => {
                let pair = self.hashes.len().checked_sub(1 + usize::from(index))?;
                Some(&self.hashes.get(pair)?.secondary)
            }
        }
    }

    /// Whether a sliver is the blob's. Costs extending it to `n` symbols and hashing them.
    ///
    /// # Errors
    /// If its shape or its hash is another.
    pub fn verify_sliver(&self, sliver: &Sliver) -> Result<(), CodingError> {
        let hash = sliver.hash(self.params, self.size)?;
        if self.hash_of(sliver.axis, sliver.index) == Some(&hash) {
            return Ok(());
        }
        Err(CodingError::Hash {
            axis: sliver.axis,
            index: sliver.index,
        })
    }

    /// Its bytes in BCS, the blob id first (`BlobMetadataWithId`).
    #[must_use]
    pub fn to_bcs(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(44 + self.hashes.len() * 66);
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&[VERSION, WALRUS_ENCODING_RS2]);
        bytes.extend_from_slice(&self.size.to_le_bytes());
        put_length(&mut bytes, self.hashes.len());
        for pair in &self.hashes {
            bytes.push(DIGEST_NODE);
            bytes.extend_from_slice(&pair.primary);
            bytes.push(DIGEST_NODE);
            bytes.extend_from_slice(&pair.secondary);
        }
        bytes
    }

    /// Reads metadata and recomputes its id: what it says is then as true as the id is.
    ///
    /// # Errors
    /// If the bytes can't be read or don't give the id in front of them.
    pub fn from_bcs(bytes: &[u8]) -> Result<Self, CodingError> {
        let mut reader = Reader::new(bytes);
        let id = BlobId(reader.array()?);
        reader.tag(VERSION)?;
        reader.tag(WALRUS_ENCODING_RS2)?;
        let size = reader.u64()?;
        let shards = reader.length(usize::from(MAX_SHARDS))?;
        let params = Params::new(shards)?;
        let mut hashes = Vec::with_capacity(shards);
        for _ in 0..shards {
            reader.tag(DIGEST_NODE)?;
            let primary = reader.array()?;
            reader.tag(DIGEST_NODE)?;
            let secondary = reader.array()?;
            hashes.push(PairHashes { primary, secondary });
        }
        reader.end()?;
        let metadata = Self::new(params, size, hashes)?;
        (metadata.id == id)
            .then_some(metadata)
            .ok_or(CodingError::WrongId)
    }
}
