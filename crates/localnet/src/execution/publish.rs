//! Publishing the contract's package on a ledger that was born without it.
//!
//! It is the one package that can be published, and once: localnet runs its rules itself, so that of
//! anything else it couldn't run a line. The modules must be what a client makes of the compiled package for
//! this network. They are kept and shown as on Sui, and no more than that.
//!
//! On Sui the package's id and those of what `init` makes come from the transaction's digest. Here they
//! stand where they stand on every localnet, so that all of them have one deployment; only the `UpgradeCap`
//! has an id of its own.

use super::{Refusal, gas, refusal_cause::Unpublishable};
use crate::{
    move_types::type_origins,
    objects::{self, Draft},
    state::State,
};
use atoma_package::{CompiledPackage, PackageError};
use atoma_types::{
    Address, ObjectId,
    chain::{Deployment, Package},
};
use std::{collections::BTreeMap, sync::Arc};
use sui_sdk_types::{
    ChangedObject, Command, Digest, IdOperation, Identifier, MovePackage, Object, ObjectData,
    ObjectIn, ObjectOut, Owner, ProgrammableTransaction, Publish, StructTag, UpgradeInfo,
};

/// The version of what was never upgraded.
const FIRST_VERSION: u64 = 1;
/// The policy of an upgrade cap that allows every compatible change, as a fresh one does.
const COMPATIBLE: u8 = 0;

/// What a program publishes.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) package: MovePackage,
    /// The right to upgrade it.
    pub(crate) cap: ObjectId,
    /// Who gets that; none while the program holds it.
    pub(crate) owner: Option<Address>,
}

impl Publication {
    /// `0x2::package::UpgradeCap`, by its id. None if nobody has it.
    pub(crate) fn upgrade_cap(&self) -> Option<(ObjectId, Draft)> {
        let fields = (self.cap, self.package.id, FIRST_VERSION, COMPATIBLE);
        let draft = Draft {
            type_: StructTag::new(
                Address::TWO,
                Identifier::from_static("package"),
                Identifier::from_static("UpgradeCap"),
                Vec::new(),
            ),
            public_transfer: true,
            contents: bcs::to_bytes(&fields).ok()?,
            owner: Owner::Address(self.owner?),
        };
        Some((self.cap, draft))
    }
}

/// The package as it will stand, if the program publishes: checked to be the contract's, the first, and to
/// name what it depends on.
pub(super) fn check(
    state: &State,
    program: &ProgrammableTransaction,
) -> Result<Option<MovePackage>, Refusal> {
    let refused = |cause| Err(Refusal::Publication(cause));
    let mut publications = program.commands.iter().filter_map(|command| match command {
        Command::Publish(publish) => Some(publish),
        _ => None,
    });
    let Some(publish) = publications.next() else {
        return Ok(None);
    };
    let deployment = state.deployment();
    if publications.next().is_some() {
        return refused(Unpublishable::Twice);
    }
    if state.is_package(&deployment.package) {
        return refused(Unpublishable::Published);
    }
    let damaged = |error: PackageError| Refusal::Publication(Unpublishable::Package(error));
    let contract = CompiledPackage::for_network(&deployment.surroundings()).map_err(damaged)?;
    let sorted = |modules: &[Vec<u8>]| {
        let mut modules = modules.to_vec();
        modules.sort_unstable();
        modules
    };
    if sorted(&publish.modules) != sorted(contract.modules()) {
        return refused(Unpublishable::OtherPackage);
    }
    let linkage_table = linkage(state, publish)?;
    let mut modules = BTreeMap::new();
    let named = contract.as_published(deployment.original_package);
    for (name, module) in named.map_err(damaged)? {
        let named = Identifier::new(&name);
        let name = named.map_err(|_| Refusal::Publication(Unpublishable::Name { name }))?;
        modules.insert(name, module);
    }
    Ok(Some(MovePackage {
        id: deployment.package,
        version: FIRST_VERSION,
        modules,
        type_origin_table: type_origins(deployment, Package::Atoma),
        linkage_table,
    }))
}

/// What the package is linked to: all that it needs, and nothing that isn't there.
fn linkage(state: &State, publish: &Publish) -> Result<BTreeMap<ObjectId, UpgradeInfo>, Refusal> {
    for id in needed(state.deployment())? {
        if !publish.dependencies.contains(&id) {
            return Err(Refusal::Publication(Unpublishable::Dependency { id }));
        }
    }
    let mut linkage = BTreeMap::new();
    for &id in &publish.dependencies {
        let object = state.object(&id).filter(|_| state.is_package(&id));
        let object = object.ok_or(Refusal::NoPackage { id })?;
        let link = UpgradeInfo {
            upgraded_id: id,
            upgraded_version: object.version(),
        };
        linkage.insert(id, link);
    }
    Ok(linkage)
}

fn needed(deployment: &Deployment) -> Result<[ObjectId; 4], Refusal> {
    let money = CompiledPackage::money(&deployment.surroundings());
    Ok([
        Address::from_static("0x1"),
        Address::TWO,
        money.map_err(|e| Refusal::Publication(Unpublishable::Package(e)))?,
        deployment.walrus.package,
    ])
}

/// The package as an object.
pub(super) fn seal(package: MovePackage, digest: Digest) -> Arc<Object> {
    let rebate = gas::storage(objects::package_bytes(&package));
    let data = ObjectData::Package(package);
    Arc::new(Object::new(data, Owner::Immutable, digest, rebate))
}

/// What effects say of it.
pub(super) fn change(package: &Object) -> ChangedObject {
    ChangedObject {
        object_id: package.object_id(),
        input_state: ObjectIn::NotExist,
        output_state: ObjectOut::PackageWrite {
            version: FIRST_VERSION,
            digest: package.digest(),
        },
        id_operation: IdOperation::Created,
    }
}
