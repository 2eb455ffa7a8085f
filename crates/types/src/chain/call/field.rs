//! Types that can stand as arguments, and how each is passed.

use super::{
    error::{ArgError, CallError},
    spec::{ArgKind, CallArg, ObjectKind, PureKind},
};
use crate::{
    Address, BlobId, ComputeUnits, DurationMs, MicroUsdc, NodeId, Numerics, ObjectId, Price,
    PublicKey, Role, Rule, SealingKey, SecurityLevel, TimestampMs, UnitWeights,
    chain::abort::AbortCode, hash::Hash32,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{marker::PhantomData, vec::IntoIter};

/// A type of which a function's arguments are made: here alone values become bytes and bytes values.
pub(super) trait Field: Sized {
    /// The arguments in Move. One without a name has the field's.
    const ARGS: &'static [(&'static str, ArgKind)];

    /// Appends the arguments.
    fn encode(&self, args: &mut Vec<CallArg>);

    /// Reads as many arguments as [`ARGS`](Self::ARGS) has; there are so many.
    fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError>;
}

/// Arguments that aren't a field's.
pub(super) enum FieldError {
    /// No transaction with them would reach the function.
    Unfit(ArgError),
    /// Move's type has this value, and ours not: the package aborts with the code in the table.
    Unknown,
}

impl From<ArgError> for FieldError {
    fn from(error: ArgError) -> Self {
        Self::Unfit(error)
    }
}

impl FieldError {
    /// What is wrong with the argument `name`, of which the table says with which code the package
    /// refuses values that aren't ours.
    pub(super) fn of(self, name: &'static str, code: Option<AbortCode>) -> CallError {
        let wrong = |source| CallError::WrongArgument { name, source };
        match (self, code) {
            (Self::Unfit(error), _) => wrong(error),
            (Self::Unknown, None) => wrong(ArgError::NoValue),
            (Self::Unknown, Some(code)) => CallError::Refused { code },
        }
    }
}

/// How many arguments these fields have.
pub(super) const fn count(fields: &[(&str, &[(&str, ArgKind)])]) -> usize {
    let (mut total, mut i) = (0, 0);
    while i < fields.len() {
        total += fields[i].1.len();
        i += 1;
    }
    total
}

/// Their names and kinds, in order.
pub(super) const fn names<const N: usize>(
    fields: &[(&'static str, &[(&'static str, ArgKind)])],
) -> [(&'static str, ArgKind); N] {
    let mut all = [("", ArgKind::Clock); N];
    let (mut at, mut i) = (0, 0);
    while i < fields.len() {
        let (field, args) = fields[i];
        let mut j = 0;
        while j < args.len() {
            let name = if args[j].0.is_empty() {
                field
            } else {
                args[j].0
            };
            all[at] = (name, args[j].1);
            at += 1;
            j += 1;
        }
        i += 1;
    }
    all
}

/// The next argument: whoever decodes has counted them.
fn next(args: &mut IntoIter<CallArg>) -> CallArg {
    let Some(arg) = args.next() else {
        panic!("the arguments were counted before they were read");
    };
    arg
}

macro_rules! object_field {
    ($(#[$doc:meta])* $name:ident => $kind:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<K: Kind>(ObjectId, PhantomData<K>);

        impl<K: Kind> $name<K> {
            /// The object's id.
            #[must_use]
            pub fn id(&self) -> ObjectId { self.0 }
        }
        impl<K: Kind, I: Into<ObjectId>> From<I> for $name<K> {
            fn from(id: I) -> Self { Self(id.into(), PhantomData) }
        }
        impl<K: Kind> Field for $name<K> {
            const ARGS: &'static [(&'static str, ArgKind)] = &[("", ArgKind::$kind(K::KIND))];
            fn encode(&self, args: &mut Vec<CallArg>) { args.push(CallArg::Object(self.0)); }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
                match next(args) {
                    CallArg::Object(id) => Ok(id.into()),
                    other => Err(other.instead_of("an object").into()),
                }
            }
        }
    };
}

/// A type-level object kind.
pub trait Kind: Copy + std::fmt::Debug + PartialEq + Eq {
    /// Which kind of object it is.
    const KIND: ObjectKind;
}

macro_rules! kinds {
    ($($name:ident => $kind:ident),*) => { $(
        /// Stands for the object kind of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name;
        impl Kind for $name { const KIND: ObjectKind = ObjectKind::$kind; }
    )* };
}
kinds!(DbKind => Db, AdminKind => AdminCap, NodeKind => Node, TaskKind => Task, StackKind => Stack, BlobKind => Blob, SystemKind => WalrusSystem, OperatorKind => WalrusCap);

object_field!(
    /// `&mut` of a shared object.
    ObjectMut => Mutable
);
object_field!(
    /// `&` of a shared object.
    ObjectRef => Read
);
object_field!(
    /// `&` of an object that the sender owns.
    Owned => Owned
);
object_field!(
    /// `&mut` of an object that the sender owns.
    OwnedMut => OwnedMut
);
object_field!(
    /// An object that the sender owns, consumed.
    Consumed => Consumed
);

/// A coin of USDC that the call takes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment(pub MicroUsdc);

