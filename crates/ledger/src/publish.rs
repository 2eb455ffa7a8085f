//! Publishing the Move package and upgrading it. Both can be repeated: what is there already is found
//! by its code, so that a lost answer costs nothing but another look.

use crate::{
    CompiledPackage, Connection, ExecuteError, PublishError, ReadError,
    build::{Upgrade, Work},
    malformed::MalformedAnswer,
    mask::mask,
    objects::decode,
    outcome::{net_gas, outcome},
};
use atoma_keys::SigningKey;
use atoma_types::{Address, ObjectId, chain::ObjectKind};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use sui_rpc::proto::sui::rpc::v2::{
    self as proto, ExecutedTransaction, ListOwnedObjectsRequest, changed_object::OutputObjectState,
};
use sui_sdk_types::{Digest, Identifier, StructTag};

/// Rights in one page.
const PAGE: u32 = 100;

/// A package that was published, with what its publication made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Digest of the transaction that published the package.
    pub digest: Digest,
    /// Id of the package that stands there now.
    pub package: ObjectId,
    /// The database, which everyone shares.
    pub db: ObjectId,
    /// The publisher's right to set parameters.
    pub admin_cap: ObjectId,
    /// The publisher's right to upgrade the package.
    pub upgrade_cap: ObjectId,
}

/// `0x2::package::UpgradeCap`: the right to upgrade a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct UpgradeCap {
    /// Id of the object on the ledger.
    pub id: ObjectId,
    /// The package's newest version.
    pub package: ObjectId,
    /// How often it was published.
    pub version: u64,
    /// What upgrades may change: 0 is everything that keeps it compatible.
    pub policy: u8,
}

impl Connection {
    /// The gas, in MIST, that publishing would take; nothing is submitted.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn preview_publish<'a>(
        &'a self,
        sender: Address,
        package: &'a CompiledPackage,
    ) -> BoxFuture<'a, Result<u64, PublishError>> {
        Box::pin(async move {
            let dependencies = self.dependencies().await?;
            let work = publish(package, &dependencies);
            self.preview_gas(sender, &work).await
        })
    }

    /// Publishes the package. The rights to administer and to upgrade it go to the key's address.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the outcome can't be learnt.
    pub fn publish<'a>(
        &'a self,
        key: &'a SigningKey,
        package: &'a CompiledPackage,
    ) -> BoxFuture<'a, Result<Publication, PublishError>> {
        Box::pin(async move {
            let dependencies = self.dependencies().await?;
            let work = publish(package, &dependencies);
            let (digest, executed) = self.perform(key, &work).await?;
            outcome(None, digest, &executed)?;
            let made = publication(digest, &executed);
            Ok(made.map_err(|source| ExecuteError::Unreadable {
                digest,
                source: source.into(),
            })?)
        })
    }

    /// A publication of just this code whose right to upgrade the address holds.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn publication_of<'a>(
        &'a self,
        owner: Address,
        package: &'a CompiledPackage,
    ) -> BoxFuture<'a, Result<Option<Publication>, PublishError>> {
        Box::pin(async move {
            for cap in self.upgrade_caps(owner).await? {
                let Some(found) = self.published(cap.package).await? else {
                    continue;
                };
                if package.as_published(found.original)? != found.modules {
                    continue;
                }
                let objects = self
                    .inner
                    .objects(&[found.original], &["object_id", "previous_transaction"])
                    .await?;
                let digest = objects.first().map(proto::Object::previous_transaction);
                let Some(Ok(digest)) = digest.map(str::parse::<Digest>) else {
                    continue;
                };
                let executed = self.look_up(digest).await;
                if let Some(executed) = executed.map_err(|status| self.refused(&status))? {
                    let made = publication(digest, &executed);
                    return Ok(Some(made.map_err(ReadError::from)?));
                }
            }
            Ok(None)
        })
    }

    /// The rights to upgrade packages that an address holds.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn upgrade_caps(
        &self,
        owner: Address,
    ) -> BoxFuture<'_, Result<Vec<UpgradeCap>, ReadError>> {
        Box::pin(async move {
            let request = ListOwnedObjectsRequest::default()
                .with_owner(owner.to_string())
                .with_object_type(upgrade_cap_type().to_string())
                .with_page_size(PAGE)
                .with_read_mask(mask(&["object_id", "contents"]));
            let objects: Vec<proto::Object> = self
                .inner
                .client
                .list_owned_objects(request)
                .try_collect()
                .await
                .map_err(|status| self.refused(&status))?;
            objects.iter().map(decode).collect()
        })
    }

    /// A right to upgrade a package.
    ///
    /// # Errors
    /// If nobody answers, or there is no such object.
    pub fn upgrade_cap(&self, id: ObjectId) -> BoxFuture<'_, Result<UpgradeCap, ReadError>> {
        Box::pin(async move {
            let objects = self
                .inner
                .objects(&[id], &["object_id", "object_type", "contents"])
                .await?;
            let object = objects.first().ok_or_else(|| ReadError::NotFound {
                what: "UpgradeCap",
                id: id.to_string(),
            })?;
            let expected = upgrade_cap_type();
            if object.object_type().parse::<StructTag>().as_ref() != Ok(&expected) {
                return Err(ReadError::WrongType {
                    id,
                    found: object.object_type().to_owned(),
                    expected: expected.to_string(),
                });
            }
            decode(object)
        })
    }

    /// The gas, in MIST, that an upgrade would take; nothing is submitted.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn preview_upgrade<'a>(
        &'a self,
        sender: Address,
        package: &'a CompiledPackage,
        cap: &'a UpgradeCap,
    ) -> BoxFuture<'a, Result<u64, PublishError>> {
        Box::pin(async move {
            let dependencies = self.dependencies().await?;
            let work = upgrade(package, &dependencies, cap);
            self.preview_gas(sender, &work).await
        })
    }

    /// Upgrades the package that the right is for; says where the new version stands. Ids of types stay.
    ///
    /// # Errors
    /// If the ledger refuses, the wallet's coins don't reach, or the answer can't be read.
    pub fn upgrade<'a>(
        &'a self,
        key: &'a SigningKey,
        package: &'a CompiledPackage,
        cap: &'a UpgradeCap,
    ) -> BoxFuture<'a, Result<ObjectId, PublishError>> {
        Box::pin(async move {
            let dependencies = self.dependencies().await?;
            let work = upgrade(package, &dependencies, cap);
            let (digest, executed) = self.perform(key, &work).await?;
            outcome(None, digest, &executed)?;
            let made = new_package(&executed);
            Ok(made.map_err(|source| ExecuteError::Unreadable {
                digest,
                source: source.into(),
            })?)
        })
    }

    async fn preview_gas(&self, sender: Address, work: &Work<'_>) -> Result<u64, PublishError> {
        let simulated = self.preview(sender, work).await?;
        Ok(net_gas(simulated.effects().gas_used()))
    }
}

