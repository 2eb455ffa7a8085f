//! What a function and its arguments are in Move.

use crate::{MicroUsdc, NodeId, ObjectId, StackId, TaskId};

/// Whose code a function stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// The package of this project, under `move/`.
    Atoma,
    /// Walrus's; on localnet the development Walrus, which has this crate's functions.
    Walrus,
}

/// What kind of object an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An object of Move's type `db::AtomaDb`.
    Db,
    /// An object of Move's type `db::AdminCap`.
    AdminCap,
    /// An object of Move's type `node::Node`.
    Node,
    /// An object of Move's type `task::Task`.
    Task,
    /// An object of Move's type `stack::Stack`.
    Stack,
    /// An object of Walrus's Move type `blob::Blob`.
    Blob,
    /// The development Walrus's `system::System`
    WalrusSystem,
    /// The development Walrus's `system::OperatorCap`
    WalrusCap,
}

impl ObjectKind {
    /// Every kind of object that a call can name.
    pub const ALL: &'static [Self] = &[
        Self::Db,
        Self::AdminCap,
        Self::Node,
        Self::Task,
        Self::Stack,
        Self::Blob,
        Self::WalrusSystem,
        Self::WalrusCap,
    ];

    /// The package that defines the function.
    #[must_use]
    pub fn package(self) -> Package {
        match self {
            Self::Db | Self::AdminCap | Self::Node | Self::Task | Self::Stack => Package::Atoma,
            Self::Blob | Self::WalrusSystem | Self::WalrusCap => Package::Walrus,
        }
    }

    /// Module and name of the Move type.
    #[must_use]
    pub fn move_name(self) -> (&'static str, &'static str) {
        match self {
            Self::Db => ("db", "AtomaDb"),
            Self::AdminCap => ("db", "AdminCap"),
            Self::Node => ("node", "Node"),
            Self::Task => ("task", "Task"),
            Self::Stack => ("stack", "Stack"),
            Self::Blob => ("blob", "Blob"),
            Self::WalrusSystem => ("system", "System"),
            Self::WalrusCap => ("system", "OperatorCap"),
        }
    }
}

/// The Move type of a value passed by its BCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PureKind {
    /// Move's type `u8`.
    U8,
    /// Move's type `u16`.
    U16,
    /// Move's type `u32`.
    U32,
    /// Move's type `u64`.
    U64,
    /// Move's type `u256`.
    U256,
    /// Move's type `bool`.
    Bool,
    /// Move's type `vector<u8>`.
    Bytes,
    /// Move's type `vector<vector<u8>>`.
    BytesList,
    /// Move's type `vector<u16>`.
    U16List,
    /// Move's type `vector<u64>`.
    U64List,
    /// Move's type `String`.
    String,
    /// Move's type `Option<vector<ID>>`.
    IdListOption,
    /// Move's type `0x2::object::ID`.
    Id,
    /// Move's type `address`.
    Address,
    /// Move's type `Option<address>`.
    AddressOption,
}

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    /// `&mut T` of a shared object.
    Mutable(ObjectKind),
    /// `&T` of a shared object.
    Read(ObjectKind),
    /// `&T` of an object that the sender owns.
    Owned(ObjectKind),
    /// `&mut T` of an object that the sender owns.
    OwnedMut(ObjectKind),
    /// `T`: an object that the sender owns, consumed.
    Consumed(ObjectKind),
    /// A `Coin<USDC>`, which the function takes.
    Payment,
    /// A value that isn't an object, in BCS.
    Pure(PureKind),
    /// The ledger's clock, by reference.
    Clock,
    /// `&Random`: the function is a private entry of its own transaction.
    Random,
}

/// The value of an argument, as it goes into a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallArg {
    /// An object, by id.
    Object(ObjectId),
    /// A coin of exactly this amount.
    Payment(MicroUsdc),
    /// BCS of a plain value.
    Pure(Vec<u8>),
    /// The ledger's clock, the object `0x6`.
    Clock,
    /// The ledger's random beacon, the object `0x8`.
    Random,
}

/// A function with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// The package that defines the function.
    pub package: Package,
    /// Name of the Move module that it stands in.
    pub module: &'static str,
    /// Name of the Move function.
    pub name: &'static str,
    /// Names and kinds, in order (Move's `TxContext` left out).
    pub args: &'static [(&'static str, ArgKind)],
}

/// Ids as arguments, so that callers needn't convert.
macro_rules! id_args {
    ($($id:ty),*) => { $(
        impl From<&$id> for CallArg {
            fn from(id: &$id) -> Self { Self::Object(id.0) }
        }
    )* };
}
id_args!(NodeId, TaskId, StackId);
