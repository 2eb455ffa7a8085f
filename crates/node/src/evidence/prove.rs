//! `GET /v1/receipts/{id}/proof`: all that a node can show for a receipt.

use super::{build::path_of, error::EvidenceError, log::EvidenceLog, reader::Exchange};
use crate::journal::PackRow;
use atoma_evidence::pack::{
    Catalog, Pack, ReceiptProof, RemotePack, SettlementProof, StorageProof,
};
use atoma_types::{RequestId, merkle::MerkleTree};
use std::sync::Arc;

impl EvidenceLog {
    /// The proof of a request's receipt; `None` if there's no receipt.
    pub(crate) async fn prove(
        &self,
        request: RequestId,
    ) -> Result<Option<ReceiptProof>, EvidenceError> {
        let _place = self.caches.places.acquire().await;
        let found = self.reader.ask(move |log| log.by_request(request)).await?;
        let Some(exchange) = found else {
            return Ok(None);
        };
        let storage = self.storage_of(&exchange).await?;
        let settlement = self.settlement_of(&exchange).await?;
        Ok(Some(ReceiptProof {
            request_id: request,
            header: exchange.header,
            receipt: exchange.receipt,
            storage,
            settlement,
        }))
    }

    async fn storage_of(&self, exchange: &Exchange) -> Result<Option<StorageProof>, EvidenceError> {
        let id = exchange.id;
        let Some(pack) = self.reader.ask(move |log| log.pack_of(id)).await? else {
            return Ok(None);
        };
        let catalog = self.catalog(&pack).await?;
        let place = catalog.place_of_seq(id.cast_unsigned());
        Ok(place.and_then(|place| {
            StorageProof::new(&catalog, place, pack.blob, pack.object, pack.end_epoch)
        }))
    }

    /// A pack's directory: from its file, or once that is gone from Walrus.
    async fn catalog(&self, pack: &PackRow) -> Result<Arc<Catalog>, EvidenceError> {
        if let Some(catalog) = self.caches.catalogs.get(pack.first) {
            return Ok(catalog);
        }
        let path = path_of(&self.folder, pack.first);
        let opened = self
            .runtime
            .threads
            .blocking(move || Pack::open(&path))
            .await;
        let catalog = match opened.map_err(|_| EvidenceError::Stopped)? {
            Ok(file) if file.catalog().root() == pack.root => file.catalog().clone(),
            _ => {
                let remote = RemotePack::open(self.client.clone(), pack.blob, pack.root).await?;
                remote.catalog().clone()
            }
        };
        Ok(self.caches.catalogs.put(pack.first, catalog))
    }

    /// The place of a record in the tree that was settled.
    pub(super) async fn settlement_of(
        &self,
        exchange: &Exchange,
    ) -> Result<Option<SettlementProof>, EvidenceError> {
        let receipt = exchange.receipt.message();
        let (stack, seq) = (receipt.stack, receipt.seq);
        let tree = match self.caches.trees.get(stack) {
            Some(tree) => tree,
            None => {
                let leaves = self.reader.ask(move |log| {
                    if log.is_settled(stack)? {
                        log.leaves(stack).map(Some)
                    } else {
                        Ok(None)
                    }
                });
                match leaves.await? {
                    Some(leaves) => self
                        .caches
                        .trees
                        .put(stack, MerkleTree::from_leaves(leaves)),
                    None => return Ok(None),
                }
            }
        };
        Ok(SettlementProof::new(&tree, seq))
    }
}
