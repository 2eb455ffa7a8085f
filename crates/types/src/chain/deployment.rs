//! Where the package stands on a ledger.

use crate::{Address, NetworkId, ObjectId};
use serde::{Deserialize, Serialize};
use sui_sdk_types::{Identifier, StructTag, TypeTag};

/// The shared clock of every Sui network.
pub const CLOCK_OBJECT: ObjectId = small(0x6);
/// The shared random beacon of every Sui network.
pub const RANDOM_OBJECT: ObjectId = small(0x8);
/// The package's id on localnet.
pub const LOCALNET_PACKAGE: ObjectId = small(0xa70a);
/// The package of localnet's USDC.
pub const LOCALNET_USDC_PACKAGE: ObjectId = small(0x05dc);
/// The `AtomaDb` of localnet.
pub const LOCALNET_DB: ObjectId = small(0x00a7_0adb);
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

/// One published package with its database and its money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Which ledger.
    pub network: NetworkId,
    /// The package as called now.
    pub package: ObjectId,
    /// The package that first defined the types (differs after an upgrade).
    pub original_package: ObjectId,
    /// The `AtomaDb`.
    pub db: ObjectId,
    /// The type inside `Coin<…>` that pays.
    pub usdc: TypeTag,
}

impl Deployment {
    /// The package that every localnet is born with.
    #[must_use]
    pub fn localnet(network: NetworkId) -> Self {
        Self {
            network,
            package: LOCALNET_PACKAGE,
            original_package: LOCALNET_PACKAGE,
            db: LOCALNET_DB,
            usdc: TypeTag::Struct(Box::new(struct_tag(LOCALNET_USDC_PACKAGE, "usdc", "USDC"))),
        }
    }

    /// The Move type `package::module::name`.
    #[must_use]
    pub fn type_of(&self, module: &'static str, name: &'static str) -> StructTag {
        struct_tag(self.original_package, module, name)
    }
}

fn struct_tag(package: ObjectId, module: &'static str, name: &'static str) -> StructTag {
    let identifier = Identifier::from_static;
    StructTag::new(package, identifier(module), identifier(name), Vec::new())
}
