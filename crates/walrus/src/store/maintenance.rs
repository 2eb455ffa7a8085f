//! What is done in the background: garbage is collected, lost slivers are repaired.

use super::{Store, error::StoreError};
use crate::{BlobId, ObjectId};
use atoma_runtime::WithCauses;
use std::{collections::BTreeSet, time::Duration};
use tokio::task::JoinHandle;

/// What garbage collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blobs that were dropped.
    pub blobs: usize,
}

/// Background work; stops when this is dropped.
#[derive(Debug)]
pub struct Maintenance(JoinHandle<()>);

impl Maintenance {
    /// Stops, and waits until nothing of it uses the store any more.
    pub async fn stop(mut self) {
        self.0.abort();
        // that it was aborted is no news
        let _ = (&mut self.0).await;
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Store {
    /// Collects garbage and repairs, again and again.
    #[must_use]
    pub fn maintain(&self, every: Duration) -> Maintenance {
        let store = self.clone();
        Maintenance(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = store.collect_garbage().await {
                    tracing::warn!(error = %WithCauses(&error), "cannot collect garbage");
                }
                if let Err(error) = store.repair().await {
                    tracing::warn!(error = %WithCauses(&error), "cannot repair");
                }
            }
        }))
    }

    /// Drops what no live registration needs: expired and deleted blobs, remains of writes that
    /// failed.
    ///
    /// # Errors
    /// If the registry fails.
    pub async fn collect_garbage(&self) -> Result<Collected, StoreError> {
        // files first: a blob whose file is here was registered before
        let mut kept: BTreeSet<BlobId> = BTreeSet::new();
        for node in &self.0.nodes {
            // a node that is down does it later
            kept.extend(
                node.clone()
                    .ask(super::node::Node::list)
                    .await
                    .unwrap_or_default(),
            );
        }
        let live = self.0.registry.live().await?;
        for object in &live {
            kept.remove(&object.blob_id);
        }
        let mut collected = Collected::default();
        for id in kept {
            let _alone = self.exclusive(id).await;
            collected.blobs += usize::from(self.forget_if_unused(id).await?);
        }
        Ok(collected)
    }

    /// Drops a deletable blob before its time.
    ///
    /// # Errors
    /// If there's no such object or it is permanent.
    pub async fn delete(&self, object: ObjectId) -> Result<(), StoreError> {
        let found = self.0.registry.get(object).await?;
        let id = found.ok_or(StoreError::NoObject(object))?.blob_id;
        let _alone = self.exclusive(id).await;
        self.0.registry.delete(object).await?;
        self.forget_if_unused(id).await?;
        Ok(())
    }

    /// Drops the nodes' slivers of a blob that no live object keeps. The caller is alone with it.
    pub(super) async fn forget_if_unused(&self, id: BlobId) -> Result<bool, StoreError> {
        if !self.0.registry.find(id).await?.is_empty() {
            return Ok(false);
        }
        for node in &self.0.nodes {
            let forgotten = node.clone().ask(move |node| node.delete(id)).await;
            if let Err(error) = forgotten {
                tracing::debug!(node = node.number(), blob = %id, error = %WithCauses(&error), "slivers stay for now");
            }
        }
        Ok(true)
    }

    /// Drops what a crash left: registrations that were never certified, and their slivers.
    pub(super) async fn drop_unfinished(&self) -> Result<(), StoreError> {
        for object in self.0.registry.live().await? {
            if object.certified_epoch.is_none() {
                self.0.registry.delete(object.id).await?;
            }
        }
        self.collect_garbage().await?;
        Ok(())
    }
}
