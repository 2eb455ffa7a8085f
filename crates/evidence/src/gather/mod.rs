//! Gathering: from what is given, and from ledger, Walrus, node and this machine as far as they can
//! be reached. Nothing is believed here but the ledger; what isn't had becomes a [`Gap`].

mod bodies;
mod exchange;
mod given;
mod ledger;
mod packs;
mod sources;

use crate::{
    check::{Gap, Gathered, Item, Neighbour, PackPlace, Second, Settlement, need},
    pack::{ReceiptProof, Record, SaltedBody, StorageProof},
};
use atoma_runtime::WithCauses;
use atoma_types::{
    NodeId, RequestId, StackId,
    chain::{Node, Stack, Task},
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::BlobId;
use bodies::Bodies;
use bytes::Bytes;
use exchange::Exchange;
use ledger::Reader;
use packs::Packed;
use std::sync::Arc;

pub use given::Given;
pub use sources::{KeptExchange, KeptReceipts, NodeProofs, SourceError, Sources};

/// Receipts so many places away are looked at: one says as much as a thousand, and gaps are common.
const SPAN: u64 = 64;

/// Why there is nothing to check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// Neither request, receipt, proof, pack nor blob.
    #[error("nothing is named to verify")]
    Nothing,
    /// The request is known by its id alone.
    #[error(
        "no receipt of request {0} is kept on this machine: give a proof, a pack or a blob too"
    )]
    UnknownRequest(RequestId),
    /// The pack is all there is, and can't be had.
    #[error("the pack can't be had: {0}")]
    NoPack(String),
    /// The pack has no such record.
    #[error("the pack has no such record")]
    NoRecord,
}

/// What one request's evidence is put together from.
struct Parts {
    exchange: Exchange,
    record: Item<Bytes>,
    place: Item<PackPlace>,
    pack: Item<Arc<Packed>>,
    blob_id: Item<BlobId>,
    proof: Item<ReceiptProof>,
}

struct Gatherer<'a> {
    given: &'a Given,
    sources: &'a Sources,
    reader: Reader<'a>,
}

/// Gathers what there is: about one request if one is named, else about every record of the pack.
///
/// # Errors
/// If nothing is named, or nothing is found of it.
pub async fn gather(given: &Given, sources: &Sources) -> Result<Vec<Gathered>, GatherError> {
    let mut gatherer = Gatherer {
        given,
        sources,
        reader: Reader::new(&sources.ledger),
    };
    match gatherer.named()? {
        Some(exchange) => {
            let second = gatherer.second(&exchange).await;
            let one = gatherer.one(exchange, None).await;
            Ok(vec![Gathered { second, ..one }])
        }
        None => gatherer.of_pack().await,
    }
}

