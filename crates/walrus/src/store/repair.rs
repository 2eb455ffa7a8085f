//! Repair: nodes get back what they have lost.

use super::{
    Store,
    error::{NodeError, StoreError},
    node::Node,
    read::{Call, Check},
    report::Problem,
    write::problem,
};
use crate::{
    BlobId,
    coding::{Axis, BlobMetadata, RecoverySymbol, Sliver, SliverPair, encode, recover_sliver},
};
use atoma_runtime::WithCauses;
use futures::FutureExt;
use std::{collections::BTreeSet, sync::Arc};

/// What a round of repair did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// How many blobs were looked at.
    pub blobs: usize,
    /// Nodes that had lost a blob's slivers and have them again.
    pub repaired: usize,
    /// Nodes that have lost a blob's slivers and couldn't be given them.
    pub failed: usize,
}

impl Store {
    /// Looks at every node's slivers of every certified blob, and gives those that lost any theirs
    /// back: from single symbols of others' slivers, or, where too few nodes are well for that,
    /// from the blob.
    ///
    /// # Errors
    /// If the registry fails. What can't be repaired is counted.
    pub async fn repair(&self) -> Result<Repaired, StoreError> {
        let live = self.0.registry.live().await?;
        let certified = live
            .iter()
            .filter(|object| object.certified_epoch.is_some());
        let blobs: BTreeSet<BlobId> = certified.map(|object| object.blob_id).collect();
        let mut done = Repaired::default();
        for id in blobs {
            done.blobs += 1;
            let _alone = self.exclusive(id).await;
            // deleted meanwhile?
            if self.stat(id).await.is_err() {
                continue;
            }
            match self.repair_blob(id).await {
                Ok((repaired, failed)) => {
                    done.repaired += repaired;
                    done.failed += failed;
                }
                Err(error) => {
                    tracing::warn!(blob = %id, error = %WithCauses(&error), "cannot repair");
                    done.failed += 1;
                }
            }
        }
        Ok(done)
    }

    async fn repair_blob(&self, id: BlobId) -> Result<(usize, usize), StoreError> {
        let metadata = self.metadata(id).await?;
        let (mut repaired, mut failed) = (0, 0);
        for node in &self.0.nodes {
            let pairs: Vec<u16> = (0..self.params().shards())
                .filter(|pair| self.node_of_pair(id, *pair).number() == node.number())
                .collect();
            match self.is_whole(node, &metadata, &pairs).await {
                Ok(true) => continue,
                Ok(false) => self.report(node.number(), id, Problem::Missing),
                // a node that doesn't answer may have everything
                Err(_) => continue,
            }
            let rebuilt = self.rebuild(node, &metadata, &pairs).await?;
            let options = self.0.options.clone();
            let kept = metadata.clone();
            let store = move |node: &Node| node.store(&options, &kept, &rebuilt);
            let stored = node.clone().ask(store).await;
            if stored.is_ok() && matches!(self.is_whole(node, &metadata, &pairs).await, Ok(true)) {
                repaired += 1;
            } else {
                failed += 1;
            }
        }
        Ok((repaired, failed))
    }

    /// Whether a node gives out good slivers of all its pairs.
    async fn is_whole(
        &self,
        node: &Arc<Node>,
        metadata: &Arc<BlobMetadata>,
        pairs: &[u16],
    ) -> Result<bool, NodeError> {
        let (metadata, pairs) = (metadata.clone(), pairs.to_vec());
        let check = move |node: &Node| {
            let good = |pair: u16, axis| {
                let sliver = node.sliver(metadata.blob_id(), pair, axis);
                sliver.is_ok_and(|sliver| metadata.verify_sliver(&sliver).is_ok())
            };
            let whole = |pair: u16| good(pair, Axis::Primary) && good(pair, Axis::Secondary);
            let said = node.metadata(metadata.blob_id(), metadata.params());
            let same = said.is_ok_and(|bytes| bytes == metadata.to_bcs());
            Ok(same && pairs.iter().all(|pair| whole(*pair)))
        };
        node.clone().ask(check).await
    }

    /// A node's slivers, without asking it.
    async fn rebuild(
        &self,
        node: &Node,
        metadata: &Arc<BlobMetadata>,
        pairs: &[u16],
    ) -> Result<Vec<SliverPair>, StoreError> {
        let mut rebuilt = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let primary = self.recover(node, metadata, *pair, Axis::Primary).await;
            let secondary = self.recover(node, metadata, *pair, Axis::Secondary).await;
            let (Some(primary), Some(secondary)) = (primary, secondary) else {
                return self.encode_again(metadata, pairs).await;
            };
            rebuilt.push(SliverPair { primary, secondary });
        }
        Ok(rebuilt)
    }

    /// One sliver from the symbols in which others cross it.
    async fn recover(
        &self,
        lost: &Node,
        metadata: &Arc<BlobMetadata>,
        pair: u16,
        axis: Axis,
    ) -> Option<Sliver> {
        let params = self.params();
        let index = axis.index_of_pair(pair, params);
        let helpers = (0..params.shards())
            .map(|helper| (helper, self.node_of_pair(metadata.blob_id(), helper)))
            .filter(|(_, node)| node.number() != lost.number());
        let calls = helpers.map(|(helper, node)| -> Call<RecoverySymbol> {
            let metadata = metadata.clone();
            let answer = node.clone().ask(move |node: &Node| {
                let symbol = node.recovery_symbol(&metadata, helper, axis.other(), index)?;
                Ok(symbol.verify(&metadata).is_ok().then_some(symbol))
            });
            let checked = answer.map(|answer| match answer {
                Ok(symbol) => symbol.ok_or(Problem::WrongSliver),
                Err(error) => Err(problem(&error)),
            });
            (node.number(), checked.boxed())
        });
        let id = metadata.blob_id();
        let symbols = self.collect(id, axis.symbols(params), calls).await.ok()?;
        let metadata = metadata.clone();
        let recovered = self.blocking(move || recover_sliver(&metadata, axis, index, &symbols));
        recovered.await.ok()?.ok()
    }

    async fn encode_again(
        &self,
        metadata: &Arc<BlobMetadata>,
        pairs: &[u16],
    ) -> Result<Vec<SliverPair>, StoreError> {
        let params = self.params();
        let blob = self.read(metadata.blob_id(), Check::Strict).await?;
        let mut encoded = self.blocking(move || encode(params, &blob)).await??;
        encoded
            .pairs
            .retain(|pair| pairs.contains(&pair.primary.index));
        Ok(encoded.pairs)
    }
}
