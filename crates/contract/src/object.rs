//! What the ledger stores: the packages' objects and the entries of the tables.

use atoma_types::{
    Address, ObjectId,
    chain::{AdminCap, AtomaDb, Blob, Node, ObjectKind, Stack, Task, WalrusCap, WalrusSystem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sui_sdk_types::{Identifier, StructTag, TypeTag};

/// Sui's framework, which defines ids and dynamic fields.
const SUI_FRAMEWORK: Address = small_address(2);
/// Move's standard library, which defines strings.
const MOVE_STDLIB: Address = small_address(1);

const fn small_address(last: u8) -> Address {
    let mut bytes = [0; 32];
    bytes[31] = last;
    Address::new(bytes)
}

/// Any object of the two packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// The deployment's `AtomaDb`: parameters and counters. There is one.
    Db(AtomaDb),
    /// The right to set parameters.
    AdminCap(AdminCap),
    /// A node that was registered; it stays here after it has left.
    Node(Node),
    /// A task that nodes subscribe to.
    Task(Task),
    /// A stack that was bought.
    Stack(Stack),
    /// A blob of the development Walrus, certified or not.
    Blob(Blob),
    /// The development Walrus's `System`: its epoch and committee. There is one.
    WalrusSystem(WalrusSystem),
    /// The right to operate it.
    WalrusCap(WalrusCap),
    /// An entry of one of the singleton's tables.
    Entry(TableEntry),
}

/// A dynamic field of a table: Move's `0x2::dynamic_field::Field<K, V>`, whose BCS is
/// `id ‖ key ‖ value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Object id, derived from the table's id, the key's type and the key.
    pub id: ObjectId,
    /// Id of the table that the entry belongs to.
    pub parent: ObjectId,
    /// Move type of the table's keys: `u64` or `String`.
    pub key_type: TypeTag,
    /// BCS of the key.
    pub key: Vec<u8>,
    /// Move type of the table's values: `u64` or `ID`.
    pub value_type: TypeTag,
    /// BCS of the value.
    pub value: Vec<u8>,
}

/// Who may use an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    /// Everyone, in the order that the ledger decides.
    Shared,
    /// Owned: only transactions that this address signs may use it.
    Address(Address),
    /// Another object: a table's entry.
    Object(ObjectId),
}

/// Bytes that aren't the object they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the object")]
pub struct DecodeObjectError(#[from] bcs::Error);

impl Object {
    /// Id of the object, which it has on the ledger.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        match self {
            Self::Db(db) => db.id,
            Self::AdminCap(cap) => cap.id,
            Self::Node(node) => node.id.0,
            Self::Task(task) => task.id.0,
            Self::Stack(stack) => stack.id.0,
            Self::Blob(blob) => blob.id,
            Self::WalrusSystem(system) => system.id,
            Self::WalrusCap(cap) => cap.id,
            Self::Entry(entry) => entry.id,
        }
    }

    /// Its kind, if it is one of the packages' own types and no table entry.
    #[must_use]
    pub fn kind(&self) -> Option<ObjectKind> {
        match self {
            Self::Db(_) => Some(ObjectKind::Db),
            Self::AdminCap(_) => Some(ObjectKind::AdminCap),
            Self::Node(_) => Some(ObjectKind::Node),
            Self::Task(_) => Some(ObjectKind::Task),
            Self::Stack(_) => Some(ObjectKind::Stack),
            Self::Blob(_) => Some(ObjectKind::Blob),
            Self::WalrusSystem(_) => Some(ObjectKind::WalrusSystem),
            Self::WalrusCap(_) => Some(ObjectKind::WalrusCap),
            Self::Entry(_) => None,
        }
    }

    /// Its contents, as Sui stores them.
    #[must_use]
    pub fn to_bcs(&self) -> Vec<u8> {
        match self {
            Self::Db(db) => encode(db),
            Self::AdminCap(cap) => encode(cap),
            Self::Node(node) => encode(node),
            Self::Task(task) => encode(task),
            Self::Stack(stack) => encode(stack),
            Self::Blob(blob) => encode(blob),
            Self::WalrusSystem(system) => encode(system),
            Self::WalrusCap(cap) => encode(cap),
            Self::Entry(entry) => [entry.id.as_bytes(), &entry.key, &entry.value].concat(),
        }
    }

    /// Reads contents of a known kind.
    ///
    /// # Errors
    /// If the bytes are not those of an object of this kind.
    pub fn from_bcs(kind: ObjectKind, bytes: &[u8]) -> Result<Self, DecodeObjectError> {
        match kind {
            ObjectKind::Db => decode(bytes).map(Self::Db),
            ObjectKind::AdminCap => decode(bytes).map(Self::AdminCap),
            ObjectKind::Node => decode(bytes).map(Self::Node),
            ObjectKind::Task => decode(bytes).map(Self::Task),
            ObjectKind::Stack => decode(bytes).map(Self::Stack),
            ObjectKind::Blob => decode(bytes).map(Self::Blob),
            ObjectKind::WalrusSystem => decode(bytes).map(Self::WalrusSystem),
            ObjectKind::WalrusCap => decode(bytes).map(Self::WalrusCap),
        }
    }
}

/// Move's type `0x2::object::ID`.
pub(crate) fn id_type() -> TypeTag {
    named_type(SUI_FRAMEWORK, "object", "ID")
}

/// Move's type `0x1::string::String`.
pub(crate) fn string_type() -> TypeTag {
    named_type(MOVE_STDLIB, "string", "String")
}

fn named_type(package: Address, module: &'static str, name: &'static str) -> TypeTag {
    TypeTag::Struct(Box::new(StructTag::new(
        package,
        Identifier::from_static(module),
        Identifier::from_static(name),
        Vec::new(),
    )))
}

/// BCS of one of our own structs.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bcs::to_bytes(value).expect("BCS has all structs of integers, strings, options and vectors")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeObjectError> {
    Ok(bcs::from_bytes(bytes)?)
}
