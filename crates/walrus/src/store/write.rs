//! What a store takes: blobs, encoded and certified before they count.

use super::{
    Store,
    error::{NodeError, StoreError},
    node::Node,
    options::Step,
    price::Prices,
    registry::{BlobObject, MAX_EPOCHS_AHEAD, NewBlob, RegistryError},
    report::{Problem, Report},
};
use crate::{
    BlobId, ObjectId,
    coding::{BlobMetadata, Encoded, SliverPair, encode},
    committee::{BlsSignature, Certificate, CertificateError, Confirmation, Persistence},
};
use atoma_runtime::WithCauses;
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// How often a write is confirmed anew because the epoch ended meanwhile.
const EPOCH_CHANGES: usize = 3;

/// How a blob is to be stored.
#[derive(Clone, Debug)]
pub struct PutOptions {
    /// For how many epochs, this one included.
    pub epochs: u32,
    /// Whether its owner may delete it before its time.
    pub deletable: bool,
    /// Registers it even if it is certified already.
    pub force: bool,
    /// Whose the object is to be.
    pub owner: Option<ObjectId>,
    /// Whether anybody may extend it.
    pub share: bool,
    /// Names and values kept with it.
    pub attributes: BTreeMap<String, String>,
}

impl Default for PutOptions {
    /// Permanent, for one epoch.
    fn default() -> Self {
        Self {
            epochs: 1,
            deletable: false,
            force: false,
            owner: None,
            share: false,
            attributes: BTreeMap::new(),
        }
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// It is stored and certified.
    NewlyCreated {
        /// The certified object.
        object: BlobObject,
        /// What it cost, in FROST.
        cost: u64,
    },
    /// It was there for long enough.
    AlreadyCertified {
        /// The object that keeps it.
        object: BlobObject,
    },
}

impl PutOutcome {
    /// The object that keeps the blob.
    #[must_use]
    pub fn object(&self) -> &BlobObject {
        match self {
            Self::NewlyCreated { object, .. } | Self::AlreadyCertified { object } => object,
        }
    }
}

impl Store {
    /// Stores a blob. When this returns, it is certified, and no crash can undo that.
    ///
    /// # Errors
    /// If it is too large, or too few nodes confirm; then nothing of it is kept.
    pub async fn put(&self, blob: Bytes, options: PutOptions) -> Result<PutOutcome, StoreError> {
        // a write ends by itself, also if nobody waits for it any more
        let store = self.clone();
        let write = tokio::spawn(async move { store.write(blob, options).await });
        write.await.map_err(|e| StoreError::Internal(e.into()))?
    }

    async fn write(&self, blob: Bytes, options: PutOptions) -> Result<PutOutcome, StoreError> {
        if options.epochs == 0 || options.epochs > MAX_EPOCHS_AHEAD {
            return Err(StoreError::Epochs(options.epochs));
        }
        let params = self.params();
        let encoded = self.blocking(move || encode(params, &blob)).await??;
        self.0.options.reached(Step::Encoded);
        let metadata = Arc::new(encoded.metadata.clone());
        let id = metadata.blob_id();
        let _alone = self.exclusive(id).await;
        let others = self.0.registry.find(id).await?;
        if !options.force
            && let Some(object) = self.good_for(&others, &options).await?
        {
            return Ok(PutOutcome::AlreadyCertified { object });
        }
        let encoded_length = params.encoded_length(metadata.size())?;
        let new = NewBlob {
            blob_id: id,
            root: *metadata.root(),
            size: metadata.size(),
            encoded_length,
            epochs: options.epochs,
            deletable: options.deletable,
            owner: options.owner,
            share: options.share,
            attributes: options.attributes,
        };
        let object = self.0.registry.register(new).await?;
        self.0.options.reached(Step::Registered);
        let object_id = object.id;
        match self.certify(encoded, metadata, object).await {
            Ok(object) => {
                self.0.options.reached(Step::Certified);
                let cost = self.prices().new_blob(encoded_length, options.epochs);
                Ok(PutOutcome::NewlyCreated { object, cost })
            }
            Err(error) => {
                self.undo(id, object_id).await;
                Err(error)
            }
        }
    }

    /// Keeps a blob for more epochs; the cost is in FROST.
    ///
    /// # Errors
    /// If there's no such object, or the epochs are too many.
    pub async fn extend(
        &self,
        object: ObjectId,
        epochs: u32,
    ) -> Result<(BlobObject, u64), StoreError> {
        let object = self.0.registry.extend(object, epochs).await?;
        let cost = self.prices().extension(object.storage.storage_size, epochs);
        Ok((object, cost))
    }

    /// An object that keeps the blob already as is wanted.
    async fn good_for(
        &self,
        others: &[BlobObject],
        options: &PutOptions,
    ) -> Result<Option<BlobObject>, StoreError> {
        let end = self
            .0
            .registry
            .epoch()
            .await?
            .saturating_add(options.epochs);
        let found = others
            .iter()
            .filter(|object| object.certified_epoch.is_some() && object.storage.end_epoch >= end)
            .filter(|object| options.deletable || !object.deletable)
            .max_by_key(|object| object.storage.end_epoch);
        Ok(found.cloned())
    }

