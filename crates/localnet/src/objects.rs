//! Objects as Sui has them: coins, drafts of written objects, and what they cost to store.

use atoma_types::{Address, ObjectId};
use std::sync::{Arc, LazyLock};
use sui_sdk_types::{
    Digest, MovePackage, MoveStruct, Object, ObjectData, Owner, StructTag, TypeTag,
};

/// `0x2::sui::SUI` as a type.
pub(crate) static SUI: LazyLock<TypeTag> =
    LazyLock::new(|| TypeTag::Struct(Box::new(StructTag::sui())));

/// Bytes of an object beside its type and contents: owner, version, digests.
const FIXED_BYTES: u64 = 90;
/// BCS of a coin: its id and its balance.
const COIN_BYTES: usize = 40;

/// An object that a transaction writes, before it has a version.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) type_: StructTag,
    pub(crate) public_transfer: bool,
    pub(crate) contents: Vec<u8>,
    pub(crate) owner: Owner,
}

impl Draft {
    /// Drafts a coin of a balance for an owner.
    pub(crate) fn coin(id: ObjectId, coin_type: TypeTag, balance: u64, owner: Address) -> Self {
        Self {
            type_: StructTag::coin(coin_type),
            public_transfer: true,
            contents: coin_contents(id, balance),
            owner: Owner::Address(owner),
        }
    }

    /// An object as it is, to be written again. None for packages, which nothing writes.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        let data = object.as_struct()?;
        Some(Self {
            type_: data.object_type().clone(),
            public_transfer: data.has_public_transfer(),
            contents: data.contents().to_vec(),
            owner: *object.owner(),
        })
    }

    /// The object. None if the contents are too short for an id.
    pub(crate) fn seal(self, version: u64, previous: Digest, rebate: u64) -> Option<Arc<Object>> {
        let data = MoveStruct::new(self.type_, self.public_transfer, version, self.contents)?;
        Some(Arc::new(Object::new(
            ObjectData::Struct(data),
            self.owner,
            previous,
            rebate,
        )))
    }

    /// Bytes that storage is paid for: contents, type, and a fixed sum for the rest.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let type_bytes = bcs::serialized_size(&self.type_).unwrap_or_default();
        FIXED_BYTES + (type_bytes + self.contents.len()) as u64
    }
}

/// Bytes that storage of a package is paid for.
pub(crate) fn package_bytes(package: &MovePackage) -> u64 {
    FIXED_BYTES + bcs::serialized_size(package).unwrap_or_default() as u64
}

/// BCS of a coin.
pub(crate) fn coin_contents(id: ObjectId, balance: u64) -> Vec<u8> {
    let mut contents = Vec::with_capacity(COIN_BYTES);
    contents.extend_from_slice(id.as_bytes());
    contents.extend_from_slice(&balance.to_le_bytes());
    contents
}

/// The inner type and balance of a coin.
pub(crate) fn as_coin(object: &Object) -> Option<(&TypeTag, u64)> {
    let data = object.as_struct()?;
    let coin_type = data.object_type().is_coin()?;
    let balance = data.contents().get(32..COIN_BYTES)?.try_into().ok()?;
    Some((coin_type, u64::from_le_bytes(balance)))
}

/// The type as text; `package` for a package.
pub(crate) fn type_name(object: &Object) -> String {
    match object.as_struct() {
        Some(data) => data.object_type().to_string(),
        None => "package".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_read_back() {
        let id = Address::new([3; 32]);
        let coin = Draft::coin(id, SUI.clone(), 77, Address::new([4; 32]));
        let object = coin.seal(5, Digest::ZERO, 6).unwrap();
        assert_eq!(as_coin(&object), Some((&*SUI, 77)));
        assert_eq!((object.object_id(), object.version()), (id, 5));
        assert_eq!(
            type_name(&object),
            "0x0000000000000000000000000000000000000000000000000000000000000002::coin::Coin<0x0000000000000000000000000000000000000000000000000000000000000002::sui::SUI>"
        );
    }
}
