//! Walrus on the ledger: where it stands, its blobs, and the system of localnet's development Walrus.

use crate::{
    Connection, ReadError,
    connection::Inner,
    localnet,
    malformed::{MalformedAnswer, parse},
    objects::OBJECT_FIELDS,
};
use atoma_types::{
    Address, ObjectId,
    chain::{Blob, ObjectKind, WalrusCap, WalrusDeployment, WalrusSystem},
};
use futures::future::BoxFuture;
use serde::{Deserialize, de::DeserializeOwned};
use sui_rpc::proto::sui::rpc::v2::{self as proto, owner::OwnerKind};
use sui_sdk_types::StructTag;

/// Bytes of [`WalrusHead`].
const WALRUS_HEAD: usize = 32 + 8 + 32;

/// The beginning of Walrus's own `System`.
#[derive(Deserialize)]
struct WalrusHead {
    _id: ObjectId,
    _version: u64,
    package: ObjectId,
}

/// A blob, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBlob {
    /// The blob, as its object on the ledger says.
    pub blob: Blob,
    /// The address that owns it, if it is an address.
    pub owner: Option<Address>,
}

impl Connection {
    /// A registered blob, by the id of its object.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn blob(&self, id: ObjectId) -> BoxFuture<'_, Result<Blob, ReadError>> {
        Box::pin(async move { self.read_walrus(id, ObjectKind::Blob).await })
    }

    /// Several blobs at once, with their owners; ids of nothing, or of something else, are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn blobs<'a>(
        &'a self,
        ids: &'a [ObjectId],
    ) -> BoxFuture<'a, Result<Vec<OwnedBlob>, ReadError>> {
        Box::pin(async move {
            let blob_type = self.surroundings.walrus.type_of(ObjectKind::Blob);
            let mut blobs = Vec::with_capacity(ids.len());
            for object in self.inner.objects(ids, OBJECT_FIELDS).await? {
                let id = parse("object id", object.object_id())?;
                match self.inner.typed(id, &object, &blob_type) {
                    Ok(blob) => blobs.push(OwnedBlob {
                        blob,
                        owner: owner(&object),
                    }),
                    Err(ReadError::WrongType { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(blobs)
        })
    }

    /// All blobs that an address owns.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn owned_blobs(&self, owner: Address) -> BoxFuture<'_, Result<Vec<Blob>, ReadError>> {
        Box::pin(async move { self.read_owned_walrus(owner, ObjectKind::Blob).await })
    }

    /// Localnet's development Walrus.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn walrus_system(&self) -> BoxFuture<'_, Result<WalrusSystem, ReadError>> {
        Box::pin(async move {
            let id = self.surroundings.walrus.system;
            self.read_walrus(id, ObjectKind::WalrusSystem).await
        })
    }

    /// Walrus's epoch. Only localnet's development Walrus can be asked so far.
    ///
    /// # Errors
    /// If nobody answers, or it is another Walrus.
    pub fn walrus_epoch(&self) -> BoxFuture<'_, Result<u32, ReadError>> {
        Box::pin(async move { Ok(self.walrus_system().await?.epoch) })
    }

    /// The capability to operate it, if the address owns it.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn walrus_cap(
        &self,
        owner: Address,
    ) -> BoxFuture<'_, Result<Option<WalrusCap>, ReadError>> {
        Box::pin(async move {
            let caps: Vec<WalrusCap> = self.read_owned_walrus(owner, ObjectKind::WalrusCap).await?;
            let system = self.surroundings.walrus.system;
            Ok(caps.into_iter().find(|cap| cap.system == system))
        })
    }

    async fn read_walrus<T: DeserializeOwned>(
        &self,
        id: ObjectId,
        kind: ObjectKind,
    ) -> Result<T, ReadError> {
        let expected = self.surroundings.walrus.type_of(kind);
        self.inner.read(id, kind.move_name().1, &expected).await
    }

    async fn read_owned_walrus<T: DeserializeOwned>(
        &self,
        owner: Address,
        kind: ObjectKind,
    ) -> Result<Vec<T>, ReadError> {
        let expected = self.surroundings.walrus.type_of(kind);
        self.inner.read_owned(owner, &expected).await
    }
}

impl Inner {
    /// Where Walrus's package stands, by its `System`.
    pub(crate) async fn walrus_at(&self, system: ObjectId) -> Result<WalrusDeployment, ReadError> {
        let found = self.objects(&[system], OBJECT_FIELDS).await?;
        let object = found.first().ok_or_else(|| ReadError::NotFound {
            what: "Walrus system",
            id: system.to_string(),
        })?;
        let tag: Option<StructTag> = object.object_type().parse().ok();
        let tag =
            tag.filter(|tag| (tag.module().as_str(), tag.name().as_str()) == ("system", "System"));
        let original_package = *tag
            .ok_or_else(|| ReadError::WrongType {
                id: system,
                found: object.object_type().to_owned(),
                expected: "system::System of Walrus".to_owned(),
            })?
            .address();
        let package = if localnet::is_development_walrus(original_package) {
            original_package
        } else {
            let bytes = object.contents().value();
            let head = bytes.get(..WALRUS_HEAD).unwrap_or(bytes);
            let head: WalrusHead =
                bcs::from_bytes(head).map_err(|source| MalformedAnswer::Object {
                    id: system.to_string(),
                    source,
                })?;
            head.package
        };
        Ok(WalrusDeployment {
            package,
            original_package,
            system,
        })
    }
}

fn owner(object: &proto::Object) -> Option<Address> {
    let owner = object.owner();
    (owner.kind() == OwnerKind::Address)
        .then(|| owner.address().parse().ok())
        .flatten()
}