impl Field for Payment {
    const ARGS: &'static [(&'static str, ArgKind)] = &[("", ArgKind::Payment)];
    fn encode(&self, args: &mut Vec<CallArg>) {
        args.push(CallArg::Payment(self.0));
    }
    fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
        match next(args) {
            CallArg::Payment(amount) => Ok(Self(amount)),
            other => Err(other.instead_of("a coin").into()),
        }
    }
}

macro_rules! system_field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        impl Field for $name {
            const ARGS: &'static [(&'static str, ArgKind)] = &[("", ArgKind::$name)];
            fn encode(&self, args: &mut Vec<CallArg>) { args.push(CallArg::$name); }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
                match next(args) {
                    CallArg::$name => Ok(Self),
                    other => Err(other.instead_of(concat!("the ", stringify!($name), " object")).into()),
                }
            }
        }
    };
}
system_field!(
    /// The ledger's clock.
    Clock
);
system_field!(
    /// The ledger's random beacon.
    Random
);

/// A plain value from its BCS.
fn decode_pure<T: DeserializeOwned>(args: &mut IntoIter<CallArg>) -> Result<T, FieldError> {
    match next(args) {
        CallArg::Pure(bytes) => Ok(bcs::from_bytes(&bytes).map_err(ArgError::Bcs)?),
        other => Err(other.instead_of("a plain value").into()),
    }
}

fn encode_pure<T: Serialize + ?Sized>(value: &T, args: &mut Vec<CallArg>) {
    let Ok(bytes) = bcs::to_bytes(value) else {
        panic!("BCS can hold every plain value");
    };
    args.push(CallArg::Pure(bytes));
}

macro_rules! pure_args {
    ($kind:ident) => {
        const ARGS: &'static [(&'static str, ArgKind)] = &[("", ArgKind::Pure(PureKind::$kind))];
    };
}

macro_rules! pure_field {
    ($($type:ty => $kind:ident),* $(,)?) => { $(
        impl Field for $type {
            pure_args!($kind);
            fn encode(&self, args: &mut Vec<CallArg>) { encode_pure(self, args); }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> { decode_pure(args) }
        }
    )* };
}
pure_field!(
    u8 => U8, u32 => U32, u64 => U64, bool => Bool, String => String,
    Vec<u8> => Bytes, Vec<Vec<u8>> => BytesList, Vec<u16> => U16List,
    BlobId => U256, MicroUsdc => U64, ComputeUnits => U64, Price => U64, DurationMs => U64,
    Option<Vec<NodeId>> => IdListOption,
    NodeId => Id, Address => Address, Option<Address> => AddressOption, TimestampMs => U64,
);

/// A root hash where Walrus's functions take a `u256`: the same 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootHash(pub Hash32);

impl Field for RootHash {
    pure_args!(U256);
    fn encode(&self, args: &mut Vec<CallArg>) {
        encode_pure(&self.0, args);
    }
    fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
        Ok(Self(decode_pure(args)?))
    }
}

/// One of a few, as a byte whose meaning the contract checks.
macro_rules! byte_field {
    ($($type:ty),* $(,)?) => { $(
        impl Field for $type {
            pure_args!(U8);
            fn encode(&self, args: &mut Vec<CallArg>) { encode_pure(&self.to_byte(), args); }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
                Self::from_byte(decode_pure(args)?).ok_or(FieldError::Unknown)
            }
        }
    )* };
}
byte_field!(Role, SecurityLevel, Numerics, Rule);

/// 32 bytes as a `vector<u8>`, whose length the contract checks.
macro_rules! bytes_field {
    ($($type:ident),* $(,)?) => { $(
        impl Field for $type {
            pure_args!(Bytes);
            fn encode(&self, args: &mut Vec<CallArg>) { encode_pure(self.0.as_slice(), args); }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
                let bytes: Vec<u8> = decode_pure(args)?;
                bytes.try_into().map(Self).map_err(|_| FieldError::Unknown)
            }
        }
    )* };
}
bytes_field!(PublicKey, Hash32);

/// 32 bytes, or none, as a `vector<u8>`.
macro_rules! optional_bytes_field {
    ($($type:ty, $bytes:expr, $from:expr);* $(;)?) => { $(
        impl Field for Option<$type> {
            pure_args!(Bytes);
            fn encode(&self, args: &mut Vec<CallArg>) {
                let bytes: &[u8] = self.as_ref().map_or(&[], $bytes);
                encode_pure(bytes, args);
            }
            fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
                let bytes: Vec<u8> = decode_pure(args)?;
                if bytes.is_empty() {
                    return Ok(None);
                }
                let bytes = bytes.try_into().map_err(|_| FieldError::Unknown)?;
                Ok(Some($from(bytes)))
            }
        }
    )* };
}
optional_bytes_field!(
    BlobId, |id: &BlobId| &id.0, BlobId;
    SealingKey, |key: &SealingKey| &key.0, SealingKey;
);

/// As the list of its five weights.
impl Field for UnitWeights {
    pure_args!(U64List);
    fn encode(&self, args: &mut Vec<CallArg>) {
        encode_pure(self.to_list().as_slice(), args);
    }
    fn decode(args: &mut IntoIter<CallArg>) -> Result<Self, FieldError> {
        let list: Vec<u64> = decode_pure(args)?;
        let list = list.try_into().map_err(|_| FieldError::Unknown)?;
        Ok(Self::from_list(list))
    }
}
