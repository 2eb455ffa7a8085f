//! One storage node: a key, a folder, and the failures that are switched on.

use super::{
    disk,
    error::{NodeError, StoreError},
    fault::Fault,
    node_file::{NodeFile, compose},
    options::{Step, StoreOptions},
};
use crate::{
    BlobId,
    coding::{Axis, BlobMetadata, Params, RecoverySymbol, Sliver, SliverPair, metadata_of},
    committee::{BlsPublicKey, BlsSecretKey, BlsSignature, Confirmation},
};
use atoma_runtime::{Random, Runtime, Threads};
use parking_lot::Mutex;
use std::{
    array::TryFromSliceError,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// File of a node's secret key.
const KEY_FILE: &str = "key";
/// Folder of what it keeps.
const BLOBS_FOLDER: &str = "blobs";

#[derive(Debug)]
pub(super) struct Node {
    number: usize,
    blobs: PathBuf,
    key: BlsSecretKey,
    fault: Mutex<Fault>,
    threads: Threads,
}

impl Node {
    pub(super) fn open(nodes: &Path, number: usize, runtime: &Runtime) -> Result<Self, StoreError> {
        let folder = nodes.join(format!("{number:02}"));
        let blobs = folder.join(BLOBS_FOLDER);
        atoma_store::create_folder(&blobs)?;
        disk::remove_unfinished(&blobs).map_err(StoreError::Io)?;
        Ok(Self {
            number,
            key: load_key(&folder, &*runtime.random)?,
            blobs,
            fault: Mutex::default(),
            threads: runtime.threads,
        })
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn public_key(&self) -> BlsPublicKey {
        self.key.public_key()
    }

    pub(super) fn fault(&self) -> Fault {
        *self.fault.lock()
    }

    pub(super) fn set_fault(&self, fault: Fault) {
        *self.fault.lock() = fault;
    }

    /// Asks the node: it may be down or slow. The work is done away from the tasks that serve.
    pub(super) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, NodeError> {
        match self.fault() {
            Fault::Down => return Err(NodeError::Down),
            Fault::Slow(time) => tokio::time::sleep(time).await,
            Fault::None | Fault::Corrupt | Fault::Lying => {}
        }
        let worked = self.threads.blocking(move || work(&self)).await;
        worked.map_err(|error| NodeError::Thread(Arc::new(error)))?
    }

    /// Checks slivers and keeps them; they are durable when this returns.
    pub(super) fn store(
        &self,
        options: &StoreOptions,
        metadata: &BlobMetadata,
        pairs: &[SliverPair],
    ) -> Result<(), NodeError> {
        if self.fault() == Fault::Lying {
            return Ok(());
        }
        let wanted = pairs.iter().map(|pair| pair.primary.index);
        if self.keeps(metadata, wanted) {
            return Ok(());
        }
        for pair in pairs {
            metadata.verify_sliver(&pair.primary)?;
            metadata.verify_sliver(&pair.secondary)?;
        }
        let name = metadata.blob_id().to_string();
        let bytes = compose(metadata, pairs);
        let unfinished = disk::begin(&self.blobs, &name, &[&bytes]).map_err(disk_error)?;
        options.reached(Step::Written(self.number));
        disk::finish(&self.blobs, &unfinished, &name).map_err(disk_error)
    }

    /// Whether it has these pairs of a blob, all good.
    pub(super) fn keeps(&self, metadata: &BlobMetadata, pairs: impl Iterator<Item = u16>) -> bool {
        let id = metadata.blob_id();
        let good = |pair: u16| -> Result<(), NodeError> {
            for axis in [Axis::Primary, Axis::Secondary] {
                metadata.verify_sliver(&self.read_sliver(id, pair, axis)?)?;
            }
            Ok(())
        };
        let same = self
            .read_metadata(id)
            .is_ok_and(|bytes| bytes == metadata.to_bcs());
        same && pairs.map(good).all(|outcome| outcome.is_ok())
    }

    /// Signs for what it keeps.
    pub(super) fn confirm(&self, message: &Confirmation) -> Result<BlsSignature, NodeError> {
        if self.fault() != Fault::Lying && !self.path(message.blob_id).is_file() {
            return Err(NodeError::Missing);
        }
        Ok(self.key.sign(&message.to_bytes()))
    }

    /// A blob's metadata, as this node gives it out.
    pub(super) fn metadata(&self, id: BlobId, params: Params) -> Result<Vec<u8>, NodeError> {
        match self.fault() {
            Fault::Lying => Ok(metadata_of(params, b"something else")?.to_bcs()),
            fault => {
                let mut bytes = self.read_metadata(id)?;
                damage_if(fault, &mut bytes);
                Ok(bytes)
            }
        }
    }

    /// A pair's sliver, as this node gives it out.
    pub(super) fn sliver(&self, id: BlobId, pair: u16, axis: Axis) -> Result<Sliver, NodeError> {
        let fault = self.fault();
        let mut sliver = self.read_sliver(id, pair, axis)?;
        damage_if(fault, &mut sliver.data);
        if fault == Fault::Lying {
            sliver.data.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Ok(sliver)
    }

    /// A symbol for the repair of another node's sliver.
    pub(super) fn recovery_symbol(
        &self,
        metadata: &BlobMetadata,
        pair: u16,
        axis: Axis,
        target: u16,
    ) -> Result<RecoverySymbol, NodeError> {
        let sliver = self.sliver(metadata.blob_id(), pair, axis)?;
        Ok(RecoverySymbol::new(metadata, &sliver, target)?)
    }

    /// The blobs of which it has a file.
    pub(super) fn list(&self) -> Result<Vec<BlobId>, NodeError> {
        let entries = fs::read_dir(&self.blobs).map_err(disk_error)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Forgets a blob.
    pub(super) fn delete(&self, id: BlobId) -> Result<(), NodeError> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk_error(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.blobs.join(id.to_string())
    }

    fn open_file(&self, id: BlobId) -> Result<NodeFile, NodeError> {
        let file = NodeFile::open(&self.path(id)).map_err(disk_error)?;
        file.ok_or(NodeError::Missing)
    }

    fn read_metadata(&self, id: BlobId) -> Result<Vec<u8>, NodeError> {
        self.open_file(id)?.metadata().map_err(disk_error)
    }

    fn read_sliver(&self, id: BlobId, pair: u16, axis: Axis) -> Result<Sliver, NodeError> {
        let bytes = self.open_file(id)?.sliver(pair, axis).map_err(disk_error)?;
        let bytes = bytes.ok_or(NodeError::Missing)?;
        let sliver = Sliver::from_bcs(axis, &bytes).map_err(NodeError::Damaged)?;
        Ok(sliver)
    }
}

fn damage_if(fault: Fault, bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let (Fault::Corrupt, Some(byte)) = (fault, bytes.get_mut(middle)) {
        *byte ^= 1;
    }
}

fn disk_error(error: io::Error) -> NodeError {
    NodeError::Disk(Arc::new(error))
}

/// The node's key; a new one at the first start.
fn load_key(folder: &Path, random: &dyn Random) -> Result<BlsSecretKey, StoreError> {
    let unusable = |source| StoreError::Key {
        folder: folder.to_owned(),
        source,
    };
    match fs::read(folder.join(KEY_FILE)) {
        Ok(bytes) => {
            let bytes = zeroize::Zeroizing::new(bytes);
            let bytes = bytes.as_slice().try_into();
            let bytes = bytes.map_err(|e: TryFromSliceError| unusable(e.into()))?;
            BlsSecretKey::from_bytes(bytes).map_err(|e| unusable(e.into()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut seed = zeroize::Zeroizing::new([0; 32]);
            random.fill(seed.as_mut_slice());
            let key = BlsSecretKey::from_seed(&seed).map_err(|e| unusable(e.into()))?;
            disk::write(folder, KEY_FILE, &[key.to_bytes().as_slice()])?;
            Ok(key)
        }
        Err(error) => Err(unusable(error.into())),
    }
}
