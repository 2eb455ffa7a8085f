//! Where blobs are registered: what the chain is to Walrus.

pub use crate::blob_object::{BlobObject, EncodingType, StorageResource};

use crate::{BlobId, ObjectId, committee::Certificate};
use futures::future::BoxFuture;
use std::{collections::BTreeMap, error::Error, fmt, sync::Arc};

/// Storage may be paid for so many epochs ahead.
pub const MAX_EPOCHS_AHEAD: u32 = 53;

/// The [`Registry::place`] of a registry in the store's own folder.
pub(super) const OWN_REGISTRY: &str = "the store itself";

/// Why the registry refuses.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no blob object of that id.
    #[error("no blob object {0}")]
    NoObject(ObjectId),
    /// Only deletable blobs can be deleted once they're certified.
    #[error("blob object {0} is permanent")]
    Permanent(ObjectId),
    /// Its time is over.
    #[error("blob object {0} has expired")]
    Expired(ObjectId),
    /// More epochs than may be paid ahead, or none.
    #[error("{0} epochs: 1 to 53 may be paid ahead")]
    Epochs(u32),
    /// Somebody else's: only its owner may change it.
    #[error("blob object {0} belongs to another address, which alone may extend or delete it")]
    NotOwner(ObjectId),
    /// This registry makes no objects that anybody may extend.
    #[error("blob objects can't be shared here: name their owner with send_object_to")]
    NotShared,
    /// The certificate is another blob's, or not of this epoch.
    #[error("the certificate is not for blob object {0} in this epoch")]
    Certificate(ObjectId),
    /// It can't be reached, or its files can't be used.
    #[error("the registry fails")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
}

impl RegistryError {
    /// It can't be reached, or its files can't be used, for this reason.
    pub fn unavailable(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Unavailable(Arc::new(cause))
    }
}

/// What is to be registered.
#[derive(Clone, Debug)]
pub struct NewBlob {
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// The root that, with size and coding, gives the id.
    pub root: [u8; 32],
    /// Its length in bytes, before coding.
    pub size: u64,
    /// The length of all its slivers in bytes, which storage is paid by.
    pub encoded_length: u64,
    /// For how many epochs, this one included.
    pub epochs: u32,
    /// Whether its owner may delete it before its time.
    pub deletable: bool,
    /// Whose it is to be, if not the publisher's.
    pub owner: Option<ObjectId>,
    /// Whether anybody may extend it.
    pub share: bool,
    /// Names and values kept with it.
    pub attributes: BTreeMap<String, String>,
}

/// What a registry's methods return: the answer, later.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, RegistryError>>;

/// Registers, certifies, extends. What it has acknowledged is durable.
pub trait Registry: Send + Sync + fmt::Debug {
    /// Which registry this is: a store's folder belongs to one, or another would have its blobs
    /// collected as garbage.
    fn place(&self) -> String;
    /// The epoch of Walrus that the registry is in now.
    fn epoch(&self) -> Answer<'_, u32>;
    /// Buys storage and registers a blob for it.
    fn register(&self, new: NewBlob) -> Answer<'_, BlobObject>;
    /// Records that the storage nodes keep a blob. The caller has checked the certificate.
    fn certify(&self, object: ObjectId, certificate: Certificate) -> Answer<'_, BlobObject>;
    /// Keeps a blob for more epochs.
    fn extend(&self, object: ObjectId, epochs: u32) -> Answer<'_, BlobObject>;
    /// Drops a deletable blob, or one that was never certified.
    fn delete(&self, object: ObjectId) -> Answer<'_, ()>;
    /// Finds an object, expired or not.
    fn get(&self, object: ObjectId) -> Answer<'_, Option<BlobObject>>;
    /// All objects of a blob that haven't expired.
    fn find(&self, blob: BlobId) -> Answer<'_, Vec<BlobObject>>;
    /// All of this store's objects that haven't expired. Those without a certificate are dropped when
    /// the store is opened, so objects that anybody else registered don't belong here.
    fn live(&self) -> Answer<'_, Vec<BlobObject>>;
    /// The certificate of an object that was certified.
    fn certificate(&self, object: ObjectId) -> Answer<'_, Option<Certificate>>;
}
