//! What a settlement names: the packs that have the records of a ticket, and those before it that its last receipt binds
//! with them. With it the ledger leads to every record that is claimed, whoever has lost what. If they are all in one
//! pack, that pack is named itself.
//!
//! ```text
//! list, 128 + 32 * count bytes, integers little-endian
//!    0    8  "ATOMALST"
//!    8    2  version: 1
//!   10    2  zero
//!   12    4  count: packs, 1 to 32768
//!   16   32  network
//!   48   32  node
//!   80   32  stack
//!  112    8  from: the `seq` of the last receipt before them
//!  120    8  to: the `seq` of the ticket's last receipt
//!  128   32  for each pack its blob's id, in the order of the records
//! ```
//!
//! The blob's own id proves its bytes, and the ticket's last receipt proves the records that are found through it; so nobody
//! needs to believe a list.

use super::{Pack, PackError, header::MAGIC as PACK};
use atoma_types::{Address, BlobId, NetworkId, NodeId, StackId};
use atoma_walrus::wire::Reader;
use bytes::Bytes;

const MAGIC: &[u8; 8] = b"ATOMALST";
const VERSION: u16 = 1;
const HEAD: usize = 128;

/// What the packs of a ticket are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackList {
    /// Id of the ledger's network.
    pub network: NetworkId,
    /// Who wrote the packs.
    pub node: NodeId,
    /// Whose records are meant.
    pub stack: StackId,
    /// The receipts: those after the first `seq` up to the second.
    pub range: (u64, u64),
    /// The packs that have them, in the order of the records.
    pub packs: Vec<BlobId>,
}

/// What a settlement's blob is.
#[derive(Debug)]
pub enum Named {
    /// The one pack with all records.
    Pack(Box<Pack>),
    /// A list of packs.
    List(PackList),
}

impl Named {
    /// Reads the blob that a settlement names.
    ///
    /// # Errors
    /// If it is neither pack nor list.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, PackError> {
        if bytes.starts_with(PACK) {
            return Ok(Self::Pack(Box::new(Pack::from_bytes(bytes)?)));
        }
        Ok(Self::List(PackList::from_bytes(&bytes)?))
    }
}

impl PackList {
    /// The most packs that one names: a month of a pack a minute, in a megabyte.
    pub const MAX_PACKS: usize = 1 << 15;

    /// Encodes it in its own byte layout.
    ///
    /// # Errors
    /// If it names no pack, or too many.
    pub fn to_bytes(&self) -> Result<Bytes, PackError> {
        self.check()?;
        let mut out = Vec::with_capacity(HEAD + 32 * self.packs.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        // at most MAX_PACKS
        out.extend_from_slice(&(self.packs.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.network.0);
        out.extend_from_slice(self.node.0.as_bytes());
        out.extend_from_slice(self.stack.0.as_bytes());
        out.extend_from_slice(&self.range.0.to_le_bytes());
        out.extend_from_slice(&self.range.1.to_le_bytes());
        for BlobId(id) in &self.packs {
            out.extend_from_slice(id);
        }
        Ok(out.into())
    }

    /// Reads one.
    ///
    /// # Errors
    /// If the bytes aren't a list of version 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackError> {
        let mut reader = Reader::new(bytes);
        if reader.array()? != *MAGIC {
            return Err(PackError::Format("it doesn't begin like a list of packs"));
        }
        let version = reader.u16()?;
        if version != VERSION {
            return Err(PackError::Version(version));
        }
        if reader.array()? != [0; 2] {
            return Err(PackError::Format("unused bytes aren't zero"));
        }
        let count = reader.u32()? as usize;
        let mut list = Self {
            network: NetworkId(reader.array()?),
            node: NodeId(Address::new(reader.array()?)),
            stack: StackId(Address::new(reader.array()?)),
            range: (reader.u64()?, reader.u64()?),
            packs: Vec::new(),
        };
        let (ids, rest) = reader.rest().as_chunks::<32>();
        if ids.len() != count || !rest.is_empty() {
            return Err(PackError::Format("the list isn't of all packs"));
        }
        list.packs = ids.iter().map(|id| BlobId(*id)).collect();
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), PackError> {
        if self.packs.is_empty() || self.packs.len() > Self::MAX_PACKS {
            return Err(PackError::Format("no packs, or too many"));
        }
        if self.range.0 >= self.range.1 {
            return Err(PackError::Format("a list for no records"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NETWORK, NODE, Plan, STACK, Sample};
    use atoma_types::hash::Hash32;

    fn list() -> PackList {
        PackList {
            network: NETWORK,
            node: NODE,
            stack: STACK,
            range: (7, 300),
            packs: vec![BlobId([8; 32]), BlobId([9; 32])],
        }
    }

    #[test]
    fn its_bytes_are_as_the_head_says_and_give_it_back() {
        let bytes = list().to_bytes().unwrap();
        assert_eq!(bytes.len(), 128 + 2 * 32);
        let head = hex::encode(&bytes[..16]);
        assert_eq!(head, "41544f4d414c53540100000002000000");
        let digest = Hash32::of(&bytes).to_string();
        assert!(digest.starts_with(DIGEST), "{digest}");
        let Named::List(read) = Named::from_bytes(bytes).unwrap() else {
            panic!("it is no pack");
        };
        assert_eq!(read, list());
    }

    #[test]
    fn the_blob_of_a_ticket_in_one_pack_is_that_pack() {
        let pack = Sample::new(&Plan::default()).pack;
        let Named::Pack(read) = Named::from_bytes(pack).unwrap() else {
            panic!("it is a pack");
        };
        assert_eq!(read.catalog().entries().len(), 3);
    }

    #[test]
    fn every_other_length_and_every_other_head_is_refused() {
        let good = list().to_bytes().unwrap();
        for length in 0..good.len() {
            assert!(PackList::from_bytes(&good[..length]).is_err(), "{length}");
        }
        let longer = [&good[..], &[0]].concat();
        assert!(PackList::from_bytes(&longer).is_err());
        for place in 0..16 {
            let mut other = good.to_vec();
            other[place] ^= 1;
            assert!(PackList::from_bytes(&other).is_err(), "{place}");
        }
        for (range, packs) in [((7, 7), 1), ((7, 8), 0), ((7, 8), PackList::MAX_PACKS + 1)] {
            let bad = PackList {
                range,
                packs: vec![BlobId([8; 32]); packs],
                ..list()
            };
            assert!(bad.to_bytes().is_err(), "{range:?} {packs}");
        }
    }

    /// The beginning of the hash over the bytes of [`list`].
    const DIGEST: &str = "";
}
