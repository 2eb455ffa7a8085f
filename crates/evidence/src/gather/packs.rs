//! A pack, given or fetched, and the records in it.

use super::{
    exchange::{Exchange, receipt_of},
    sources::Sources,
};
use crate::check::{Gap, Item, Neighbour, PackBytes, PackPlace};
use crate::pack::{Pack, Record};
use atoma_types::{
    NodeId, RequestId, StackId,
    message::{Receipt, Signed},
};
use atoma_walrus::{
    BlobId,
    client::ClientError,
    coding::{Params, blob_id},
};
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc};

/// A pack that was read.
pub(super) struct Packed {
    pub(super) bytes: Arc<PackBytes>,
    pack: Pack,
    /// The receipts in it by lease and place. Several for one place are fraud.
    receipts: BTreeMap<(StackId, NodeId, u64), Vec<Signed<Receipt>>>,
    /// The number of each record's receipt, if it has one.
    seqs: Vec<Option<u64>>,
}

/// The pack that is given, or that of a blob.
pub(super) async fn pack(
    given: Option<&Bytes>,
    blob: Option<BlobId>,
    sources: &Sources,
) -> Item<Arc<Packed>> {
    let shards = sources.shards;
    let (bytes, id) = match (given, blob) {
        (Some(bytes), _) => (bytes.clone(), None),
        (None, Some(id)) => (fetch(id, sources).await?, Some(id)),
        (None, None) => return Err(Gap::absent("no pack is given")),
    };
    let read = move || {
        let id = match id {
            Some(id) => id,
            None => {
                let params = Params::new(usize::from(shards)).map_err(Gap::absent)?;
                blob_id(params, &bytes).map_err(Gap::absent)?
            }
        };
        Packed::read(bytes, id, shards).map(Arc::new)
    };
    let read = sources.threads.blocking(read).await;
    read.map_err(Gap::absent).flatten()
}

/// A blob's bytes; that they are its bytes, the client has made sure of.
async fn fetch(id: BlobId, sources: &Sources) -> Item<Bytes> {
    let client = sources.walrus.as_ref().map_err(|e| Gap::absent(&**e))?;
    client.read(id).await.map_err(|error| match error {
        ClientError::LyingAggregator { .. } => Gap::broken(error),
        error => Gap::absent(error),
    })
}

impl Packed {
    fn read(bytes: Bytes, id: BlobId, shards: u16) -> Item<Self> {
        let pack = Pack::from_bytes(bytes).map_err(Gap::broken)?;
        let (mut receipts, mut seqs) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for record in pack.records() {
            let record = record.map_err(Gap::broken)?;
            let receipt = receipt_of(&record).ok();
            seqs.push(receipt.as_ref().map(|receipt| receipt.message().seq));
            if let Some(receipt) = receipt {
                let r = receipt.message();
                let place = (r.stack, r.node, r.seq);
                receipts.entry(place).or_default().push(receipt);
            }
        }
        let catalog = pack.catalog().clone();
        Ok(Self {
            bytes: Arc::new(PackBytes {
                id,
                shards,
                catalog,
            }),
            pack,
            receipts,
            seqs,
        })
    }

    /// The places of the records that are meant.
    pub(super) fn select(&self, request: Option<RequestId>, seq: Option<u64>) -> Vec<usize> {
        let entries = self.bytes.catalog.entries().iter().zip(&self.seqs);
        let meant = entries.enumerate().filter(|(_, (entry, of))| {
            request.is_none_or(|id| id == entry.request_id)
                && seq.is_none_or(|seq| Some(seq) == **of)
        });
        meant.map(|(place, _)| place).collect()
    }

    /// A record with the messages in it.
    pub(super) fn at(&self, place: usize) -> (Exchange, Item<Bytes>, Item<PackPlace>) {
        let (bytes, found) = self.record(place);
        let record = bytes.as_ref().map_err(Clone::clone);
        let record = record.and_then(|bytes| Record::from_bytes(bytes).map_err(Gap::broken));
        let exchange = match record {
            Ok((record, _)) => Exchange {
                header: record.signed_request().map_err(Gap::broken),
                receipt: receipt_of(&record),
            },
            Err(gap) => Exchange {
                header: Err(gap.clone()),
                receipt: Err(gap),
            },
        };
        (exchange, bytes, found)
    }

    /// The record of a request: the one with this receipt, or the first of its lease that is filed under its id. Others may
    /// have used the same id.
    pub(super) fn find(&self, exchange: &Exchange) -> (Item<Bytes>, Item<PackPlace>) {
        let id = exchange.receipt.as_ref().map(|r| r.message().request_id);
        let id = id.or_else(|_| exchange.header.as_ref().map(|h| h.message().request_id));
        let Ok(id) = id else {
            let unknown = || Gap::absent("neither request nor receipt can be read");
            return (Err(unknown()), Err(unknown()));
        };
        let lease = exchange.lease();
        let mut first = None;
        let same = self.bytes.catalog.places_of(id).find(|place| {
            let Ok(record) = self.pack.record(*place) else {
                return false;
            };
            let header = record.signed_request();
            let of = header.map(|header| (header.message().stack, header.message().node));
            if of.is_ok_and(|of| lease == Some(of)) {
                first.get_or_insert(*place);
            }
            receipt_of(&record) == exchange.receipt
        });
        match same.or(first) {
            Some(place) => self.record(place),
            None => {
                let missing = "the pack has no record of the request";
                (Err(Gap::broken(missing)), Err(Gap::absent(missing)))
            }
        }
    }

    fn record(&self, place: usize) -> (Item<Bytes>, Item<PackPlace>) {
        let catalog = &self.bytes.catalog;
        let found = match (catalog.entry(place), catalog.prove(place)) {
            (Ok(entry), Some(path)) => Ok(PackPlace {
                root: catalog.root(),
                path,
                range: entry.range(),
            }),
            _ => Err(Gap::absent("the pack has no such record")),
        };
        (self.pack.record_bytes(place).map_err(Gap::broken), found)
    }

    /// Receipts of the same lease up to `span` places away.
    pub(super) fn around(&self, receipt: &Receipt, span: u64) -> Vec<Neighbour> {
        let at = |seq| (receipt.stack, receipt.node, seq);
        let first = receipt.seq.saturating_sub(span);
        let last = receipt.seq.saturating_add(span);
        let found = self.receipts.range(at(first)..=at(last));
        let neighbour = |receipt: &Signed<Receipt>| Neighbour {
            receipt: receipt.clone(),
            kept: false,
        };
        found.flat_map(|(_, all)| all).map(neighbour).collect()
    }
}