fn publish<'a>(package: &'a CompiledPackage, dependencies: &'a [ObjectId]) -> Work<'a> {
    Work::Publish {
        modules: package.modules(),
        dependencies,
    }
}

fn upgrade<'a>(
    package: &'a CompiledPackage,
    dependencies: &'a [ObjectId],
    cap: &UpgradeCap,
) -> Work<'a> {
    Work::Upgrade(Upgrade {
        modules: package.modules(),
        dependencies,
        package: cap.package,
        cap: cap.id,
        policy: cap.policy,
        digest: package.digest(dependencies),
    })
}

fn upgrade_cap_type() -> StructTag {
    let identifier = Identifier::from_static;
    StructTag::new(
        Address::TWO,
        identifier("package"),
        identifier("UpgradeCap"),
        Vec::new(),
    )
}

fn new_package(executed: &ExecutedTransaction) -> Result<ObjectId, MalformedAnswer> {
    let changed = executed.effects().changed_objects.iter();
    let mut packages =
        changed.filter(|change| change.output_state() == OutputObjectState::PackageWrite);
    let package = packages
        .next()
        .and_then(|change| change.object_id().parse().ok());
    package.ok_or(MalformedAnswer::Missing("new package"))
}

/// What a publication made, out of its effects.
fn publication(
    digest: Digest,
    executed: &ExecutedTransaction,
) -> Result<Publication, MalformedAnswer> {
    let package = new_package(executed)?;
    let find = |tag: StructTag| {
        let changed = executed.effects().changed_objects.iter();
        let mut found = changed
            .filter(|change| change.object_type().parse::<StructTag>().as_ref() == Ok(&tag))
            .filter_map(|change| change.object_id().parse().ok());
        found.next().ok_or(MalformedAnswer::NotMade(tag.into()))
    };
    let ours = |kind: ObjectKind| {
        let (module, name) = kind.move_name();
        let identifier = Identifier::from_static;
        StructTag::new(package, identifier(module), identifier(name), Vec::new())
    };
    Ok(Publication {
        digest,
        package,
        db: find(ours(ObjectKind::Db))?,
        admin_cap: find(ours(ObjectKind::AdminCap))?,
        upgrade_cap: find(upgrade_cap_type())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sui_rpc::proto::sui::rpc::v2::{ChangedObject, TransactionEffects};

    const PACKAGE: ObjectId = ObjectId::new([0xaa; 32]);

    fn changed(id: u8, state: OutputObjectState, tag: &str) -> ChangedObject {
        let mut change = ChangedObject::default();
        change.object_id = Some(ObjectId::new([id; 32]).to_string());
        change.output_state = Some(state as i32);
        change.object_type = Some(tag.to_owned());
        change
    }

    #[test]
    fn what_a_publication_made_is_found_in_its_effects() {
        let object = OutputObjectState::ObjectWrite;
        let mut effects = TransactionEffects::default();
        effects.changed_objects = vec![
            changed(1, object, "0x2::coin::Coin<0x2::sui::SUI>"),
            changed(2, object, "0x2::package::UpgradeCap"),
            // of another package: not ours
            changed(3, object, "0xbb::db::AtomaDb"),
            changed(4, object, &format!("{PACKAGE}::db::AtomaDb")),
            changed(5, object, &format!("{PACKAGE}::db::AdminCap")),
            changed(0xaa, OutputObjectState::PackageWrite, "package"),
        ];
        let mut executed = ExecutedTransaction::default();
        executed.effects = Some(effects);
        let found = publication(Digest::ZERO, &executed).unwrap();
        let id = |byte| ObjectId::new([byte; 32]);
        assert_eq!(
            found,
            Publication {
                digest: Digest::ZERO,
                package: PACKAGE,
                db: id(4),
                admin_cap: id(5),
                upgrade_cap: id(2),
            }
        );
        // any other transaction is no publication
        executed.effects = None;
        assert!(publication(Digest::ZERO, &executed).is_err());
    }
}
