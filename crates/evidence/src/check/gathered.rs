//! What there is about one request, and for what there isn't, why not.

use crate::{
    pack::{Catalog, SaltedBody},
    second::SecondRecord,
};
use atoma_runtime::WithCauses;
use atoma_types::{
    ComputeUnits, NetworkId, PublicKey,
    chain::{Node, Stack, Task},
    hash::Hash32,
    history::LastReceipt,
    merkle::Proof,
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::BlobId;
use bytes::Bytes;
use std::{error::Error, fmt, ops::Range, sync::Arc};

/// Why something isn't at hand, in words for the report: a finding, not an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It couldn't be had: what needs it is skipped.
    Absent(String),
    /// It is there and isn't what it should be: the check that it belongs to fails.
    Broken(String),
}

impl Gap {
    /// Of an error it says all causes: the report that it stands in is where they are read.
    pub(crate) fn absent<'a>(reason: impl Into<Box<dyn Error + 'a>>) -> Self {
        Self::Absent(WithCauses(&*reason.into()).to_string())
    }

    /// The same of something that is there and is wrong.
    pub(crate) fn broken<'a>(reason: impl Into<Box<dyn Error + 'a>>) -> Self {
        Self::Broken(WithCauses(&*reason.into()).to_string())
    }
}

/// A thing, or the gap where it should be.
pub type Item<T> = Result<T, Gap>;

/// For the check that the thing belongs to: a broken one fails it.
pub(super) fn own<T>(item: &Item<T>) -> Item<&T> {
    item.as_ref().map_err(Clone::clone)
}

/// For a check that only needs the thing: a broken one has failed another already.
///
/// # Errors
/// If there is a gap: then it is absent here, whatever it is to the check that it belongs to.
pub fn need<T>(item: &Item<T>) -> Item<&T> {
    item.as_ref().map_err(|gap| match gap {
        Gap::Absent(reason) | Gap::Broken(reason) => Gap::Absent(reason.clone()),
    })
}

/// A condition of a check.
pub(super) fn hold(holds: bool, reason: impl FnOnce() -> String) -> Item<()> {
    if holds {
        Ok(())
    } else {
        Err(Gap::Broken(reason()))
    }
}

/// Another receipt of the same lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The receipt, as the node signed it.
    pub receipt: Signed<Receipt>,
    /// This machine kept it, having checked it when it came.
    pub kept: bool,
}

/// Where a record is said to stand in a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackPlace {
    /// Root of the Merkle tree over the pack's records.
    pub root: Hash32,
    /// The way from the record to it.
    pub path: Proof,
    /// Its bytes in the pack.
    pub range: Range<u64>,
}

/// All the bytes of a pack, as what is known from them.
#[derive(Clone, Debug)]
pub struct PackBytes {
    /// Their blob id, computed on this machine.
    pub id: BlobId,
    /// For so many shards.
    pub shards: u16,
    /// The pack's header and the place of each record in it.
    pub catalog: Catalog,
}

/// What the ledger says of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedObject {
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// Its length in bytes.
    pub size: u64,
    /// The epoch of Walrus in which it was certified; `None` if it is registered only.
    pub certified_epoch: Option<u32>,
    /// The epoch in which its storage is over.
    pub end_epoch: u32,
    /// Its owner may delete it.
    pub deletable: bool,
    /// The epoch of Walrus that the ledger knows.
    pub now: u64,
}

/// What a node has settled for a lease, as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The number of the last record before.
    pub from_seq: u64,
    /// Its last receipt, which binds the others.
    pub last: LastReceipt,
    /// Units of the lease that would then be paid, earlier ones counted in.
    pub units: ComputeUnits,
}

/// A second record, and what the ledger says of the stack that paid for it.
#[derive(Clone, Debug)]
pub struct Second {
    /// The record, as the first node gave it.
    pub record: SecondRecord,
    /// The stack that it names, from the ledger.
    pub stack: Item<Stack>,
}

/// Everything about one request.
#[derive(Clone)]
pub struct Gathered {
    /// The network id of the ledger that it is for.
    pub network: Item<NetworkId>,
    /// The stack that the request names, from the ledger.
    pub stack: Item<Stack>,
    /// The node that the request names, from the ledger.
    pub node: Item<Node>,
    /// The stack's task, from the ledger.
    pub task: Item<Task>,
    /// The request header, as the user signed it.
    pub header: Item<Signed<RequestHeader>>,
    /// The receipt, as the node signed it.
    pub receipt: Item<Signed<Receipt>>,
    /// The request's plain body, with its salt.
    pub request_body: Item<SaltedBody>,
    /// The answer's plain body, with its salt.
    pub answer_body: Item<SaltedBody>,
    /// Receipts around this one.
    pub neighbours: Vec<Neighbour>,
    /// The record's bytes, as they stand in a pack.
    pub record: Item<Bytes>,
    /// Where the record stands in its pack.
    pub place: Item<PackPlace>,
    /// All bytes of the pack, with the blob id that follows from them.
    pub pack: Item<Arc<PackBytes>>,
    /// The id under which it is said to be stored.
    pub blob_id: Item<BlobId>,
    /// Its object on the ledger.
    pub certified: Item<CertifiedObject>,
    /// What the node settled.
    pub settlement: Item<Settlement>,
    /// The way from the receipt to the settlement's last one.
    pub path: Item<Proof>,
    /// The record of the node that computed the answer, where the request was passed on.
    pub second: Option<Second>,
    /// What was found by computing the answer again, in words; none where nobody asked for that.
    pub recomputed: Option<Item<String>>,
}

impl Gathered {
    /// What signs the receipts of the lease: the node's key of when it began, whatever its key is now. None where the
    /// node isn't known.
    #[must_use]
    pub fn receipt_key(&self) -> Option<PublicKey> {
        let node = self.node.as_ref().ok()?;
        let stack = self.stack.as_ref().ok();
        let lease = stack.and_then(|stack| stack.lease(node.id));
        Some(lease.map_or(node.response_key, |lease| lease.key))
    }
}

impl fmt::Debug for Gathered {
    /// Without the bodies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receipt = self.receipt.as_ref().map(|r| r.message().request_id);
        let header = self.header.as_ref().map(|h| h.message().request_id);
        f.debug_struct("Gathered")
            .field("request", &receipt.or(header))
            .field("blob_id", &self.blob_id)
            .finish_non_exhaustive()
    }
}
