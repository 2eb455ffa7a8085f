//! The contract's objects in and out of Sui's form. The rules themselves are `atoma-contract`'s.

use crate::{
    balances,
    error::{Damage, LocalnetError},
    objects::Draft,
};
use atoma_contract::{Object as Held, Owner as HeldBy, TableEntry};
use atoma_types::{
    ObjectId,
    chain::{Deployment, ObjectKind},
};
use sui_sdk_types::{Address, Identifier, Object, Owner, StructTag, TypeTag};

/// Move's type `0x2::dynamic_field::Field<K, V>`.
fn field_type(key: TypeTag, value: TypeTag) -> StructTag {
    StructTag::new(
        Address::TWO,
        Identifier::from_static("dynamic_field"),
        Identifier::from_static("Field"),
        vec![key, value],
    )
}

fn move_type(deployment: &Deployment, held: &Held) -> StructTag {
    let kind = match held {
        Held::Db(_) => ObjectKind::Db,
        Held::AdminCap(_) => ObjectKind::AdminCap,
        Held::Node(_) => ObjectKind::Node,
        Held::Task(_) => ObjectKind::Task,
        Held::Stack(_) => ObjectKind::Stack,
        Held::Blob(_) => ObjectKind::Blob,
        Held::WalrusSystem(_) => ObjectKind::WalrusSystem,
        Held::WalrusCap(_) => ObjectKind::WalrusCap,
        Held::Entry(entry) => {
            return field_type(entry.key_type.clone(), entry.value_type.clone());
        }
    };
    deployment.type_of(kind)
}

/// What the contract wrote, as an object to be stored. `initial` is the version of objects that
/// become shared now.
pub(crate) fn draft(deployment: &Deployment, held: &Held, owner: HeldBy, initial: u64) -> Draft {
    Draft {
        type_: move_type(deployment, held),
        // what addresses own has `key, store`; the shared objects have `key` alone
        public_transfer: matches!(held, Held::AdminCap(_) | Held::Blob(_) | Held::WalrusCap(_)),
        contents: held.to_bcs(),
        owner: match owner {
            HeldBy::Shared => Owner::Shared(initial),
            HeldBy::Address(address) => Owner::Address(address),
            HeldBy::Object(parent) => Owner::Object(parent),
        },
    }
}

/// The contract's view of a stored object; `None` if it isn't the contract's.
pub(crate) fn held(
    deployment: &Deployment,
    object: &Object,
) -> Result<Option<(Held, HeldBy)>, LocalnetError> {
    let Some(data) = object.as_struct() else {
        return Ok(None);
    };
    if balances::is_balance(object) {
        return Ok(None);
    }
    let owner = match *object.owner() {
        Owner::Shared(_) => HeldBy::Shared,
        Owner::Address(address) => HeldBy::Address(address),
        Owner::Object(parent) => HeldBy::Object(parent),
        _ => return Ok(None),
    };
    let type_ = data.object_type();
    let kind = ObjectKind::ALL
        .iter()
        .copied()
        .find(|kind| *type_ == deployment.type_of(*kind));
    let damage = |source| Damage::Object {
        id: object.object_id(),
        source,
    };
    let held = match (kind, owner, type_.type_params()) {
        (Some(kind), ..) => {
            Held::from_bcs(kind, data.contents()).map_err(|source| damage(Some(source)))?
        }
        (None, HeldBy::Object(parent), [key_type, value_type]) => {
            let field = split_field(data.contents(), value_type);
            let (key, value) = field.ok_or_else(|| damage(None))?;
            Held::Entry(TableEntry {
                id: object.object_id(),
                parent,
                key_type: key_type.clone(),
                key: key.to_vec(),
                value_type: value_type.clone(),
                value: value.to_vec(),
            })
        }
        _ => return Ok(None),
    };
    Ok(Some((held, owner)))
}

/// Key and value of a dynamic field's contents, after the id. The contract's values have a fixed
/// length: numbers and ids.
fn split_field<'a>(contents: &'a [u8], value: &TypeTag) -> Option<(&'a [u8], &'a [u8])> {
    let rest = contents.get(ObjectId::LENGTH..)?;
    let length = match value {
        TypeTag::U64 => 8,
        TypeTag::Struct(tag) if tag.name() == "ID" => ObjectId::LENGTH,
        _ => return None,
    };
    rest.split_at_checked(rest.len().checked_sub(length)?)
}

/// An entry of a table: its key's type and bytes, its value's type and bytes.
pub(crate) struct Field {
    pub(crate) key_type: TypeTag,
    pub(crate) key: Vec<u8>,
    pub(crate) value_type: TypeTag,
    pub(crate) value: Vec<u8>,
}

/// Reads a stored dynamic field.
pub(crate) fn field(deployment: &Deployment, parent: ObjectId, object: &Object) -> Option<Field> {
    match held(deployment, object) {
        Ok(Some((Held::Entry(entry), HeldBy::Object(owner)))) if owner == parent => Some(Field {
            key_type: entry.key_type,
            key: entry.key,
            value_type: entry.value_type,
            value: entry.value,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_split_before_their_value() {
        let contents = [vec![9; 32], bcs::to_bytes("llama").unwrap(), vec![1; 8]].concat();
        let (key, value) = split_field(&contents, &TypeTag::U64).unwrap();
        assert_eq!(bcs::from_bytes::<String>(key).unwrap(), "llama");
        assert_eq!(value, [1; 8]);
        assert!(split_field(&contents[..36], &TypeTag::U64).is_none());
        assert!(split_field(&contents, &TypeTag::Bool).is_none());
    }
}
