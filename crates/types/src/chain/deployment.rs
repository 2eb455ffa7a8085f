//! Where the package stands on a ledger, and what it finds there before it stands.

use crate::{
    Address, NetworkId, ObjectId,
    chain::{Event, ObjectKind, Package},
};
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Identifier, StructTag, TypeTag};

/// The shared clock of every Sui network.
pub const CLOCK_OBJECT: ObjectId = small(0x6);
/// The shared random beacon of every Sui network.
pub const RANDOM_OBJECT: ObjectId = small(0x8);
/// What localnet calls its chain; its server's name begins with it.
pub const LOCALNET_CHAIN: &str = "atoma-localnet";
/// The package's id on localnet.
pub const LOCALNET_PACKAGE: ObjectId = small(0xa70a);
/// The package of localnet's USDC.
pub const LOCALNET_USDC_PACKAGE: ObjectId = small(0x05dc);
/// The `AtomaDb` of localnet.
pub const LOCALNET_DB: ObjectId = small(0x00a7_0adb);
/// The package of localnet's development Walrus.
pub const LOCALNET_WALRUS_PACKAGE: ObjectId = small(0x3a10);
/// The `System` of localnet's development Walrus.
pub const LOCALNET_WALRUS_SYSTEM: ObjectId = small(0x3a10_0575);
/// The type of Sui's own coin, which pays for gas.
pub const SUI_COIN: &str = "0x2::sui::SUI";

const fn small(id: u64) -> ObjectId {
    let mut bytes = [0; 32];
    let tail = id.to_be_bytes();
    let mut i = 0;
    while i < 8 {
        bytes[24 + i] = tail[i];
        i += 1;
    }
    Address::new(bytes)
}

/// What the package finds on a network before it is published there, and is compiled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Which network it is.
    pub network: NetworkId,
    /// The type inside `Coin<…>` that pays.
    pub usdc: TypeTag,
    /// The Walrus whose blobs are taken as evidence.
    pub walrus: WalrusDeployment,
}

/// One published package with its database, and the [`Surroundings`] that it is for. (Its fields stand here once
/// more: this is a section of configuration files.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// The package as called now.
    pub package: ObjectId,
    /// The package that first defined the types (differs after an upgrade).
    pub original_package: ObjectId,
    /// Id of the database's object, an `AtomaDb`.
    pub db: ObjectId,
    /// The type inside `Coin<…>` that pays.
    pub usdc: TypeTag,
    /// The Walrus whose blobs are taken as evidence.
    pub walrus: WalrusDeployment,
}

/// Walrus on a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalrusDeployment {
    /// The package as called now.
    pub package: ObjectId,
    /// The package that first defined the types (differs after an upgrade).
    pub original_package: ObjectId,
    /// Id of Walrus's `System` on the ledger.
    pub system: ObjectId,
}

impl Surroundings {
    /// What is the same on every localnet.
    #[must_use]
    pub fn localnet(network: NetworkId) -> Self {
        Self {
            network,
            usdc: TypeTag::Struct(Box::new(struct_tag(LOCALNET_USDC_PACKAGE, "usdc", "USDC"))),
            walrus: WalrusDeployment {
                package: LOCALNET_WALRUS_PACKAGE,
                original_package: LOCALNET_WALRUS_PACKAGE,
                system: LOCALNET_WALRUS_SYSTEM,
            },
        }
    }

    /// The deployment of a package that stands here: its first version, the version that is called now, and its
    /// database.
    #[must_use]
    pub fn with_package(
        &self,
        original_package: ObjectId,
        package: ObjectId,
        db: ObjectId,
    ) -> Deployment {
        let Self {
            network,
            usdc,
            walrus,
        } = self.clone();
        Deployment {
            network,
            package,
            original_package,
            db,
            usdc,
            walrus,
        }
    }
}

impl Deployment {
    /// Where the package stands on every localnet: from its birth, or once it is published there.
    #[must_use]
    pub fn localnet(network: NetworkId) -> Self {
        Surroundings::localnet(network).with_package(
            LOCALNET_PACKAGE,
            LOCALNET_PACKAGE,
            LOCALNET_DB,
        )
    }

    /// What the package found there.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings {
        Surroundings {
            network: self.network,
            usdc: self.usdc.clone(),
            walrus: self.walrus.clone(),
        }
    }

    /// Where a package is called.
    #[must_use]
    pub fn address_of(&self, package: Package) -> ObjectId {
        match package {
            Package::Atoma => self.package,
            Package::Walrus => self.walrus.package,
        }
    }

    /// Which package is called there.
    #[must_use]
    pub fn package_at(&self, address: ObjectId) -> Option<Package> {
        [Package::Atoma, Package::Walrus]
            .into_iter()
            .find(|package| self.address_of(*package) == address)
    }

    /// Where a package's types were first defined.
    #[must_use]
    pub fn origin_of(&self, package: Package) -> ObjectId {
        match package {
            Package::Atoma => self.original_package,
            Package::Walrus => self.walrus.original_package,
        }
    }

    /// The Move type of a kind of object.
    #[must_use]
    pub fn type_of(&self, kind: ObjectKind) -> StructTag {
        let (module, name) = kind.move_name();
        struct_tag(self.origin_of(kind.package()), module, name)
    }

    /// The Move type of an event.
    #[must_use]
    pub fn event_type(&self, event: &Event) -> StructTag {
        struct_tag(
            self.origin_of(event.package()),
            event.module(),
            event.name(),
        )
    }
}

impl WalrusDeployment {
    /// The Move type of one of Walrus's kinds of objects.
    #[must_use]
    pub fn type_of(&self, kind: ObjectKind) -> StructTag {
        debug_assert_eq!(kind.package(), Package::Walrus);
        let (module, name) = kind.move_name();
        struct_tag(self.original_package, module, name)
    }
}

fn struct_tag(package: ObjectId, module: &'static str, name: &'static str) -> StructTag {
    let identifier = Identifier::from_static;
    StructTag::new(package, identifier(module), identifier(name), Vec::new())
}