impl Gatherer<'_> {
    /// The one request that is meant; `None` if it is a pack.
    fn named(&self) -> Result<Option<Exchange>, GatherError> {
        let given = self.given;
        let proof = given.proof.as_ref();
        let mut receipt = given.receipt.clone();
        let mut header = given.header.clone();
        let id = receipt.as_ref().map(|r| r.message().request_id);
        let id = id.or(header.as_ref().map(|h| h.message().request_id));
        let id = id.or(proof.map(|proof| proof.request_id)).or(given.request);
        if let (Some(id), Ok(receipts)) = (id, &self.sources.receipts)
            && let Some(kept) = receipts.of_request(id)
        {
            receipt = receipt.or(kept.receipt);
            header = header.or(kept.header);
        }
        // a proof's own messages count where there are no others
        let receipt = receipt.or_else(|| proof.map(|proof| proof.receipt.clone()));
        let header = header.or_else(|| proof.map(|proof| proof.header.clone()));
        if receipt.is_none() && header.is_none() {
            return match (given.request, given.pack.is_some() || given.blob.is_some()) {
                (_, true) => Ok(None),
                (Some(id), false) => Err(GatherError::UnknownRequest(id)),
                (None, false) => Err(GatherError::Nothing),
            };
        }
        Ok(Some(Exchange {
            header: header.ok_or_else(|| Gap::absent("the signed request is not at hand")),
            receipt: receipt.ok_or_else(|| Gap::absent("the receipt is not at hand")),
        }))
    }

    /// The record of the node that computed the answer, where this machine was given or has kept one.
    async fn second(&mut self, exchange: &Exchange) -> Option<Second> {
        let kept = || {
            let receipt = exchange.receipt.as_ref().ok()?;
            let kept = self.sources.receipts.as_ref().ok()?;
            let kept = kept.of_request(receipt.message().request_id)?;
            kept.second
                .filter(|_| kept.receipt.as_ref() == Some(receipt))
        };
        let record = self.given.second.clone().or_else(kept)?;
        let stack = self.reader.stack(record.stack()).await;
        Some(Second { record, stack })
    }

    /// Every record of the pack that is meant.
    async fn of_pack(&mut self) -> Result<Vec<Gathered>, GatherError> {
        let packed = self.pack(self.given.blob).await.map_err(|gap| match gap {
            Gap::Absent(reason) | Gap::Broken(reason) => GatherError::NoPack(reason),
        })?;
        let places = packed.select(self.given.request, self.given.seq);
        match places[..] {
            [] => Err(GatherError::NoRecord),
            // of a single one everything is asked
            [place] => {
                let (exchange, record, found) = packed.at(place);
                let found = (record, found, packed);
                Ok(vec![self.one(exchange, Some(found)).await])
            }
            _ => {
                let mut all = Vec::with_capacity(places.len());
                for place in places {
                    let (exchange, record, found) = packed.at(place);
                    let parts = Parts {
                        exchange,
                        record,
                        place: found,
                        pack: Ok(Arc::clone(&packed)),
                        blob_id: self.named_blob(None),
                        proof: Err(Gap::absent("only asked for a single request")),
                    };
                    all.push(self.put_together(parts).await);
                }
                Ok(all)
            }
        }
    }

    /// One request, and its record if that was found already.
    async fn one(
        &mut self,
        mut exchange: Exchange,
        found: Option<(Item<Bytes>, Item<PackPlace>, Arc<Packed>)>,
    ) -> Gathered {
        let proof = match self.given.proof.clone() {
            Some(proof) => Ok(proof),
            None => self.ask_node(&exchange).await,
        };
        if let (Ok(proof), Err(Gap::Absent(_))) = (&proof, &exchange.header)
            && exchange.receipt.as_ref() == Ok(&proof.receipt)
        {
            exchange.header = Ok(proof.header.clone());
        }
        let blob_id = self.named_blob(proof.as_ref().ok());
        let (record, place, pack) = match found {
            Some((record, place, pack)) => (record, place, Ok(pack)),
            None => {
                let pack = match (&blob_id, &proof) {
                    (Ok(id), _) => self.pack(Some(*id)).await,
                    (Err(_), _) if self.given.pack.is_some() => self.pack(None).await,
                    (Err(gap), _) => Err(gap.clone()),
                };
                let (record, place) = match &pack {
                    Ok(pack) => pack.find(&exchange),
                    Err(Gap::Absent(reason) | Gap::Broken(reason)) => {
                        // the pack's fault is told once, with its blob
                        (
                            Err(Gap::Absent(reason.clone())),
                            Err(Gap::Absent(reason.clone())),
                        )
                    }
                };
                (record, place, pack)
            }
        };
        if let Ok(record) = &record {
            exchange.fill(record);
        }
        let parts = Parts {
            exchange,
            record,
            place,
            pack,
            blob_id,
            proof,
        };
        self.put_together(parts).await
    }

    async fn pack(&self, blob: Option<BlobId>) -> Item<Arc<Packed>> {
        packs::pack(self.given.pack.as_ref(), blob, self.sources).await
    }

    /// Where the pack is said to be stored.
    fn named_blob(&self, proof: Option<&ReceiptProof>) -> Item<BlobId> {
        let storage = proof.and_then(|proof| proof.storage.as_ref());
        let named = self.given.blob.or(storage.map(|storage| storage.blob_id));
        named.ok_or_else(|| {
            Gap::absent(match proof {
                Some(_) => "the record is not stored on Walrus yet",
                None => "nothing tells where the record is stored",
            })
        })
    }

    /// The proof of the node that served, which must be about this very receipt.
    async fn ask_node(&mut self, exchange: &Exchange) -> Item<ReceiptProof> {
        let receipt = exchange.receipt.as_ref().map_err(Clone::clone)?;
        let nodes = self.sources.nodes.as_ref().map_err(|e| Gap::absent(&**e))?;
        let message = receipt.message();
        let node = self.reader.node(message.node).await?;
        let of = (message.stack, message.request_id);
        let proof = nodes.proof(&node, of).await;
        proof.map_err(|error| {
            Gap::absent(format!("the node shows no proof: {}", WithCauses(&*error)))
        })
    }

    async fn put_together(&mut self, parts: Parts) -> Gathered {
        let Parts {
            exchange,
            record,
            place,
            pack,
            blob_id,
            proof,
        } = parts;
        let lease = exchange.lease();
        let seq = exchange.receipt.as_ref().ok().map(|r| r.message().seq);
        let Exchange { header, receipt } = exchange;
        let mut neighbours = self.kept_around(receipt.as_ref().ok());
        if let (Ok(receipt), Ok(pack)) = (&receipt, &pack) {
            neighbours.extend(pack.around(receipt.message(), SPAN));
        }
        let proof = of_this_receipt(proof, &receipt, &mut neighbours);
        let storage = proof.as_ref().ok().and_then(|proof| proof.storage.as_ref());
        // the word of a proof about the record's place is checked too
        let place = match storage {
            Some(storage) if record.is_ok() => Ok(place_in(storage)),
            _ => place,
        };
        let object = self
            .given
            .object
            .or(storage.and_then(|storage| storage.object));
        let certified = match object {
            Some(id) => self.reader.certified(id).await,
            None => Err(Gap::absent("nothing names the blob's object (--object)")),
        };
        let path = proof.and_then(|proof| {
            let settlement = proof.settlement;
            let path = settlement.map(|settlement| settlement.path);
            path.ok_or_else(|| Gap::absent("the node shows no path to a settlement yet"))
        });
        let (stack, node, task, settlement) = self.of_lease(lease, seq).await;
        let (request_body, answer_body) = self.bodies(&header, &receipt, &record);
        Gathered {
            network: self.reader.network(),
            stack,
            node,
            task,
            header,
            receipt,
            request_body,
            answer_body,
            neighbours,
            record,
            place,
            pack: pack.map(|pack| Arc::clone(&pack.bytes)),
            blob_id,
            certified,
            settlement,
            path,
            second: None,
            recomputed: None,
        }
    }

    /// What the ledger has of a lease and of those whose it is.
    async fn of_lease(
        &mut self,
        lease: Option<(StackId, NodeId)>,
        seq: Option<u64>,
    ) -> (Item<Stack>, Item<Node>, Item<Task>, Item<Settlement>) {
        match lease {
            Some((stack, node)) => {
                let stack = self.reader.stack(stack).await;
                // that there is no stack is told once, with the request
                let task = match need(&stack) {
                    Ok(stack) => self.reader.task(stack.task).await,
                    Err(gap) => Err(gap),
                };
                let settlement = match (need(&stack), seq) {
                    (Ok(stack), Some(seq)) => self.reader.settlement(stack, node, seq).await,
                    (Ok(_), None) => Err(Gap::absent("there is no receipt")),
                    (Err(gap), _) => Err(gap),
                };
                (stack, self.reader.node(node).await, task, settlement)
            }
            None => {
                let unknown = || Gap::absent("neither request nor receipt can be read");
                (
                    Err(unknown()),
                    Err(unknown()),
                    Err(unknown()),
                    Err(unknown()),
                )
            }
        }
    }

    fn bodies(
        &self,
        header: &Item<Signed<RequestHeader>>,
        receipt: &Item<Signed<Receipt>>,
        record: &Item<Bytes>,
    ) -> (Item<SaltedBody>, Item<SaltedBody>) {
        let record = need(record).and_then(|bytes| {
            let (record, _) = Record::from_bytes(bytes).map_err(Gap::absent)?;
            Ok(record)
        });
        let bodies = Bodies {
            given: self.given,
            sources: self.sources,
            header,
            receipt,
            record: &record,
        };
        (bodies.request(), bodies.answer())
    }

    fn kept_around(&self, receipt: Option<&Signed<Receipt>>) -> Vec<Neighbour> {
        let (Some(receipt), Ok(receipts)) = (receipt, &self.sources.receipts) else {
            return Vec::new();
        };
        let around = receipts.around(receipt.message(), SPAN);
        let kept = |receipt| Neighbour {
            receipt,
            kept: true,
        };
        around.into_iter().map(kept).collect()
    }
}

#[cfg(test)]
mod gather_test;

/// A proof about another receipt proves nothing about this one, and much about its node.
fn of_this_receipt(
    proof: Item<ReceiptProof>,
    receipt: &Item<Signed<Receipt>>,
    neighbours: &mut Vec<Neighbour>,
) -> Item<ReceiptProof> {
    match (proof, receipt) {
        (Ok(proof), Ok(receipt)) if proof.receipt != *receipt => {
            neighbours.push(Neighbour {
                receipt: proof.receipt,
                kept: false,
            });
            Err(Gap::absent("the node's proof is of another receipt"))
        }
        (proof, _) => proof,
    }
}

/// Where a proof says that the record stands.
fn place_in(storage: &StorageProof) -> PackPlace {
    PackPlace {
        root: storage.root,
        path: storage.path.clone(),
        range: storage.offset..storage.offset.saturating_add(u64::from(storage.length)),
    }
}
