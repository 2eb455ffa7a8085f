//! `GET /v1/receipts/{id}/proof?stack={stack}`: all that a node can show for a receipt.

use super::{build::path_of, error::EvidenceError, log::EvidenceLog, reader::Exchange};
use crate::journal::PackRow;
use atoma_evidence::pack::{
    Catalog, Pack, PackError, ReceiptProof, Record, RemotePack, SettlementProof, StorageProof,
};
use atoma_types::{RequestId, StackId};
use std::{ops::Range, sync::Arc};

impl EvidenceLog {
    /// The proof of the receipt of a stack's request; `None` if there's no receipt.
    pub(crate) async fn prove(
        &self,
        stack: StackId,
        request: RequestId,
    ) -> Result<Option<ReceiptProof>, EvidenceError> {
        let _place = self.caches.places.acquire().await;
        let found = self
            .reader
            .ask(move |log| log.by_request(stack, request))
            .await?;
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

    /// A record as its pack has it, and its bytes' place there: from the pack's file, or once that is gone from Walrus.
    pub(super) async fn record_of(
        &self,
        exchange: &Exchange,
        pack: &PackRow,
    ) -> Result<(Record, Range<u64>), EvidenceError> {
        let path = path_of(&self.folder, pack.first);
        let number = exchange.id.cast_unsigned();
        let missing = || PackError::Format("the pack lacks a record of its own");
        let opened = self
            .runtime
            .threads
            .blocking(move || Pack::open(&path))
            .await;
        match opened.map_err(|_| EvidenceError::Stopped)? {
            Ok(file) if file.catalog().root() == pack.root => {
                let place = file.catalog().place_of_seq(number).ok_or_else(missing)?;
                Ok((file.record(place)?, file.catalog().entry(place)?.range()))
            }
            _ => {
                let remote = RemotePack::open(self.client.clone(), pack.blob, pack.root).await?;
                let place = remote.catalog().place_of_seq(number).ok_or_else(missing)?;
                let range = remote.catalog().entry(place)?.range();
                Ok((remote.record(place).await?, range))
            }
        }
    }

    /// How the last receipt of the ticket that claims a record binds it.
    pub(super) async fn settlement_of(
        &self,
        exchange: &Exchange,
    ) -> Result<Option<SettlementProof>, EvidenceError> {
        let receipt = exchange.receipt.message();
        let (stack, seq) = (receipt.stack, receipt.seq);
        let ticket = self
            .reader
            .ask(move |log| log.ticket_of(stack, seq))
            .await?;
        let Some((_, to_seq)) = ticket else {
            return Ok(None);
        };
        let tree = match self.caches.trees.get((stack, to_seq)) {
            Some(tree) => tree,
            None => {
                let tree = self.reader.ask(move |log| log.tree(stack, to_seq));
                let Some(tree) = tree.await? else {
                    return Ok(None);
                };
                self.caches.trees.put((stack, to_seq), tree)
            }
        };
        Ok(SettlementProof::new(&tree, seq))
    }
}