    /// Gives the nodes their slivers and records their confirmations.
    async fn certify(
        &self,
        encoded: Encoded,
        metadata: Arc<BlobMetadata>,
        object: BlobObject,
    ) -> Result<BlobObject, StoreError> {
        let mut shares: BTreeMap<usize, Vec<SliverPair>> = BTreeMap::new();
        for pair in encoded.pairs {
            let node = self
                .node_of_pair(object.blob_id, pair.primary.index)
                .number();
            shares.entry(node).or_default().push(pair);
        }
        let shares: Vec<(Arc<Node>, Arc<[SliverPair]>)> = shares
            .into_iter()
            .map(|(node, pairs)| (self.0.nodes[node].clone(), pairs.into()))
            .collect();
        let mut tries = 0;
        loop {
            tries += 1;
            let message = Confirmation {
                epoch: self.0.registry.epoch().await?,
                blob_id: object.blob_id,
                persistence: if object.deletable {
                    Persistence::Deletable {
                        object: object.id.into_inner(),
                    }
                } else {
                    Persistence::Permanent
                },
            };
            let certificate = self.confirmations(&shares, &metadata, message).await?;
            self.0.options.reached(Step::Quorum);
            match self.0.registry.certify(object.id, certificate).await {
                Err(RegistryError::Certificate(_)) if tries < EPOCH_CHANGES => {}
                other => return Ok(other?),
            }
        }
    }

    /// Lets all nodes store and sign at once. With a quorum, those that are slow are left behind:
    /// they go on by themselves.
    async fn confirmations(
        &self,
        shares: &[(Arc<Node>, Arc<[SliverPair]>)],
        metadata: &Arc<BlobMetadata>,
        message: Confirmation,
    ) -> Result<Certificate, StoreError> {
        let mut running = JoinSet::new();
        for (node, pairs) in shares {
            let (node, pairs, metadata) = (node.clone(), pairs.clone(), metadata.clone());
            let (number, options) = (node.number(), self.0.options.clone());
            let patience = options.node_timeout;
            let work = node.ask(move |node: &Node| {
                node.store(&options, &metadata, &pairs)?;
                options.reached(Step::Stored(number));
                let signature = node.confirm(&message)?;
                options.reached(Step::Confirmed(number));
                Ok(signature)
            });
            running.spawn(async move { (number, timeout(patience, work).await) });
        }
        let weight = |found: &[(usize, BlsSignature)]| -> usize {
            let shards = |(node, _): &(usize, _)| usize::from(self.0.options.weight(*node));
            found.iter().map(shards).sum()
        };
        let needed = self.params().quorum();
        let mut found = Vec::new();
        loop {
            // the grace of a write that could be certified already
            let enough = weight(&found) >= needed;
            let patience = if enough {
                self.0.options.hedge_after
            } else {
                Duration::MAX
            };
            let Ok(next) = timeout(patience, running.join_next()).await else {
                running.detach_all();
                break;
            };
            let Some(next) = next else { break };
            let (node, outcome) = next.map_err(|e| StoreError::Internal(e.into()))?;
            match outcome {
                Ok(Ok(signature)) => found.push((node, signature)),
                Ok(Err(error)) => self.report(node, message.blob_id, problem(&error)),
                Err(_) => self.report(node, message.blob_id, Problem::Slow),
            }
        }
        let refused = |error| match error {
            CertificateError::NoQuorum { found, needed } => StoreError::NoQuorum {
                blob_id: message.blob_id,
                confirmed: found,
                needed,
            },
            other => other.into(),
        };
        let certificate = self.0.committee.certify(message, &found).map_err(refused)?;
        for (node, _) in found {
            if !certificate.signer_places().any(|signer| signer == node) {
                self.report(node, message.blob_id, Problem::WrongSignature);
            }
        }
        Ok(certificate)
    }

    /// Takes back a write that wasn't certified.
    async fn undo(&self, blob: BlobId, object: ObjectId) {
        if let Err(error) = self.0.registry.delete(object).await {
            tracing::warn!(%blob, error = %WithCauses(&error), "a registration without a certificate stays until the next start");
            return;
        }
        if let Err(error) = self.forget_if_unused(blob).await {
            tracing::warn!(%blob, error = %WithCauses(&error), "slivers without a certificate stay until garbage is collected");
        }
    }

    pub(super) fn report(&self, node: usize, blob_id: BlobId, problem: Problem) {
        self.0.reports.add(Report {
            node,
            blob_id,
            problem,
        });
    }

    /// Units of storage that a blob of this size takes.
    ///
    /// # Errors
    /// If it is too large.
    pub fn units(&self, size: u64) -> Result<u64, StoreError> {
        Ok(Prices::units(self.params().encoded_length(size)?))
    }
}

/// What a node's own words come to.
pub(super) fn problem(error: &NodeError) -> Problem {
    match error {
        NodeError::Down => Problem::Down,
        NodeError::Missing => Problem::Missing,
        NodeError::Refused(_)
        | NodeError::Disk(_)
        | NodeError::Damaged(_)
        | NodeError::Thread(_) => Problem::Refused,
    }
}
