//! What a function and its arguments are in Move.

use crate::{MicroUsdc, NodeId, ObjectId, StackId, TaskId};

/// Whose code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// Our own package.
    Atoma,
    /// Walrus's; on localnet the development Walrus, which has this crate's functions.
    Walrus,
}

/// What kind of object an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// `db::AtomaDb`
    Db,
    /// `db::AdminCap`
    AdminCap,
    /// `node::Node`
    Node,
    /// `task::Task`
    Task,
    /// `stack::Stack`
    Stack,
    /// Walrus's `blob::Blob`
    Blob,
    /// The development Walrus's `system::System`
    WalrusSystem,
    /// The development Walrus's `system::OperatorCap`
    WalrusCap,
}

impl ObjectKind {
    /// All kinds.
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

    /// Who defines it.
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
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u256`
    U256,
    /// `bool`
    Bool,
    /// `vector<u8>`
    Bytes,
    /// `vector<vector<u8>>`
    BytesList,
    /// `vector<u16>`
    U16List,
    /// `vector<u64>`
    U64List,
    /// `String`
    String,
    /// `Option<vector<ID>>`
    IdListOption,
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
    /// `Coin<USDC>`, consumed.
    Payment,
    /// A plain value.
    Pure(PureKind),
    /// `&Clock`
    Clock,
    /// `&Random`: the function is a private entry of its own transaction.
    Random,
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallArg {
    /// An object, by id.
    Object(ObjectId),
    /// A coin of exactly this amount.
    Payment(MicroUsdc),
    /// BCS of a plain value.
    Pure(Vec<u8>),
    /// The clock.
    Clock,
    /// The random beacon.
    Random,
}

/// A function with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Whose it is.
    pub package: Package,
    /// The module.
    pub module: &'static str,
    /// The function.
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
