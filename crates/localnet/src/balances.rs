//! Address balances: money that an address has without a coin. As on Sui each is an entry under the
//! accumulators' root, one for an address and a kind of money; an empty one is gone.
//!
//! Their objects hold nothing for their storage: the ledger keeps them, not who sends.

use crate::{move_types::identifier, objects::Draft};
use atoma_types::{Address, ObjectId};
use std::{collections::BTreeMap, sync::Arc};
use sui_sdk_types::{
    AccumulatorOperation, AccumulatorValue, AccumulatorWrite, ChangedObject, Digest, IdOperation,
    Object, ObjectIn, ObjectOut, Owner, StructTag, TypeTag,
};

/// The root of all accumulators.
const ROOT: ObjectId = Address::from_static("0xacc");
/// Where an entry's amount begins: after its own id and the address. It has 16 bytes.
const AMOUNT_AT: usize = 64;

fn framework(module: &'static str, name: &'static str, parameters: Vec<TypeTag>) -> StructTag {
    StructTag::new(
        Address::TWO,
        identifier(module),
        identifier(name),
        parameters,
    )
}

/// Move's type `0x2::balance::Balance<T>`, of the money of a coin.
fn balance_type(coin_type: &TypeTag) -> StructTag {
    framework("balance", "Balance", vec![coin_type.clone()])
}

/// Move's type `0x2::accumulator::Key<0x2::balance::Balance<T>>`, under which an address's balance is kept.
fn key_type(coin_type: &TypeTag) -> StructTag {
    framework("accumulator", "Key", vec![balance_type(coin_type).into()])
}

/// The object that holds an address's balance of one kind of money, where there is any.
pub(crate) fn id(owner: &Address, coin_type: &TypeTag) -> ObjectId {
    ROOT.derive_dynamic_child_id(&key_type(coin_type).into(), owner.as_bytes())
}

/// Whether the object is an address balance.
pub(crate) fn is_balance(object: &Object) -> bool {
    *object.owner() == Owner::Object(ROOT)
}

/// The kind of money and the amount of an address balance.
pub(crate) fn read(object: &Object) -> Option<(&TypeTag, u64)> {
    let data = object.as_struct().filter(|_| is_balance(object))?;
    // Field<Key<Balance<T>>, U128>
    let key = inner(data.object_type())?;
    let coin_type = inner(key).and_then(|balance| balance.type_params().first())?;
    let amount = data.contents().get(AMOUNT_AT..)?.try_into().ok()?;
    Some((coin_type, u64::try_from(u128::from_le_bytes(amount)).ok()?))
}

/// A type's first parameter.
fn inner(tag: &StructTag) -> Option<&StructTag> {
    match tag.type_params().first()? {
        TypeTag::Struct(inner) => Some(inner),
        _ => None,
    }
}

fn draft(owner: Address, coin_type: &TypeTag, amount: u64) -> Draft {
    let value = framework("accumulator", "U128", Vec::new());
    let fields = vec![key_type(coin_type).into(), value.into()];
    let mut contents = id(&owner, coin_type).as_bytes().to_vec();
    contents.extend_from_slice(owner.as_bytes());
    contents.extend_from_slice(&u128::from(amount).to_le_bytes());
    Draft {
        type_: framework("dynamic_field", "Field", fields),
        public_transfer: false,
        contents,
        owner: Owner::Object(ROOT),
    }
}

/// What one transaction adds to and takes from address balances.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moves(BTreeMap<(Address, TypeTag), i128>);

/// Balances after a transaction.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// As effects tell it.
    pub(crate) changed: Vec<ChangedObject>,
    pub(crate) written: Vec<Arc<Object>>,
    /// Those that are empty now.
    pub(crate) deleted: Vec<ObjectId>,
}

impl Moves {
    /// Adds an amount, or takes it where it is negative.
    pub(crate) fn add(&mut self, owner: Address, coin_type: TypeTag, amount: i128) {
        *self.0.entry((owner, coin_type)).or_default() += amount;
    }

    /// The sums that aren't nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Address, &TypeTag, i128)> {
        let sums = self.0.iter().filter(|(_, amount)| **amount != 0);
        sums.map(|((owner, coin_type), amount)| (owner, coin_type, *amount))
    }

    /// The balances with these moves made. None where one would fall below nothing, which the check of
    /// withdrawals excludes.
    pub(crate) fn settle<'a>(
        &self,
        object: impl Fn(&ObjectId) -> Option<&'a Arc<Object>>,
        lamport: u64,
        digest: Digest,
    ) -> Option<Settled> {
        let mut settled = Settled::default();
        for (owner, coin_type, moved) in self.iter() {
            let id = id(owner, coin_type);
            let before = object(&id);
            let held = before.and_then(|object| read(object));
            let amount = held.map_or(0, |(_, amount)| i128::from(amount)) + moved;
            let amount = u64::try_from(amount).ok()?;
            if amount > 0 {
                let version = before.map_or(lamport, |object| lamport.max(object.version() + 1));
                let object = draft(*owner, coin_type, amount).seal(version, digest, 0)?;
                settled.written.push(object);
            } else if before.is_some() {
                settled.deleted.push(id);
            }
            settled.changed.push(change(id, *owner, coin_type, moved)?);
        }
        Some(settled)
    }
}

/// What effects say of a move: an amount that is merged into a balance or split off it, and nothing of the
/// balance itself.
fn change(id: ObjectId, owner: Address, coin_type: &TypeTag, moved: i128) -> Option<ChangedObject> {
    let operation = if moved > 0 {
        AccumulatorOperation::Merge
    } else {
        AccumulatorOperation::Split
    };
    let amount = AccumulatorValue::Integer(u64::try_from(moved.unsigned_abs()).ok()?);
    let type_ = balance_type(coin_type).into();
    let write = AccumulatorWrite::new(owner, type_, operation, amount);
    Some(ChangedObject {
        object_id: id,
        input_state: ObjectIn::NotExist,
        output_state: ObjectOut::AccumulatorWrite(write),
        id_operation: IdOperation::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::SUI;

    #[test]
    fn a_balance_reads_back_and_is_where_sui_has_it() {
        let owner = Address::new([7; 32]);
        let object = draft(owner, &SUI, 5).seal(3, Digest::ZERO, 0).unwrap();
        assert_eq!(read(&object), Some((&*SUI, 5)));
        assert_eq!(object.object_id(), id(&owner, &SUI));
        // Sui's own client derives the id inside of a coin reservation; a chain of zeros masks nothing
        let (derived, ..) = sui_sdk_types::ObjectReference::coin_reservation(
            &StructTag::sui(),
            5,
            0,
            Digest::ZERO,
            owner,
        )
        .into_parts();
        assert_eq!(derived, id(&owner, &SUI));
    }
}
