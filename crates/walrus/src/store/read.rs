//! What a store gives: blobs, their parts and their status.

use super::{
    Store,
    error::StoreError,
    node::Node,
    registry::BlobObject,
    report::{Problem, Report},
    write::problem,
};
use crate::{
    BlobId, ObjectId,
    coding::{Axis, BlobMetadata, CodingError, Sliver, decode_primary, metadata_of},
    quilt::{PatchContent, Quilt, QuiltPatchId, patch_of_columns},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::BTreeSet, ops::Range, sync::Arc};
use tokio::time::timeout;

/// How much is checked before bytes are given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Each sliver against the metadata, the metadata against the id.
    #[default]
    Slivers,
    /// And the whole blob, by encoding it again.
    Strict,
}

/// A question to a node, and whose answer it is.
pub(super) type Call<T> = (usize, BoxFuture<'static, Result<T, Problem>>);

/// Too few good answers.
#[derive(Debug)]
pub(super) struct Shortfall {
    good: usize,
    reports: Vec<Report>,
}

impl Store {
    /// The certified object that keeps a blob longest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if none does.
    pub async fn stat(&self, id: BlobId) -> Result<BlobObject, StoreError> {
        let objects = self.0.registry.find(id).await?;
        objects
            .into_iter()
            .filter(|object| object.certified_epoch.is_some())
            .max_by_key(|object| object.storage.end_epoch)
            .ok_or(StoreError::NotFound(id))
    }

    /// A certified object that hasn't expired.
    ///
    /// # Errors
    /// [`StoreError::NoObject`] if it isn't one.
    pub async fn object(&self, id: ObjectId) -> Result<BlobObject, StoreError> {
        let epoch = self.0.registry.epoch().await?;
        let found = self.0.registry.get(id).await?;
        found
            .filter(|object| object.certified_epoch.is_some() && object.is_live(epoch))
            .ok_or(StoreError::NoObject(id))
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// If there's none of that id, or too few nodes give good answers.
    pub async fn read(&self, id: BlobId, check: Check) -> Result<Vec<u8>, StoreError> {
        self.stat(id).await?;
        let metadata = self.metadata(id).await?;
        self.read_all(&metadata, check).await
    }

    /// Reads some of a blob's bytes; only slivers that hold them are asked for, if their nodes are
    /// well.
    ///
    /// # Errors
    /// As [`Self::read`], or if the range isn't within the blob.
    pub async fn read_range(&self, id: BlobId, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let size = self.stat(id).await?.size;
        if range.start >= range.end || range.end > size {
            return Err(StoreError::Range { size });
        }
        let metadata = self.metadata(id).await?;
        let params = self.params();
        let row = params.secondary() as u64 * u64::from(params.symbol_size(size)?);
        // rows are at most 1000, and the range is within a blob that fits into memory
        let rows = (range.start / row) as u16..range.end.div_ceil(row) as u16;
        let first = u64::from(rows.start) * row;
        let (bytes, offset) = match self.slivers(&metadata, Axis::Primary, rows).await? {
            Some(bytes) => (bytes, first),
            None => (self.read_all(&metadata, Check::Slivers).await?, 0),
        };
        let within = |at: u64| usize::try_from(at - offset).ok();
        let wanted = within(range.start).zip(within(range.end));
        let wanted = wanted.and_then(|(start, end)| bytes.get(start..end));
        wanted.map(<[u8]>::to_vec).ok_or(StoreError::Range { size })
    }

    /// Reads a blob out of a quilt; only its own columns are asked for, if their nodes are well.
    ///
    /// # Errors
    /// As [`Self::read`], or if it isn't a quilt or has no such patch.
    pub async fn read_patch(&self, patch: QuiltPatchId) -> Result<PatchContent, StoreError> {
        self.stat(patch.quilt).await?;
        let metadata = self.metadata(patch.quilt).await?;
        let columns = patch.start..patch.end;
        if usize::from(patch.end) <= self.params().secondary()
            && let Some(bytes) = self.slivers(&metadata, Axis::Secondary, columns).await?
        {
            return Ok(patch_of_columns(&bytes)?);
        }
        let blob = self.read_all(&metadata, Check::Slivers).await?;
        Ok(Quilt::open(self.params(), &blob)?.read_columns(patch.start, patch.end)?)
    }

    /// A blob's metadata, from any node.
    pub(super) async fn metadata(&self, id: BlobId) -> Result<Arc<BlobMetadata>, StoreError> {
        let params = self.params();
        let calls = self.0.nodes.iter().map(|node| {
            let answer = node
                .clone()
                .ask(move |node: &Node| node.metadata(id, params));
            let checked = answer.map(move |bytes| {
                let bytes = bytes.map_err(|error| problem(&error))?;
                let metadata = BlobMetadata::from_bcs(&bytes).ok();
                metadata
                    .filter(|metadata| metadata.blob_id() == id && metadata.params() == params)
                    .ok_or(Problem::WrongMetadata)
            });
            (node.number(), checked.boxed())
        });
        match self.collect(id, 1, calls).await {
            Ok(mut metadata) => metadata.pop().map(Arc::new).ok_or(StoreError::NotFound(id)),
            Err(short) => Err(unavailable(id, 1, short)),
        }
    }

    async fn read_all(
        &self,
        metadata: &Arc<BlobMetadata>,
        check: Check,
    ) -> Result<Vec<u8>, StoreError> {
        let (params, id) = (self.params(), metadata.blob_id());
        let needed = params.primary();
        // rows of the source first: they need no decoding
        let calls = (0..params.shards()).map(|row| self.sliver_call(metadata, Axis::Primary, row));
        let slivers = self
            .collect(id, needed, calls)
            .await
            .map_err(|short| unavailable(id, needed, short))?;
        let size = metadata.size();
        let blob = self.blocking(move || {
            let blob = decode_primary(params, size, &slivers)?;
            let strict = check == Check::Strict;
            if strict && metadata_of(params, &blob)?.blob_id() != id {
                return Err(CodingError::WrongId);
            }
            Ok(blob)
        });
        Ok(blob.await??)
    }

    /// Just these slivers, one after the other; `None` if not all can be had.
    async fn slivers(
        &self,
        metadata: &Arc<BlobMetadata>,
        axis: Axis,
        indexes: Range<u16>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let needed = indexes.len();
        let calls = indexes.map(|index| self.sliver_call(metadata, axis, index));
        let Ok(mut slivers) = self.collect(metadata.blob_id(), needed, calls).await else {
            return Ok(None);
        };
        slivers.sort_by_key(|sliver| sliver.index);
        let joined = slivers.iter().flat_map(|sliver| &sliver.data).copied();
        Ok(Some(joined.collect()))
    }

    /// Asks for a sliver and checks it.
    fn sliver_call(&self, metadata: &Arc<BlobMetadata>, axis: Axis, index: u16) -> Call<Sliver> {
        let id = metadata.blob_id();
        let pair = axis.index_of_pair(index, self.params());
        let node = self.node_of_pair(id, pair);
        let metadata = metadata.clone();
        let answer = node.clone().ask(move |node: &Node| {
            let sliver = node.sliver(id, pair, axis)?;
            let good = sliver.index == index && metadata.verify_sliver(&sliver).is_ok();
            Ok(good.then_some(sliver))
        });
        let checked = answer.map(|answer| match answer {
            Ok(sliver) => sliver.ok_or(Problem::WrongSliver),
            Err(error) => Err(problem(&error)),
        });
        (node.number(), checked.boxed())
    }

    /// The first `needed` good answers. As many nodes are asked at once; for each that fails or
    /// is slow, another.
    pub(super) async fn collect<T>(
        &self,
        id: BlobId,
        needed: usize,
        mut calls: impl Iterator<Item = Call<T>>,
    ) -> Result<Vec<T>, Shortfall> {
        let patience = self.0.options.node_timeout;
        let mut running = FuturesUnordered::new();
        let mut waiting = BTreeSet::new();
        let mut reports = Vec::new();
        let mut good = Vec::new();
        let (mut asked, mut wanted) = (0_usize, needed);
        while good.len() < needed {
            for (node, call) in calls.by_ref().take(wanted) {
                let question = (node, asked);
                asked += 1;
                waiting.insert(question);
                running.push(async move {
                    let answer = timeout(patience, call).await;
                    (question, answer.unwrap_or(Err(Problem::Slow)))
                });
            }
            wanted = 0;
            match timeout(self.0.options.hedge_after, running.next()).await {
                Ok(None) => break,
                Ok(Some((question, answer))) => {
                    waiting.remove(&question);
                    match answer {
                        Ok(answer) => good.push(answer),
                        Err(problem) => {
                            wanted = 1;
                            reports.push(Report {
                                node: question.0,
                                blob_id: id,
                                problem,
                            });
                        }
                    }
                }
                Err(_) => {
                    wanted = needed - good.len();
                    let slow = waiting.iter().map(|(node, _)| Report {
                        node: *node,
                        blob_id: id,
                        problem: Problem::Slow,
                    });
                    let fresh: Vec<Report> =
                        slow.filter(|report| !reports.contains(report)).collect();
                    reports.extend(fresh);
                }
            }
        }
        reports
            .iter()
            .for_each(|report| self.0.reports.add(*report));
        if good.len() < needed {
            let good = good.len();
            return Err(Shortfall { good, reports });
        }
        Ok(good)
    }
}

pub(super) fn unavailable(blob_id: BlobId, needed: usize, short: Shortfall) -> StoreError {
    StoreError::Unavailable {
        blob_id,
        good: short.good,
        needed,
        reports: short.reports,
    }
}
